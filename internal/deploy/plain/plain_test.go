package plain_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/plain"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/osls"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/watch"
)

var update = flag.Bool("update", false, "write login.template.json")

// TestLoginIsServerless compares the template with what serverless.yml becomes.
func TestLoginIsServerless(t *testing.T) {
	t.Parallel()
	files := make(map[string]string)
	for _, name := range []string{"serverless.yml", "gatehouse.yml"} {
		text, err := os.ReadFile("../../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	packaged := osls.Package(t, os.Getenv, osls.Input{
		Files: files, Variables: plain.Variables(), Flags: []string{"--stage", plain.Stage, "--region", "eu-west-3"},
	})
	got, err := plain.Parametrize(packaged)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("login.template.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, plain.Login) {
		t.Error("login.template.json is not what serverless.yml says: go test ./internal/deploy/plain -update")
	}
}

// TestLoginIsJudged holds the template to the rules of the packaged one.
func TestLoginIsJudged(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse(plain.Login)
	if err != nil {
		t.Fatal(err)
	}
	if !parsed.IsLogin() {
		t.Error("it is no login stack")
	}
	if err := parsed.Check(func(string) bool { return false }); err != nil {
		t.Error(err)
	}
	if err := watch.Check(parsed); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"NotesLambdaFunction", "HttpApiRouteGetNotes", "ServerlessDeploymentBucket"} {
		if parsed.Resources[name] != nil {
			t.Errorf("it has %s", name)
		}
	}
}

// TestLoginIsValid has the validator look at it.
func TestLoginIsValid(t *testing.T) {
	t.Parallel()
	if valid, said := osls.Valid(t, os.Getenv, plain.Login); !valid {
		t.Error(said)
	}
}

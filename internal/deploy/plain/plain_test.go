package plain_test

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/plain"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/watch"
)

var update = flag.Bool("update", false, "write login.template.json")

// TestLoginIsServerless compares the template with what serverless.yml becomes.
func TestLoginIsServerless(t *testing.T) {
	t.Parallel()
	tool, err := filepath.Abs("../../../node_modules/.bin/osls")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tool); errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("osls is not installed: npm ci")
	}
	folder := t.TempDir()
	for _, name := range []string{"serverless.yml", "gatehouse.yml"} {
		text, err := os.ReadFile("../../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, name), text)
		for _, zip := range regexp.MustCompile(`artifact: (dist/[a-z]+\.zip)`).FindAllSubmatch(text, -1) {
			write(t, filepath.Join(folder, string(zip[1])), []byte("PK\x05\x06"+strings.Repeat("\x00", 18)))
		}
	}
	write(t, filepath.Join(folder, ".env"), []byte(strings.Join(plain.Variables(), "\n")))
	cmd := exec.CommandContext(t.Context(), tool, "package", "--stage", plain.Stage, "--region", "eu-west-3")
	cmd.Dir = folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "SLS_TELEMETRY_DISABLED=1"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	packaged, err := os.ReadFile(filepath.Join(folder, ".serverless", "cloudformation-template-update-stack.json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := plain.Parametrize(packaged)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		write(t, "login.template.json", got)
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
	if _, err := os.Stat("../../../node_modules/@aws/cloudformation-validate"); errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("the validator is not installed: npm ci")
	}
	cmd := exec.CommandContext(t.Context(), "node", ".ci/validate.mjs", "internal/deploy/plain/login.template.json")
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

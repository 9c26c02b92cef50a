package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestArrows(t *testing.T) {
	for _, b := range broken(list(t), arrows, light) {
		t.Error(b)
	}
}

// list asks the go command for every package of the module and all they reach.
func list(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-e", "-json=ImportPath,Name,Standard,Deps", "./...")
	cmd.Dir = "../.."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	packages := map[string]pkg{}
	for in := json.NewDecoder(out); ; {
		var p pkg
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	return packages
}

// TestCheckerFindsBrokenArrows plants each way in which an arrow can break.
func TestCheckerFindsBrokenArrows(t *testing.T) {
	ours := func(name string) string { return module + "/" + name }
	packages := map[string]pkg{}
	add := func(p pkg) { packages[p.ImportPath] = p }
	add(pkg{ImportPath: "net/http", Standard: true})
	add(pkg{ImportPath: "github.com/aws/aws-sdk-go-v2/service/kms"})
	add(pkg{ImportPath: "github.com/aws/aws-sdk-go-v2x"})
	add(pkg{ImportPath: "example.com/keys"})
	add(pkg{ImportPath: ours("keys"), Deps: []string{"net/http"}})
	add(pkg{ImportPath: ours("internal/testrig/fake")})
	add(pkg{ImportPath: ours("keys/keystest"), Deps: []string{ours("internal/testrig/fake")}})
	add(pkg{ImportPath: ours("keys/jwks"), Deps: []string{ours("internal/testrig/fake")}})
	add(pkg{ImportPath: ours("authorizer"), Deps: []string{"github.com/aws/aws-sdk-go-v2/service/kms", "github.com/aws/aws-sdk-go-v2x"}})
	add(pkg{ImportPath: ours("authorizer/policy"), Deps: []string{"example.com/keys"}})
	add(pkg{ImportPath: ours("authorizerette"), Deps: []string{ours("keys")}})
	add(pkg{ImportPath: ours("identity"), Deps: []string{"net/http", ours("keys")}})
	add(pkg{ImportPath: ours("cmd/loginsvc"), Name: "main", Deps: []string{ours("keys/keystest")}})
	add(pkg{ImportPath: ours("cmd/gatehouse"), Name: "main", Deps: []string{ours("keys/keystest")}})

	got := broken(packages,
		[]arrow{
			{of("authorizer/..."), of(awsSDK, "keys"), "a"},
			{of("keys"), of("net/http"), "b"},
			{of(lambdaMain), of(anyTest), "c"},
			{of("kyes"), of("net/http"), "d"},
			{of("keys/..."), of("internal/testrig/..."), "f"},
		},
		[]arrow{{of("identity"), of("identity"), "e"}})
	want := []string{
		ours("authorizer") + " reaches github.com/aws/aws-sdk-go-v2/service/kms: a",
		ours("cmd/loginsvc") + " reaches " + ours("keys/keystest") + ": c",
		ours("identity") + " reaches " + ours("keys") + ": e",
		ours("keys") + " reaches net/http: b",
		ours("keys/jwks") + " reaches " + ours("internal/testrig/fake") + ": f",
		`no package is "kyes": the arrow guards nothing`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

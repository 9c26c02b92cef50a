package lambdazip_test

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/lambdazip"
)

// module writes a module whose files are given, with a stand-in for the Lambda
// runtime, and returns its folder.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	files["go.mod"] = "module example.com/m\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go v1.0.0\n\nreplace github.com/aws/aws-lambda-go => ./runtime\n"
	files["runtime/go.mod"] = "module github.com/aws/aws-lambda-go\n\ngo 1.26\n"
	files["runtime/lambda/lambda.go"] = "package lambda\n\nfunc Start(any) {}\n"
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const function = "package main\n\nimport \"github.com/aws/aws-lambda-go/lambda\"\n\nfunc main() { lambda.Start(nil) }\n"

func TestBuild(t *testing.T) {
	root := module(t, map[string]string{
		"cmd/authorizer/main.go":   function,
		"cmd/gatehouse/main.go":    "package main\n\nfunc main() {}\n",
		"examples/notes/main.go":   function,
		"functions/orders/main.go": function,
		"other/main.go":            function,
	})
	build := func(out string) []lambdazip.Artifact {
		got, err := lambdazip.Build(t.Context(), lambdazip.Config{Root: root, Out: filepath.Join(root, out),
			Files: func(function string) ([]lambdazip.File, error) {
				if function == "notes" {
					return nil, nil
				}
				return []lambdazip.File{{Name: "policy.json", Data: []byte("[]")}}, nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := build("dist")
	if len(got) != 3 || got[0].Function != "authorizer" || got[1].Function != "notes" || got[2].Function != "orders" {
		t.Fatalf("built %v", got)
	}
	first, second := read(t, got[0].Path), read(t, build("again")[0].Path)
	if !bytes.Equal(first, second) || got[0].Size != int64(len(first)) {
		t.Error("the same sources gave other bytes")
	}
	z, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name+" "+f.Mode().String())
	}
	if diff := cmp.Diff([]string{"bootstrap -rwxr-xr-x", "policy.json -rw-r--r--"}, names); diff != "" {
		t.Error(diff)
	}
	program, err := z.Open("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(program)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := elf.NewFile(bytes.NewReader(raw))
	if err != nil || binary.Machine != elf.EM_AARCH64 || binary.Section(".debug_info") != nil {
		t.Errorf("%v, %v", binary, err)
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"nothing to build":      {map[string]string{"cmd/a/main.go": "package main\n\nfunc main() {}\n", "examples/b/b.go": "package b\n"}, "no Lambda function"},
		"two of one name":       {map[string]string{"cmd/a/main.go": function, "examples/a/main.go": function}, "rename one"},
		"what does not compile": {map[string]string{"cmd/a/main.go": function + "func f() int {}\n", "examples/b/b.go": "package b\n"}, "missing return"},
	} {
		t.Run(name, func(t *testing.T) {
			root := module(t, tc.files)
			_, err := lambdazip.Build(t.Context(), lambdazip.Config{Root: root, Out: filepath.Join(root, "dist")})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("a file that cannot be made", func(t *testing.T) {
		root, broken := module(t, map[string]string{"cmd/a/main.go": function, "examples/b/b.go": "package b\n"}), errors.New("broken")
		_, err := lambdazip.Build(t.Context(), lambdazip.Config{Root: root, Out: root,
			Files: func(string) ([]lambdazip.File, error) { return nil, broken }})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
}

func TestZipRefusesTwins(t *testing.T) {
	if _, err := lambdazip.Zip([]lambdazip.File{{Name: "a"}, {Name: "b"}, {Name: "a"}}); err == nil {
		t.Error("two files of one name")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

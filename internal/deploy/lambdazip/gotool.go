package lambdazip

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// runtimePackage is what makes a program a Lambda function.
const runtimePackage = "github.com/aws/aws-lambda-go/lambda"

// tags leaves the runtime of go1.x out, which needs net/rpc.
const tags = "lambda.norpc"

// function is a main package that Lambda can run.
type function struct {
	ImportPath string
	Name       string // "main", or it is none
	Imports    []string
}

func (f function) name() string { return path.Base(f.ImportPath) }

// folders are where functions are looked for.
var folders = []string{"cmd", "examples", "functions"}

// find returns the functions under the usual folders, by name. A new folder is
// found without being told of.
func find(ctx context.Context, cfg Config) ([]function, error) {
	list := []string{"list", "-e", "-tags", tags, "-json=ImportPath,Name,Imports"}
	none := len(list)
	for _, folder := range folders {
		if info, err := os.Stat(filepath.Join(cfg.Root, folder)); err == nil && info.IsDir() {
			list = append(list, "./"+folder+"/...")
		}
	}
	if len(list) == none {
		return nil, nil
	}
	out, err := run(ctx, cfg, list...)
	if err != nil {
		return nil, err
	}
	var functions []function
	seen := make(map[string]string)
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var f function
		err := decoder.Decode(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading go list: %w", err)
		}
		if f.Name != "main" || !slices.Contains(f.Imports, runtimePackage) {
			continue
		}
		if other, ok := seen[f.name()]; ok {
			return nil, fmt.Errorf("%s and %s would both be %s.zip: rename one", other, f.ImportPath, f.name())
		}
		seen[f.name()] = f.ImportPath
		functions = append(functions, f)
	}
	slices.SortFunc(functions, func(a, b function) int { return strings.Compare(a.name(), b.name()) })
	return functions, nil
}

// compile builds the functions into dir, each under its name.
func compile(ctx context.Context, cfg Config, functions []function, dir string) error {
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", tags, "-ldflags", "-s -w -buildid=", "-o", dir + "/"}
	for _, f := range functions {
		args = append(args, f.ImportPath)
	}
	_, err := run(ctx, cfg, args...)
	return err
}

// run runs the go command for Lambda's system. Its error is what it says.
func run(ctx context.Context, cfg Config, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = cfg.Root
	cmd.Env = append(cmd.Environ(), "GOOS=linux", "GOARCH="+cfg.Arch, "CGO_ENABLED=0", "GOFLAGS="+cfg.flags)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

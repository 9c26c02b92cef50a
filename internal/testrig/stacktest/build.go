package stacktest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/program"
)

// Build compiles every program under cmd and examples for this machine, into
// folder, each under the name of its function, as [program.Build] does.
func Build(ctx context.Context, folder string) error {
	root, err := root()
	if err != nil {
		return err
	}
	list := exec.CommandContext(ctx, "go", "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`, "./cmd/...", "./examples/...")
	list.Dir = root
	mains, err := list.Output()
	if err != nil {
		return fmt.Errorf("looking for functions: %w", err)
	}
	return program.Build(ctx, root, folder, strings.Fields(string(mains))...)
}

// root returns the folder that has serverless.yml, this one or one above it.
func root() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "serverless.yml")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("no serverless.yml in this folder or above it")
		}
		folder = parent
	}
}

// Package program builds the programs that tests run. Test programs share what is
// linked, as the go command lets them share what is compiled.
package program

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/artifact"
)

// Build compiles main packages for this machine, into folder, each under the last
// element of its path. The packages are given as to the go command in dir. Flags of
// the zips that would have everything compiled a second time are left out.
//
// The go command decides what has to be linked again: it compares the programs of
// the last time with their sources. So no old program passes for a new one.
func Build(ctx context.Context, dir, folder string, packages ...string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(module(dir))))
	shared, unlock, err := artifact.Lock("programs", key)
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.MkdirAll(shared, 0o700); err != nil {
		return err
	}
	args := []string{"build", "-buildvcs=false", "-tags", "lambda.norpc", "-o", shared + string(filepath.Separator)}
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %v: %w\n%s", packages, err, out)
	}
	for _, p := range packages {
		name := filepath.Base(filepath.Join(dir, p))
		if err := copyProgram(filepath.Join(folder, name), filepath.Join(shared, name)); err != nil {
			return err
		}
	}
	return nil
}

// module returns the folder of dir's go.mod, or dir if there is none.
func module(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// copyProgram puts a copy at to, in place of what is there. A program that runs from
// there goes on.
func copyProgram(to, from string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}

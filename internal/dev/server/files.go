package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/gatehouse-auth/gatehouse"
)

const builtIn = " (built in)"

func isBuiltIn(name string) bool { return strings.HasSuffix(name, builtIn) }

// readOr returns the file at path, which flag names. With path "" it is the one
// of the usual name in this folder or, where there is none, the one that was
// built in.
func readOr(path, usual, flag string) (name string, text []byte, err error) {
	if path != "" {
		text, err = os.ReadFile(path)
		if err != nil {
			return "", nil, fmt.Errorf("%s: %w", flag, err)
		}
		return path, text, nil
	}
	text, err = os.ReadFile(usual)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = gatehouse.Files.ReadFile(usual)
		return usual + builtIn, text, err
	}
	if err != nil {
		return "", nil, fmt.Errorf("%w: choose another with %s", err, flag)
	}
	return usual, text, nil
}

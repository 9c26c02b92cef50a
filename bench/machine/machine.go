// Package machine says on what figures were taken.
package machine

import (
	"context"
	"os"
	"os/exec"
	"strings"
)

// Line is the versions of Go and Node on the PATH and the machine's load average,
// or what is wrong with one of them.
func Line(ctx context.Context) string {
	return version(ctx, "go", "version") + ", Node " + version(ctx, "node", "--version") + ", " + Load()
}

// Load is the machine's load average.
func Load() string {
	load, _ := os.ReadFile("/proc/loadavg") // a missing one prints nothing
	return "load average " + strings.TrimSpace(string(load))
}

func version(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return name + ": " + err.Error()
	}
	return strings.TrimSpace(string(out))
}

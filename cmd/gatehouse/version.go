package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCommand struct {
	outputFlag
}

// build says which program this is.
type build struct {
	Version  string `json:"version"` // "v0.2.0", or "(devel)" of a checkout
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// released is set by the build of a release, with -ldflags -X.
var released string

// version returns what the Go command wrote into this program.
func version() build {
	out := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if ok && info.Main.Version != "" {
		out.Version = info.Main.Version
	}
	if released != "" {
		out.Version = released
	}
	if ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				out.Revision = s.Value
			}
		}
	}
	return out
}

// Run prints the version.
func (c *versionCommand) Run(w *process) error {
	v := version()
	if c.json() {
		return w.printJSON(v)
	}
	_, err := fmt.Fprintf(w.stdout, "gatehouse %s %s %s\n", v.Version, v.Go, v.Platform)
	return err
}

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts of testdata/script, and the blocks of README.md, run
// this program as a program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gatehouse": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"dev": startDev, "stop": stopDev, "crash": crashDev, "exits": exits,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[devKey{}] = map[string]*running{}
			return nil
		},
		RequireExplicitExec: true,
	})
}

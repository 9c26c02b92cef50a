package main

import "github.com/gatehouse-auth/gatehouse/internal/env"

// stageFlags say for which stage a command works, and so from which file it reads
// variables.
type stageFlags struct {
	Stage string `placeholder:"NAME" help:"Read variables from .env.NAME or, where there is none, from .env, as osls does."`
	Env   string `placeholder:"FILE" help:"Read variables from this file instead."`
}

// getenv returns the environment extended by the file, and the file's name: "" if none
// was read.
func (f stageFlags) getenv(w *process) (getenv func(string) string, file string, err error) {
	file = f.Env
	if file == "" && f.Stage != "" {
		if file, err = env.OfStage(".", f.Stage); err != nil {
			return nil, "", usageError("--stage: " + err.Error())
		}
	}
	getenv, err = withFile(w.getenv, file)
	return getenv, file, err
}

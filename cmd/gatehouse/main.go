// Gatehouse runs the whole system on this machine, and helps to run it elsewhere.
package main

import (
	"os"
	"time"
)

func main() {
	os.Exit(run(os.Args[1:], &process{
		started: time.Now(), stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, self: self(os.Args[0]), colour: colour(os.Stdout, os.Getenv),
	}))
}

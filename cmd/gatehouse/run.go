package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// commands is the command line.
type commands struct {
	Dev     devCommand     `cmd:"" help:"Run the whole system on this machine, with a demo provider to sign in at."`
	Token   tokenCommand   `cmd:"" help:"Sign in at a running gatehouse dev without a browser, and print the access token."`
	Explain explainCommand `cmd:"" help:"Say what the authorizer answers for a token and a route, and why."`
	Keys    keysCommand    `cmd:"" help:"Show, rotate and retire the signing keys."`
	Login   loginCommand   `cmd:"" help:"Sign in at a deployment as an admin, for the commands that change users."`
	Logout  logoutCommand  `cmd:"" help:"End the session of gatehouse login."`
	Users   usersCommand   `cmd:"" help:"Show and change users, their roles and their status, over HTTP."`
	Clients clientsCommand `cmd:"" help:"Register apps in the table, and change their secrets."`

	Table   tableCommand   `cmd:"" help:"Make the table where DynamoDB is emulated."`
	Init    initCommand    `cmd:"" help:"Write a gatehouse.yml and, if asked, a first function with its test into this folder."`
	Package packageCommand `cmd:"" help:"Build the zips that are deployed."`
	Doctor  doctorCommand  `cmd:"" help:"Look for what is wrong with the configuration, the package and a running service."`
	Version versionCommand `cmd:"" help:"Print the version of this program."`
	Smoke   smokeCommand   `cmd:"" help:"Try a running stack: who is refused, who is answered, and whether tokens verify."`
}

// process is what a command sees of the process it runs in.
type process struct {
	started        time.Time // of the process
	stdout, stderr io.Writer
	getenv         func(string) string
	self           string // how people call this program
	colour         bool   // stdout is a terminal that shows it
}

// The exit codes.
const (
	exitFailed  = 1 // it did not work, or something is wrong
	exitUsage   = 2 // it was asked the wrong way
	exitRefused = 3 // explain: the token does not open the route
)

// usageError says what is missing on the command line, where the parser cannot tell.
type usageError string

func (e usageError) Error() string { return string(e) }

// run does what args say and returns the exit code. Errors go to
// stderr, with the fix where there is one.
func run(args []string, w *process) int {
	parser, err := kong.New(&commands{}, kong.Name("gatehouse"), kong.Writers(w.stdout, w.stderr), kong.Bind(w),
		kong.Description("The login service a Go team owns, in its own AWS account."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.UsageOnError())
	if err != nil {
		return w.fail(err, exitFailed)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		if usage, ok := errors.AsType[*kong.ParseError](err); ok {
			return w.fail(fmt.Errorf("%w (see %s --help)", usage, w.self), exitUsage)
		}
		return w.fail(err, exitUsage)
	}
	err = ctx.Run()
	usage, isUsage := errors.AsType[usageError](err)
	switch {
	case isUsage:
		return w.fail(fmt.Errorf("%s (see %s --help)", usage, w.self), exitUsage)
	case errors.Is(err, errRefused): // the command has printed it
		return exitRefused
	case err != nil:
		return w.fail(err, exitFailed)
	}
	return 0
}

func (w *process) fail(err error, code int) int {
	fmt.Fprintf(w.stderr, "gatehouse: %v\n", err)
	return code
}

// self tells how people call this program: `go run` puts it into a folder of
// its own.
func self(path string) string {
	if strings.Contains(path, "go-build") {
		return "go run ./cmd/gatehouse"
	}
	return filepath.Base(path)
}

// colour tells whether out is a terminal whose user has nothing against colours
// (see no-color.org).
func colour(out *os.File, getenv func(string) string) bool {
	info, err := out.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

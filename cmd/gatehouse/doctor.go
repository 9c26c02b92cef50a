package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/doctor"
)

type doctorCommand struct {
	URL      string `name:"url" placeholder:"URL" help:"Also examine the service that runs at this issuer."`
	Config   string `default:"gatehouse.yml" placeholder:"FILE" help:"The configuration (${default})."`
	Template string `placeholder:"FILE" help:"The routes and resources (serverless.yml here; where there is none, the built-in one)."`
	Packaged string `default:".serverless/cloudformation-template-update-stack.json" placeholder:"FILE" help:"The packaged template, or any other of CloudFormation in JSON (${default})."`
	Dist     string `default:"dist" placeholder:"DIR" help:"The folder of the zips (${default})."`
	stageFlags
	Deploy bool `help:"Look for what a deployment needs too: a region."`
	outputFlag
}

// Run examines what is here and, with an address, what runs there. Anything wrong
// is an error.
func (c *doctorCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	getenv, file, err := c.getenv(w)
	if err != nil {
		return err
	}
	r := doctor.Files(doctor.Inputs{Config: c.Config, Template: c.Template, Packaged: c.Packaged, Dist: c.Dist, Getenv: getenv, Deploy: c.Deploy})
	if file != "" {
		r.Facts = append(r.Facts, "variables come from "+file+" too")
	}
	if c.URL != "" {
		r.Add(doctor.Live(ctx, strings.TrimSpace(c.URL)))
	}
	if err := c.print(w, r); err != nil {
		return err
	}
	if n := r.Wrong(); n > 0 {
		return fmt.Errorf("%d to repair", n)
	}
	return nil
}

func (c *doctorCommand) print(w *process, r *doctor.Report) error {
	if c.json() {
		return w.printJSON(r)
	}
	for _, f := range r.Findings {
		fmt.Fprintln(w.stdout, f)
	}
	for _, fact := range r.Facts {
		fmt.Fprintf(w.stdout, "known  %s\n", fact)
	}
	if r.Wrong() == 0 {
		fmt.Fprintln(w.stdout, "nothing is wrong")
	}
	return nil
}

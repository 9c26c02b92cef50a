package doctor

import (
	"errors"
	"io/fs"
	"os"

	"github.com/gatehouse-auth/gatehouse"
)

// Inputs are the files to examine, by their paths.
type Inputs struct {
	Config   string // gatehouse.yml
	Template string // serverless.yml; "": the one of this folder, else the built-in one
	Packaged string // a CloudFormation template; "" or absent: not examined
	Dist     string // the folder of the zips

	Getenv func(string) string // GATEHOUSE_ISSUER and the like; nil: none are set
	Deploy bool                // it is about to be deployed from here
}

// Files examines a deployment that is still on this machine, without network.
func Files(in Inputs) *Report {
	if in.Getenv == nil {
		in.Getenv = func(string) string { return "" }
	}
	r := &Report{}
	text, err := os.ReadFile(in.Config)
	if err != nil {
		r.wrong("file", in.Config, "%v", err)
		return r
	}
	c := r.configuration(in.Config, text, in.Getenv)
	builtIn, text, err := in.template()
	if err != nil {
		r.wrong("file", in.Template, "%v", err)
		return r
	}
	s := r.source(in, text, builtIn)
	if s != nil && !s.login() {
		r.drop("provider-none", "client-none", "role-never") // the login service is elsewhere
	}
	r.certificate(in)
	if in.Deploy && region(in.Getenv) == "" {
		r.wrong("region-missing", in.Template, "no region is said, and none is assumed: write AWS_REGION=… into .env, or export it; with a certificate, it is that of the certificate")
	}
	packaged := r.packaged(in, c)
	r.openRoutes(in.Template, s, rulesOf(c))
	if c != nil {
		r.rules(in, c, s, packaged)
		r.waive(in.Config, c.Doctor.Ignore)
	}
	return r
}

const usualTemplate = "serverless.yml"

// template returns the text of serverless.yml, and whether it is the built-in one.
func (in *Inputs) template() (builtIn bool, text []byte, err error) {
	if in.Template != "" {
		text, err = os.ReadFile(in.Template)
		return false, text, err
	}
	in.Template = usualTemplate
	if text, err = os.ReadFile(usualTemplate); errors.Is(err, fs.ErrNotExist) {
		in.Template += " (built in)"
		text, err = gatehouse.Files.ReadFile(usualTemplate)
		return true, text, err
	}
	return false, text, err
}

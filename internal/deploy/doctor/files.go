package doctor

import "os"

// Inputs are the files to examine, by their paths.
type Inputs struct {
	Config   string // gatehouse.yml
	Template string // serverless.yml
	Packaged string // what serverless.yml became; "" or absent: not examined
	Dist     string // the folder of the zips

	Getenv func(string) string // GATEHOUSE_ISSUER and the like; nil: none are set
	Deploy bool                // it is about to be deployed from here
}

// Files examines a deployment that is still on this machine. It asks nobody.
func Files(in Inputs) *Report {
	if in.Getenv == nil {
		in.Getenv = func(string) string { return "" }
	}
	r := &Report{}
	text, err := os.ReadFile(in.Config)
	if err != nil {
		r.wrong(in.Config, "%v", err)
		return r
	}
	c := r.configuration(in.Config, text, in.Getenv)
	if text, err = os.ReadFile(in.Template); err != nil {
		r.wrong(in.Template, "%v", err)
		return r
	}
	r.source(in.Template, text, c)
	if in.Deploy && in.Getenv("AWS_REGION") == "" && in.Getenv("AWS_DEFAULT_REGION") == "" {
		r.wrong(in.Template, "no region is said, and none is assumed: write AWS_REGION=… into .env, or export it; with a certificate, it is that of the certificate")
	}
	if in.Packaged != "" {
		r.packaged(in, c)
	}
	return r
}

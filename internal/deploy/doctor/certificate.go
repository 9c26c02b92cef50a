package doctor

import (
	"cmp"
	"regexp"
)

// certificateARN is the ARN of a certificate of ACM, with its Region.
var certificateARN = regexp.MustCompile(`^arn:aws[a-z-]*:acm:([a-z0-9-]+):\d{12}:certificate/[A-Za-z0-9-]+$`)

// certificate wants the certificate of the domain to be one of ACM, in the Region
// of the stack: API Gateway takes no other.
func (r *Report) certificate(in Inputs) {
	arn := in.Getenv("GATEHOUSE_CERTIFICATE")
	if arn == "" {
		return
	}
	found := certificateARN.FindStringSubmatch(arn)
	switch own := region(in.Getenv); {
	case found == nil:
		r.wrong("certificate-region", "GATEHOUSE_CERTIFICATE", "%q is no certificate of ACM: want the ARN that ACM gives it, with its Region and /certificate/ID", arn)
	case own != "" && found[1] != own:
		r.wrong("certificate-region", "GATEHOUSE_CERTIFICATE", "the certificate is in %s and the stack in %s, so the deployment fails: request one in %s", found[1], own, own)
	}
}

// region returns the Region that the environment names.
func region(getenv func(string) string) string {
	return cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"))
}

package template

import (
	"fmt"
	"net/url"
	"strings"
)

// checkDomain wants a custom domain, where a certificate asks for one, to have an
// issuer that it can be reached at.
func (t *Template) checkDomain() error {
	var issuer string
	for _, f := range t.Functions() {
		if f.Name == "authorizer" {
			issuer = f.Env["GATEHOUSE_ISSUER"].text()
		}
	}
	return t.each("AWS::ApiGatewayV2::DomainName", func(_ string, r *Resource) error {
		given := false
		for _, c := range r.Properties.At("DomainNameConfigurations").List() {
			given = given || c.At("CertificateArn").String() != ""
		}
		u, err := url.Parse(issuer)
		switch {
		case !given:
			return nil // its condition is false
		case issuer == "" || err != nil:
			return fmt.Errorf("GATEHOUSE_CERTIFICATE is set, and the issuer is the address that AWS gives the API: set GATEHOUSE_ISSUER to the host of the certificate")
		case strings.Count(u.Path, "/") > 1:
			return fmt.Errorf("the issuer %s has a path of several segments: with GATEHOUSE_CERTIFICATE it may have one", issuer)
		}
		return nil
	})
}

package template

import (
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// checkDomain wants a custom domain, where there is a certificate, to have an issuer
// at which it can be reached, and to be the only address of the API.
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
			given = given || c.At("CertificateArn").text() != "" // a parameter is unknown here
		}
		u, err := url.Parse(issuer)
		switch {
		case !given:
			return nil // its condition is false
		case issuer == "" || err != nil:
			return fault.New("domain-issuer", "GATEHOUSE_CERTIFICATE is set, and the issuer is the address that AWS gives the API: set GATEHOUSE_ISSUER to the host of the certificate")
		case strings.Count(u.Path, "/") > 1:
			return fault.New("domain-issuer", "the issuer %s has a path of several segments: with GATEHOUSE_CERTIFICATE it may have one", issuer)
		case !t.closed():
			return fault.New("domain-open", "the address that AWS gives the API is open beside the domain: set DisableExecuteApiEndpoint")
		}
		return nil
	})
}

// closed tells whether every API refuses requests at the address that AWS gives it,
// at least where there is a certificate.
func (t *Template) closed() bool {
	for _, r := range t.Resources {
		if r.Type != "AWS::ApiGatewayV2::Api" {
			continue
		}
		off := r.Properties.At("DisableExecuteApiEndpoint")
		choice := off.At("Fn::If").List()
		if !off.Is(true) && (len(choice) != 3 || !choice[0].Is("HasCertificate") || !choice[1].Is(true)) {
			return false
		}
	}
	return true
}

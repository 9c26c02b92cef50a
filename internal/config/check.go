package config

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// check refuses what is spelt right and still cannot work.
func (c *Config) check(d *document) {
	c.checkIssuer(d)
	c.checkBrand(d)
	c.checkProviders(d)
	c.checkAdmins(d)
	c.checkProxy(d)
	c.checkLifetimes(d)
	c.checkClients(d)
	c.checkAccess(d)
	c.checkIssuers(d)
	c.checkResources(d)
}

func (c *Config) checkIssuer(d *document) {
	if c.Issuer == "" {
		d.refuse("issuer", "not set: write the address of the login service, such as https://auth.example.com, or set GATEHOUSE_ISSUER")
	} else if err := env.CheckURL(c.Issuer); err != nil {
		d.refuse("issuer", "%v", err)
	}
	if err := client.CheckAudience(c.Audience, c.Issuer); err != nil {
		d.refuse("audience", "%v", err)
	}
}

var colour = regexp.MustCompile(`^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$`)

// checkShown refuses a name for people that has characters they cannot see.
func checkShown(d *document, path, name string) {
	if plaintext.HasHidden(name) {
		d.refuse(path, "%+q has a character that people cannot see, or that turns text around: type the name again", name)
	}
}

func (c *Config) checkBrand(d *document) {
	checkShown(d, "brand.name", c.Brand.Name)
	for key, value := range map[string]string{"accent": c.Brand.Accent, "background": c.Brand.Background, "text": c.Brand.Text} {
		_, written := d.lines["brand."+key]
		if (value != "" || written) && !colour.MatchString(value) {
			d.refuse("brand."+key, "want a colour such as \"#1f6feb\" (in quotes, because # begins a comment), not %q", value)
		}
	}
}

// maxName is the greatest length of a name, in bytes. An expression that counts
// that far takes long to compile, at each start.
const maxName = 100

// identifier is what may stand in a path or a parameter without escaping.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// checkName refuses a name that is missing, malformed or a duplicate.
func checkName(d *document, path, name string, seen map[string]string) bool {
	switch {
	case name == "":
		d.refuse(path, "not set: give it a name")
	case len(name) > maxName || !identifier.MatchString(name):
		d.refuse(path, "want letters, digits, dots, dashes and underscores, not %q", name)
	case seen[name] != "":
		d.refuse(path, "%q is taken by %s", name, seen[name])
	default:
		seen[name] = path
		return true
	}
	return false
}

// headerName is a field name (RFC 9110, Section 5.1) of letters, digits and dashes.
var headerName = regexp.MustCompile(`^[A-Za-z0-9-]{1,100}$`)

func (c *Config) checkProxy(d *document) {
	p := c.Proxy
	if _, said := d.lines["proxy"]; !said {
		return
	}
	for _, key := range []struct{ name, value, want string }{
		{"address_header", p.AddressHeader, "the header with the address of the client, such as CloudFront-Viewer-Address"},
		{"secret_header", p.SecretHeader, "a header that only your proxy sets, such as X-Gatehouse-Proxy"},
	} {
		if key.value == "" {
			d.refuse("proxy", "want %s: %s", key.name, key.want)
		} else if !headerName.MatchString(key.value) {
			d.refuse("proxy."+key.name, "want the name of a header, not %q", key.value)
		}
	}
	if p.SecretEnv == "" {
		d.refuse("proxy", "want secret_env, the variable with the secret that your proxy sends: without it anyone could name an address")
	}
	if strings.EqualFold(p.AddressHeader, "X-Forwarded-For") {
		d.refuse("proxy.address_header", "is a list that any client can add to: want a header with one address that your proxy overwrites")
	}
	if p.AddressHeader != "" && strings.EqualFold(p.AddressHeader, p.SecretHeader) {
		d.refuse("proxy.secret_header", "is the header with the address: name another one")
	}
}

func (c *Config) checkAdmins(d *document) {
	for i, admin := range c.Admins {
		a, err := mail.ParseAddress(admin)
		if err != nil || a.Address != admin || a.Name != "" {
			d.refuse(fmt.Sprintf("admins[%d]", i+1), "want an e-mail address such as ada@example.com, not %q", admin)
		}
	}
}

func (c *Config) checkLifetimes(d *document) {
	within := func(key string, got, least, most time.Duration) {
		if got < least || got > most {
			d.refuse("lifetimes."+key, "want %v to %v, not %v", least, most, got)
		}
	}
	l := c.Lifetimes
	const day = 24 * time.Hour
	within("access_token", l.AccessToken, time.Minute, time.Hour)
	within("code", l.Code, 10*time.Second, time.Minute)
	within("session", l.Session, 5*time.Minute, 400*day)
	within("session_idle", l.SessionIdle, 5*time.Minute, 400*day)
	within("refresh_token", l.RefreshToken, 5*time.Minute, 400*day)
	within("refresh_idle", l.RefreshIdle, 5*time.Minute, 400*day)
	if g := c.RefreshGrace; g < client.MinGrace || g > client.MaxGrace {
		d.refuse("refresh_grace", "want %v to %v for all clients, not %v; a client with a secret can have up to %v by a key of its own", client.MinGrace, client.MaxGrace, g, client.MaxGraceConfidential)
	}
	for _, span := range []struct {
		key         string
		idle, whole time.Duration
		of          string
	}{
		{"session_idle", l.SessionIdle, l.Session, "session"},
		{"refresh_idle", l.RefreshIdle, l.RefreshToken, "life"},
	} {
		if _, said := d.lines["lifetimes."+span.key]; said && span.idle > span.whole {
			d.refuse("lifetimes."+span.key, "is longer than the whole %s of %v", span.of, span.whole)
		}
	}
}

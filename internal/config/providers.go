package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream/preset"
)

func (c *Config) checkProviders(d *document) {
	seen := map[string]string{}
	for i, p := range c.Providers {
		at := fmt.Sprintf("providers[%d]", i+1)
		checkName(d, at+".id", p.ID, seen)
		if _, known := preset.All[p.Kind()]; !known {
			presets := slices.Sorted(maps.Keys(preset.All))
			d.refuse(at+".preset", "want one of %s, not %q%s", strings.Join(presets, ", "), p.Kind(), suggest(p.Kind(), presets))
			continue
		}
		c.checkUpstream(d, at, p)
		if p.ClientID == "" && p.ClientIDEnv == "" {
			d.refuse(at, "want client_id, the id that %s gave you, or client_id_env, the variable that holds it", p.Name)
		}
		_, literal := d.lines[at+".client_id"]
		if literal && p.ClientIDEnv != "" {
			d.refuse(at+".client_id", "the id is in %s already: take one of the two out", p.ClientIDEnv)
		}
		if len(p.Scopes) > 0 && !slices.Contains(p.Scopes, "openid") && !preset.All[p.Kind()].OAuth2 {
			d.refuse(at+".scopes", "want openid among them: without it there is no ID token")
		}
		if p.HostedDomain != "" && (strings.ContainsAny(p.HostedDomain, "@/ :") || !strings.Contains(p.HostedDomain, ".")) {
			d.refuse(at+".hosted_domain", "want a domain such as example.com, not %q", p.HostedDomain)
		}
		checkOwnKeys(d, at, p)
		checkWords(d, at, p)
		checkTrust(d, at, p)
	}
}

func (c *Config) checkUpstream(d *document, at string, p Provider) {
	if p.Kind() == "microsoft" {
		checkTenant(d, at, p)
	}
	if strings.Contains(p.Issuer, "{") {
		d.refuse(at+".issuer", "is a template: want preset: microsoft and tenant: with the id of your tenant, organizations or common")
		return
	}
	if p.Issuer == "" {
		switch {
		case p.Kind() == "microsoft", p.ID == "":
		case preset.All[p.Kind()].OAuth2:
			d.refuse(at, "want issuer, a URL that names this provider in every identity, such as its home page")
		case p.Kind() == "oidc":
			d.refuse(at, "unknown provider %q%s (or say where it is, with issuer: https://…)", p.ID, suggest(p.ID, withIssuer()))
		default:
			d.refuse(at, "want issuer, where this provider is")
		}
		return
	}
	// Others' issuers are spelt as they spell them: some do end in a slash.
	if err := env.CheckURL(strings.TrimSuffix(p.Issuer, "/")); err != nil {
		d.refuse(at+".issuer", "%v", err)
	}
	if p.Issuer == c.Issuer {
		d.refuse(at+".issuer", "is this service itself: want the provider at which people have their accounts")
	}
	if preset.SeveralTenants(p.Issuer) && p.Kind() != "microsoft" {
		d.refuse(at+".issuer", "stands for several tenants: want preset: microsoft, and tenant instead of issuer")
	}
}

// withIssuer are the presets that need no issuer in the file.
func withIssuer() []string {
	var names []string
	for name, known := range preset.All {
		if known.Issuer != "" {
			names = append(names, name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

func checkTenant(d *document, at string, p Provider) {
	_, own := d.lines[at+".issuer"]
	switch {
	case own && p.Tenant != "":
		d.refuse(at+".issuer", "comes from tenant: take one of the two out")
	case own:
	case p.Tenant == "":
		d.refuse(at, "want tenant: the id of your tenant (a GUID), organizations (work and school accounts) or common (personal ones, too)")
	case !preset.GUID.MatchString(p.Tenant) && !preset.SeveralTenants(preset.MicrosoftIssuer(p.Tenant)):
		d.refuse(at+".tenant", "want a GUID in lower case, organizations, common or consumers, not %q: a domain is not the issuer of its tenant", p.Tenant)
	}
}

// checkOwnKeys refuses keys of one preset at another, and wants those that a preset
// cannot do without.
func checkOwnKeys(d *document, at string, p Provider) {
	for _, key := range []struct{ name, value, preset string }{
		{"tenant", p.Tenant, "microsoft"},
		{"authorization_url", p.AuthorizationURL, "oauth2"}, {"token_url", p.TokenURL, "oauth2"}, {"userinfo_url", p.UserinfoURL, "oauth2"},
		{"team_id", p.TeamID, "apple"}, {"key_id", p.KeyID, "apple"}, {"private_key_env", p.PrivateKeyEnv, "apple"},
		{"hosted_domain", p.HostedDomain, "google"},
	} {
		switch {
		case p.Kind() != key.preset && key.value != "" && !(key.name == "hosted_domain" && p.Kind() == "oidc"):
			d.refuse(at+"."+key.name, "is a key of preset: %s, and this is %s", key.preset, p.Kind())
		case p.Kind() == key.preset && key.value == "" && (key.preset == "apple" || key.preset == "oauth2"):
			d.refuse(at, "want %s", key.name)
		case strings.HasSuffix(key.name, "_url") && key.value != "":
			if err := env.CheckURL(strings.TrimSuffix(key.value, "/")); err != nil {
				d.refuse(at+"."+key.name, "%v", err)
			}
		}
	}
	if p.Kind() == "apple" && p.ClientSecretEnv != "" {
		d.refuse(at+".client_secret_env", "Apple's secret is made from the key: take it out")
	}
	if p.Kind() == "oauth2" && p.Claims[preset.ClaimSubject] == "" {
		d.refuse(at, "want claims with sub: the member of the UserInfo response that names a person for ever, such as {sub: id}")
	}
}

func checkWords(d *document, at string, p Provider) {
	for _, key := range []struct {
		name, value string
		words       []string
	}{
		{"email_verified", p.EmailVerified, []string{preset.VerifiedByClaim, preset.VerifiedAlways, preset.VerifiedNever}},
		{"response_mode", p.ResponseMode, []string{"query", "form_post"}},
		{"nonce", p.Nonce, []string{"off"}},
		{"client_auth", p.ClientAuth, []string{preset.ClientAuthBasic, preset.ClientAuthPost}},
		{"prompt", p.Prompt, []string{"login", "consent", "select_account"}},
	} {
		if key.value != "" && !slices.Contains(key.words, key.value) {
			d.refuse(at+"."+key.name, "want %s, not %q", strings.Join(key.words, " or "), key.value)
		}
	}
	for ours := range p.Claims {
		if !slices.Contains(preset.Renamable, ours) {
			d.refuse(at+".claims."+ours, "want one of %s", strings.Join(preset.Renamable, ", "))
		}
		if ours == preset.ClaimSubject && !preset.All[p.Kind()].OAuth2 {
			d.refuse(at+".claims."+ours, "is sub in every ID token: take it out")
		}
	}
	for name := range p.Parameters {
		if slices.Contains(reserved, name) {
			d.refuse(at+".parameters."+name, "is sent by Gatehouse itself: take it out")
		}
	}
	if _, said := d.lines[at+".timeout"]; said && (p.Timeout < time.Second || p.Timeout > 10*time.Second) {
		d.refuse(at+".timeout", "want 1s to 10s, not %v: the gateway waits no longer", p.Timeout)
	}
}

// reserved are the parameters of an authorization request that are ours.
var reserved = []string{
	"response_type", "client_id", "client_secret", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
	"response_mode", "prompt", "max_age", "login_hint", "request", "request_uri",
}

// checkTrust refuses to call every address verified where several organizations
// write them, because an administrator of each can write any address.
func checkTrust(d *document, at string, p Provider) {
	if p.EmailVerified != preset.VerifiedAlways || !preset.SeveralTenants(p.Issuer) {
		return
	}
	if p.Require["tid"] == "" {
		d.refuse(at+".email_verified", "always means that an administrator of any tenant can be anyone: pin yours, with require: {tid: …}, or name it in tenant")
	}
	if p.TrustEmail {
		d.refuse(at+".trust_email", "needs one tenant, or a provider that says which addresses it has verified: name your tenant in tenant, or take this out")
	}
}

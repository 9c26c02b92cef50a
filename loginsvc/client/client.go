// Package client is what Gatehouse knows about the apps that sign their users
// in with it (OAuth clients): who they are, where they may be sent, and what
// they may ask for.
package client

// Client is a registered client (RFC 6749, Section 2).
type Client struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"` // for people; "" means ID

	// Secret authenticates a confidential client; "" makes it a public one,
	// which has PKCE alone (RFC 6749, Section 2.1).
	Secret Secret `yaml:"secret"`
	// SecretEnv names the variable (in AWS: the SSM parameter) that holds the
	// secret. At most one of Secret and SecretEnv is set.
	SecretEnv string `yaml:"secret_env"`

	// RedirectURIs are where codes may be sent: exact strings; http only for
	// 127.0.0.1 and [::1], on any port (RFC 8252, Section 7.3), and localhost.
	RedirectURIs           []string `yaml:"redirect_uris"`
	PostLogoutRedirectURIs []string `yaml:"post_logout_redirect_uris"`
	Origins                []string `yaml:"origins"` // CORS for /token, /userinfo, /revoke
	Grants                 []string `yaml:"grants"`  // empty: authorization_code alone
	Scopes                 []string `yaml:"scopes"`  // what it may ask for; empty: openid profile email
}

// Public tells whether the client has no secret.
func (c Client) Public() bool { return c.Secret == "" && c.SecretEnv == "" }

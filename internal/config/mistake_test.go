package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/config"
)

// mistakes is one row for each thing that can be wrong: the text, and what the
// person who wrote it is told. Every text is otherwise right.
var mistakes = []struct{ name, text, want string }{
	{"not YAML", "roles: [a\n", "f.yml:1: not YAML: did not find expected ',' or ']'"},
	{"a list at the top", "- a\n", "f.yml:1: want keys and values, not a list"},
	{"a second document", "audience: a\n---\naudience: b\n", "f.yml:2: ---: a second document in the file: only one is read"},
	{"an unknown key", "audience: a\nprovider: []\n", `f.yml:2: provider: unknown key; did you mean "providers"?`},
	{"an unknown key within", "brand:\n  colour: red\n", "f.yml:2: brand.colour: unknown key; known: name, accent, background, text"},
	{"a key twice", "audience: a\naudience: b\n", "f.yml:2: audience: stands here a second time, first in line 1"},
	{"an alias", "admins: &a [ada@example.com]\naudience: *a\n", "f.yml:2: audience: want a text, not an alias (*): write the value out"},
	{"a list for a text", "audience: [a]\n", "f.yml:1: audience: want a text, not a list"},
	{"an empty text", "audience: \"\"\n", "f.yml:1: audience: is empty: give it a value or take the key out"},
	{"a text for a list", "routes: all\n", `f.yml:1: routes: want a list, not "all"`},
	{"a word for a truth", "providers:\n  - {id: google, client_id: a, trust_email: certainly}\n",
		`f.yml:2: providers[1].trust_email: want true or false, not "certainly"`},
	{"a word twice in a list", "admins: [a@b.example, a@b.example]\n", `f.yml:1: admins[2]: "a@b.example" stands here twice`},
	{"an issuer with a slash", "issuer: https://auth.example.com/\n",
		`f.yml:1: issuer: ends in a slash, and verifiers compare byte by byte: write "https://auth.example.com"`},
	{"an issuer without TLS", "issuer: http://auth.example.com\n",
		`f.yml:1: issuer: want https; plain http is only for this machine: write "https://auth.example.com"`},
	{"an audience with a space", "audience: my api\n", `f.yml:1: audience: want a name or URL without spaces, such as https://api.example.com, not "my api"`},
	{"an audience that is the issuer", "audience: https://auth.example.com\n",
		"f.yml:1: audience: is the issuer: a token for your API would be one for the login service: want another name, such as https://api.example.com"},
	{"a brand that turns text around", "brand:\n  name: \"Ga\\u202etehouse\"\n",
		`f.yml:2: brand.name: "Ga\u202etehouse" has a character that people cannot see, or that turns text around: type the name again`},
	{"a client's name with an invisible character", "clients:\n  - id: shop\n    name: \"Sh\\u200bop\"\n    redirect_uris: [https://shop.test/cb]\n",
		`f.yml:3: clients[1].name: has a character that people cannot see, or that turns text around: type the name again`},
	{"a colour by name", "brand:\n  accent: red\n",
		`f.yml:2: brand.accent: want a colour such as "#1f6feb" (in quotes, because # begins a comment), not "red"`},
	{"an unknown provider", "providers:\n  - id: gogle\n    client_id: a\n",
		`f.yml:2: providers[1]: unknown provider "gogle"; did you mean "google"? (or say where it is, with issuer: https://…)`},
	{"a provider without a client id", "providers:\n  - id: google\n",
		"f.yml:2: providers[1]: want client_id, the id that Google gave you, or client_id_env, the variable that holds it"},
	{"a client id twice over", "providers:\n  - id: google\n    client_id: a\n    client_id_env: A\n",
		"f.yml:3: providers[1].client_id: the id is in A already: take one of the two out"},
	{"a provider without openid", "providers:\n  - id: google\n    client_id: a\n    scopes: [email]\n",
		"f.yml:4: providers[1].scopes: want openid among them: without it there is no ID token"},
	{"a provider's id with a slash", "providers:\n  - id: a/b\n    issuer: https://idp.example\n    client_id: a\n",
		`f.yml:2: providers[1].id: want letters, digits, dots, dashes and underscores, not "a/b"`},
	{"two providers of one id", "providers:\n  - {id: google, client_id: a}\n  - {id: google, client_id: b}\n",
		`f.yml:3: providers[2].id: "google" is taken by providers[1].id`},
	{"a provider on plain http", "providers:\n  - {id: a, issuer: http://idp.example, client_id: a}\n",
		`f.yml:2: providers[1].issuer: want https; plain http is only for this machine: write "https://idp.example"`},
	{"ourselves as the provider", "providers:\n  - {id: a, issuer: https://auth.example.com, client_id: a}\n",
		"f.yml:2: providers[1].issuer: is this service itself: want the provider at which people have their accounts"},
	{"a hosted domain with an @", "providers:\n  - {id: google, client_id: a, hosted_domain: \"@example.com\"}\n",
		`f.yml:2: providers[1].hosted_domain: want a domain such as example.com, not "@example.com"`},
	{"an admin who is no e-mail", "admins:\n  - ada\n", `f.yml:2: admins[1]: want an e-mail address such as ada@example.com, not "ada"`},
	{"an admin with a name", "admins:\n  - Ada <ada@example.com>\n",
		`f.yml:2: admins[1]: want an e-mail address such as ada@example.com, not "Ada <ada@example.com>"`},
	{"admins without the role", "roles: [{name: user}]\nadmins: [ada@example.com]\n",
		`f.yml:2: admins: they get the role "admin", and it is not declared: add it to roles`},
	{"everyone an admin", "default_roles: [admin]\n",
		"f.yml:1: default_roles: would make everyone who signs in an admin: name the admins under admins"},
	{"a default role nobody declared", "default_roles: [usr]\n", `f.yml:1: default_roles[1]: unknown role "usr"; did you mean "user"?`},
	{"a role twice", "roles:\n  - name: a\n  - name: a\n", `f.yml:3: roles[2].name: "a" is taken by roles[1].name`},
	{"a role without a name", "roles:\n  - scopes: []\n", "f.yml:2: roles[1].name: not set: give it a name"},
	{"a role with an unknown scope", "roles:\n  - name: a\n    scopes: [x:y]\n", `f.yml:3: roles[1].scopes[1]: unknown scope "x:y"`},
	{"a scope that is standard", "scopes: [openid]\n", `f.yml:1: scopes[1]: "openid" is there without being declared: take it out`},
	{"a scope with a space", "scopes: [\"a b\"]\n", `f.yml:1: scopes[1]: want a word such as orders:read, not "a b"`},
	{"a scope no role has", "scopes: [a]\n", `f.yml:1: scopes[1]: no user can get "a": add it to the scopes of a role, or of a client with the grant client_credentials`},
	{"a scope no client has", "scopes: [a]\nroles: [{name: user, scopes: [a]}]\nclients: [{id: c, redirect_uris: [https://c.example/]}]\n",
		`f.yml:1: scopes[1]: no client can get "a": add it to the scopes of a client`},
	{"a route for an unknown role", "routes:\n  - route: GET /a\n    roles:\n      - admn\n",
		`f.yml:4: routes[1].roles[1]: unknown role "admn"; did you mean "admin"?`},
	{"a route for an unknown scope", "routes:\n  - route: GET /a\n    scopes: [opnid]\n",
		`f.yml:3: routes[1].scopes[1]: unknown scope "opnid"; did you mean "openid"?`},
	{"a route for a scope no client has", "routes:\n  - route: GET /a\n    scopes: [offline_access]\nclients: [{id: c, redirect_uris: [https://c.example/]}]\n",
		`f.yml:3: routes[1].scopes[1]: no client can get "offline_access": add it to the scopes of a client`},
	{"a route for scopes no client has together", "routes:\n  - route: GET /a\n    all_scopes: [profile, offline_access]\n" +
		"clients:\n  - {id: c, redirect_uris: [https://c.example/], scopes: [profile]}\n  - {id: d, redirect_uris: [https://d.example/], scopes: [offline_access]}\n",
		"f.yml:3: routes[1].all_scopes: no client can get all of them at once: add them to the scopes of one client"},
	{"a route twice", "routes:\n  - route: GET /a\n  - route: GET /a\n",
		`f.yml:3: routes[2].route: "GET /a" has a rule already, routes[1]: make one of the two`},
	{"a route that is none", "routes:\n  - route: /a\n", `f.yml:2: routes[1].route: want a method, one space and a path, such as "GET /users/{id}"`},
	{"two routes that are the same", "routes:\n  - route: GET /a/{x}\n  - route: GET /a/{y}\n",
		`f.yml:1: routes: rule 2, route "GET /a/{y}": has the rule "GET /a/{x}" already; put both into one`},
	{"a sign-in of no time", "routes:\n  - {route: GET /a, max_auth_age: 5s}\n", "f.yml:2: routes[1].max_auth_age: want 1m to 400d, not 5s"},
	{"a sign-in without a unit", "routes:\n  - {route: GET /a, max_auth_age: 600}\n", `f.yml:2: routes[1].max_auth_age: want a span of time such as 90s, 10m, 12h or 30d, not "600"`},
	{"a route for nobody", "routes:\n  - route: GET /a\n    roles: []\n",
		"f.yml:3: routes[1].roles: is empty: name one, or take it out and the rule asks for none"},
	{"an issuer without an audience", "issuer: https://auth.example.com\nissuers:\n  - {issuer: 'https://acme.auth0.com/', profile: auth0}\n",
		"f.yml:3: issuers[1].audiences: not set: name the API as its tokens do, or tokens for any API would be accepted"},
	{"an issuer that is ours", "issuer: https://auth.example.com\nissuers:\n  - {issuer: 'https://auth.example.com', profile: rfc9068, audiences: [a]}\n",
		"f.yml:3: issuers[1].issuer: is the address of issuer as well: take one of the two out"},
	{"an issuer twice", "issuer: https://auth.example.com\nissuers:\n  - {issuer: 'https://a.test/', profile: auth0, audiences: [a]}\n  - {issuer: 'https://a.test/', profile: auth0, audiences: [b]}\n",
		"f.yml:4: issuers[2].issuer: is the address of issuers[1] as well: take one of the two out"},
	{"an issuer's role that is none", "issuer: https://auth.example.com\nissuers:\n  - {issuer: 'https://a.test/', profile: auth0, audiences: [a], roles: {boss: admn}}\n",
		`f.yml:3: issuers[1].roles.boss: unknown role "admn"; did you mean "admin"?`},
	{"an issuer of days", "issuer: https://auth.example.com\nissuers:\n  - {issuer: 'https://a.test/', profile: auth0, audiences: [a], max_age: 30d}\n",
		"f.yml:3: issuers[1].max_age: want at most 24h, not 720h0m0s: revocations are kept that long"},
	{"a client without redirect", "clients:\n  - id: c\n", "f.yml:2: clients[1].redirect_uris: not set: say where c may be sent with a code"},
	{"a client redirected to http", "clients:\n  - id: c\n    redirect_uris:\n      - http://c.example/\n",
		"f.yml:4: clients[1].redirect_uris[1]: http is only for localhost, an address of 127.0.0.0/8, or ::1: use https"},
	{"a client with a wildcard", "clients:\n  - id: c\n    redirect_uris: [https://c.example/]\n    post_logout_redirect_uris: [https://*.c.example/]\n",
		`f.yml:4: clients[1].post_logout_redirect_uris[1]: character '*' is not allowed: write the URI as it goes over the wire, without wildcards`},
	{"a proxy without a secret", "proxy: {address_header: CloudFront-Viewer-Address, secret_header: X-Secret}\n",
		"f.yml:1: proxy: want secret_env, the variable with the secret that your proxy sends: without it anyone could name an address"},
	{"a proxy whose header is a list", "proxy: {address_header: x-forwarded-for, secret_header: X-Secret, secret_env: S}\n",
		"f.yml:1: proxy.address_header: is a list that any client can add to: want a header with one address that your proxy overwrites"},
	{"a proxy with one header for both", "proxy: {address_header: X-Secret, secret_header: x-secret, secret_env: S}\n",
		"f.yml:1: proxy.secret_header: is the header with the address: name another one"},
	{"a proxy whose header is none", "proxy: {address_header: 'X Viewer', secret_header: X-Secret, secret_env: S}\n",
		`f.yml:1: proxy.address_header: want the name of a header, not "X Viewer"`},
	{"an unknown preset", "providers:\n  - {id: x, preset: gogle, client_id: c}\n",
		"f.yml:2: providers[1].preset: want one of apple, cognito, github, gitlab, google, linkedin, microsoft, oauth2, oidc, not \"gogle\"; did you mean \"google\"?"},
	{"a template for an issuer", "providers:\n  - {id: x, issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0', client_id: c}\n",
		"f.yml:2: providers[1].issuer: is a template: want preset: microsoft and tenant: with the id of your tenant, organizations or common"},
	{"several tenants without the preset", "providers:\n  - {id: x, issuer: https://login.microsoftonline.com/common/v2.0, client_id: c}\n",
		"f.yml:2: providers[1].issuer: stands for several tenants: want preset: microsoft, and tenant instead of issuer"},
	{"Microsoft without a tenant", "providers:\n  - {id: microsoft, client_id: c}\n",
		"f.yml:2: providers[1]: want tenant: the id of your tenant (a GUID), organizations (work and school accounts) or common (personal ones, too)"},
	{"a tenant by its domain", "providers:\n  - {id: microsoft, tenant: contoso.com, client_id: c}\n",
		"f.yml:2: providers[1].tenant: want a GUID in lower case, organizations, common or consumers, not \"contoso.com\": a domain is not the issuer of its tenant"},
	{"a tenant elsewhere", "providers:\n  - {id: google, tenant: common, client_id: c}\n",
		"f.yml:2: providers[1].tenant: is a key of preset: microsoft, and this is google"},
	{"an endpoint elsewhere", "providers:\n  - {id: google, token_url: https://a.example/t, client_id: c}\n",
		"f.yml:2: providers[1].token_url: is a key of preset: oauth2, and this is google"},
	{"every address of every tenant", "providers:\n  - {id: microsoft, tenant: common, email_verified: always, client_id: c}\n",
		"f.yml:2: providers[1].email_verified: always means that an administrator of any tenant can be anyone: pin yours, with require: {tid: …}, or name it in tenant"},
	{"trust in several tenants", "providers:\n  - {id: microsoft, tenant: common, email_verified: always, require: {tid: 11111111-2222-3333-4444-555555555555}, trust_email: true, client_id: c}\n",
		"f.yml:2: providers[1].trust_email: needs one tenant, or a provider that says which addresses it has verified: name your tenant in tenant, or take this out"},
	{"a word for verified", "providers:\n  - {id: google, email_verified: sometimes, client_id: c}\n",
		"f.yml:2: providers[1].email_verified: want claim or always or never, not \"sometimes\""},
	{"a nonce that is on", "providers:\n  - {id: google, nonce: on, client_id: c}\n",
		"f.yml:2: providers[1].nonce: want off, not \"on\""},
	{"a parameter of ours", "providers:\n  - {id: google, parameters: {redirect_uri: https://a.example/}, client_id: c}\n",
		"f.yml:2: providers[1].parameters.redirect_uri: is sent by Gatehouse itself: take it out"},
	{"a claim that has one name", "providers:\n  - {id: google, claims: {aud: x}, client_id: c}\n",
		"f.yml:2: providers[1].claims.aud: want one of sub, name, email, email_verified, picture"},
	{"a subject of another name", "providers:\n  - {id: google, claims: {sub: oid}, client_id: c}\n",
		"f.yml:2: providers[1].claims.sub: is sub in every ID token: take it out"},
	{"a provider that gets a minute", "providers:\n  - {id: google, timeout: 1m, client_id: c}\n",
		"f.yml:2: providers[1].timeout: want 1s to 10s, not 1m0s: the gateway waits no longer"},
	{"Apple with a secret", "providers:\n  - {id: apple, team_id: T, key_id: K, private_key_env: A, client_secret_env: S, client_id: c}\n",
		"f.yml:2: providers[1].client_secret_env: Apple's secret is made from the key: take it out"},
	{"a client twice", "clients:\n  - {id: c, redirect_uris: [https://c.example/]}\n  - {id: c, redirect_uris: [https://c.example/]}\n",
		`f.yml:3: clients[2].id: "c" is taken by clients[1].id`},
	{"a client without a secret that acts for itself", "clients:\n  - {id: c, grants: [client_credentials]}\n",
		`f.yml:2: clients[1].grants: a client that acts for itself has to prove who it is: give it a secret_env`},
	{"a client with an unknown grant", "clients:\n  - {id: c, redirect_uris: [https://c.example/], grants: [authorisation_code]}\n",
		`f.yml:2: clients[1].grants[1]: unknown grant "authorisation_code"; did you mean "authorization_code"?`},
	{"a client with an unknown scope", "clients:\n  - {id: c, redirect_uris: [https://c.example/], scopes: [mail]}\n",
		`f.yml:2: clients[1].scopes[1]: unknown scope "mail"; did you mean "email"?`},
	{"an origin with a path", "clients:\n  - {id: c, redirect_uris: [https://c.example/], origins: [https://c.example/]}\n",
		`f.yml:2: clients[1].origins[1]: no browser sends "https://c.example/": write "https://c.example"`},
	{"an origin without TLS", "clients:\n  - {id: c, redirect_uris: [https://c.example/], origins: [http://c.example]}\n",
		`f.yml:2: clients[1].origins[1]: want https; plain http is only for this machine: write "https://c.example"`},
	{"an origin for a client with a secret", "clients:\n  - {id: c, secret_env: S, redirect_uris: [https://c.example/], origins: [https://c.example]}\n",
		"f.yml:2: clients[1].origins: a client with a secret has no business in a browser: take out origins, or the secret"},
	{"a secret in a file that is deployed", "clients:\n  - {id: c, secret: hush, redirect_uris: [https://c.example/]}\n",
		"f.yml:2: clients[1].secret: a secret in a file is for a laptop; the issuer is on https: put it into a variable and name that in secret_env"},
	{"a secret twice over", "clients:\n  - {id: c, secret: hush, secret_env: S, redirect_uris: [https://c.example/]}\n",
		"f.yml:2: clients[1].secret: the secret is in S already: take one of the two out"},
	{"a lifetime that is no time", "lifetimes:\n  session: long\n",
		`f.yml:2: lifetimes.session: want a span of time such as 90s, 10m, 12h or 30d, not "long"`},
	{"an access token for a day", "lifetimes:\n  access_token: 1d\n", "f.yml:2: lifetimes.access_token: want 1m0s to 1h0m0s, not 24h0m0s"},
	{"idle longer than the whole", "lifetimes:\n  session: 1h\n  session_idle: 2h\n",
		"f.yml:3: lifetimes.session_idle: is longer than the whole session of 1h0m0s"},
	{"refresh tokens for seconds", "lifetimes:\n  refresh_token: 30s\n  refresh_idle: 20s\n",
		"f.yml:2: lifetimes.refresh_token: want 5m0s to 9600h0m0s, not 30s\nf.yml:3: lifetimes.refresh_idle: want 5m0s to 9600h0m0s, not 20s"},
	{"unused longer than used", "lifetimes:\n  refresh_token: 1h\n  refresh_idle: 2h\n",
		"f.yml:3: lifetimes.refresh_idle: is longer than the whole life of 1h0m0s"},
	{"a client that outlives the house", "clients:\n  - id: c\n    redirect_uris: [https://c.example/]\n    lifetimes:\n      access_token: 11m\n      refresh_tokne: 1h\n",
		"f.yml:5: clients[1].lifetimes.access_token: is longer than the 10m0s that all clients have: want 10m0s at most, or raise lifetimes.access_token in gatehouse.yml\n" +
			"f.yml:6: clients[1].lifetimes.refresh_tokne: unknown key; did you mean \"refresh_token\"?"},
	{"a client for the issuer", "clients:\n  - id: c\n    redirect_uris: [https://c.example/]\n    audiences:\n      - https://orders.example.com\n      - https://auth.example.com\n",
		"f.yml:6: clients[1].audiences[2]: is the issuer: a token for your API would be one for the login service: want another name, such as https://api.example.com"},
	{"an API that proves nothing", "clients:\n  - id: orders\n    serves: https://orders.example.com\n",
		"f.yml:3: clients[1].serves: an API has to prove who it is, or anybody could try tokens in its name: give it a secret_env"},
	{"a waived challenge of a public client", "clients:\n  - id: c\n    redirect_uris: [https://c.example/]\n    pkce: off\n",
		"f.yml:4: clients[1].pkce: a public client has nothing but PKCE to prove that a code is its own: give it a secret_env, or take pkce out"},
	{"a waived challenge in a word that there is not", "clients:\n  - id: c\n    secret_env: S\n    redirect_uris: [https://c.example/]\n    pkce: none\n",
		`f.yml:5: clients[1].pkce: unknown value "none"; did you mean "nonce"?`},
	{"any port of localhost for a client with a secret", "clients:\n  - id: c\n    secret_env: S\n    redirect_uris: [http://localhost/cb]\n    loopback: localhost\n",
		"f.yml:5: clients[1].loopback: is for programs on people's own machines, which keep no secret: take out loopback, or the secret"},
	{"a scheme for a client with a secret", "clients:\n  - id: c\n    secret_env: S\n    redirect_uris: [https://c.example/]\n    redirect_schemes: [cursor]\n",
		"f.yml:5: clients[1].redirect_schemes: is for apps on people's own devices, which keep no secret: take out redirect_schemes, or the secret"},
	{"a scheme without its exception", "clients:\n  - id: c\n    redirect_uris: [cursor://c/cb]\n",
		"f.yml:3: clients[1].redirect_uris[1]: use https, http://127.0.0.1, or a private-use scheme with a dot in it, such as com.example.app; or allow this one by redirect_schemes: [cursor]"},
	{"two values where one can be", "clients:\n  - id: c\n    secret_env: S\n    redirect_uris: [https://c.example/]\n    pkce: [nonce, off]\n",
		"f.yml:5: clients[1].pkce: want one value, not 2"},
	{"a grace without renewals", "clients:\n  - id: c\n    redirect_uris: [https://c.example/]\n    refresh_grace: 30s\n",
		"f.yml:4: clients[1].refresh_grace: has no effect without the grant refresh_token: add it to grants, or take refresh_grace out"},
	{"a grace too long for a public client", "clients:\n  - id: c\n    redirect_uris: [https://c.example/]\n    grants: [authorization_code, refresh_token]\n    refresh_grace: 121s\n",
		"f.yml:5: clients[1].refresh_grace: want 1s to 2m0s for a public client, whose refresh tokens a thief can use without a secret, not 2m1s"},
	{"a grace too long for any client", "clients:\n  - id: c\n    secret_env: S\n    redirect_uris: [https://c.example/]\n    grants: [authorization_code, refresh_token]\n    refresh_grace: 11m\n",
		"f.yml:6: clients[1].refresh_grace: want 1s to 10m0s, not 11m0s"},
	{"a grace without a unit", "clients:\n  - id: c\n    redirect_uris: [https://c.example/]\n    refresh_grace: 60\n",
		`f.yml:4: clients[1].refresh_grace: want a span of time such as 30s or 5m, not "60"`},
	{"a grace too long for all", "refresh_grace: 3m\n",
		"f.yml:1: refresh_grace: want 1s to 2m0s for all clients, not 3m0s; a client with a secret can have up to 10m0s by a key of its own"},
	{"a client id with a space", "clients:\n  - id: a b\n    redirect_uris: [https://c.example/]\n",
		`f.yml:2: clients[1].id: want at most 100 letters, digits and . _ ~ : / ? @ ! $ & + , ; = -, beginning with a letter or digit, not "a b"`},
	{"an API called like a client", "clients:\n  - {id: c, redirect_uris: [https://c.example/]}\n  - id: d\n    redirect_uris: [https://d.example/]\n    audiences: [c]\n",
		"f.yml:5: clients[2].audiences[1]: is the id of a client, which its ID tokens are for: give the API another name"},
}

func TestMistakes(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			getenv := func(name string) string {
				if name == "GATEHOUSE_ISSUER" && !strings.Contains(m.text, "issuer: http://auth") && !strings.HasPrefix(m.text, "issuer") {
					return "https://auth.example.com"
				}
				return ""
			}
			_, err := config.Parse("f.yml", []byte(m.text), getenv)
			if err == nil || err.Error() != m.want {
				t.Errorf("told:\n%v\nwant:\n%s", err, m.want)
			}
		})
	}
}

func TestIssuerNotSet(t *testing.T) {
	_, err := config.Parse("f.yml", nil, func(string) string { return "" })
	const want = "f.yml:1: issuer: not set: write the address of the login service, such as https://auth.example.com, or set GATEHOUSE_ISSUER"
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestAllMistakesTogether(t *testing.T) {
	const text = `isuer: https://auth.example.com
admins: [ada]
clients:
  - id: shop
    redirect_uri: http://localhost:5173/callback
    grants: [refresh]
`
	_, err := config.Parse("gatehouse.yml", []byte(text), func(string) string { return "" })
	want := []string{
		`gatehouse.yml:1: isuer: unknown key; did you mean "issuer"?`,
		`gatehouse.yml:1: issuer: not set: write the address of the login service, such as https://auth.example.com, or set GATEHOUSE_ISSUER`,
		`gatehouse.yml:2: admins[1]: want an e-mail address such as ada@example.com, not "ada"`,
		`gatehouse.yml:5: clients[1].redirect_uri: unknown key; did you mean "redirect_uris"?`,
		`gatehouse.yml:6: clients[1].grants[1]: unknown grant "refresh"; known: authorization_code, refresh_token, client_credentials, urn:ietf:params:oauth:grant-type:device_code`,
	}
	if err == nil {
		t.Fatal("accepted")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

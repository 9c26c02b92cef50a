package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// standardScopes need no declaration (OpenID Connect Core, Sections 5.4 and 11; the
// last two are our own).
var standardScopes = []string{"openid", "profile", "email", "offline_access", client.ScopeAccount, client.ScopeAdmin}

// KnownScopes returns every scope that a client may be registered for: the
// standard ones and those that the file declares.
func (c *Config) KnownScopes() []string { return slices.Concat(standardScopes, c.Scopes) }

// scopeToken is RFC 6749, Section 3.3, without the letters that would have to be
// escaped in a page or a log.
var scopeToken = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]*$`)

// checkAccess holds roles, scopes, clients and routes against each other. A
// right that nobody can ever get is a mistake: someone meant something else.
func (c *Config) checkAccess(d *document) {
	c.checkScopes(d)
	c.checkRoles(d)
	c.checkRoutes(d)
	if len(c.Admins) > 0 && !slices.Contains(c.roleNames(), AdminRole) {
		d.refuse("admins", "they get the role %q, and it is not declared: add it to roles", AdminRole)
	}
}

func (c *Config) checkScopes(d *document) {
	for i, scope := range c.Scopes {
		at := fmt.Sprintf("scopes[%d]", i+1)
		switch {
		case slices.Contains(standardScopes, scope):
			d.refuse(at, "%q is there without being declared: take it out", scope)
		case len(scope) > maxName || !scopeToken.MatchString(scope):
			d.refuse(at, "want a word such as orders:read, not %q", scope)
		case !slices.ContainsFunc(c.Roles, func(r Role) bool { return slices.Contains(r.Scopes, scope) }) && !c.forMachines(scope):
			d.refuse(at, "no user can get %q: add it to the scopes of a role, or of a client with the grant client_credentials", scope)
		case len(c.Clients) > 0 && !c.clientMayAsk(scope):
			d.refuse(at, "no client can get %q: add it to the scopes of a client", scope)
		}
	}
}

func (c *Config) checkRoles(d *document) {
	seen := map[string]string{}
	for i, role := range c.Roles {
		at := fmt.Sprintf("roles[%d]", i+1)
		checkName(d, at+".name", role.Name, seen)
		for j, scope := range role.Scopes {
			if !slices.Contains(c.Scopes, scope) {
				d.refuse(fmt.Sprintf("%s.scopes[%d]", at, j+1), "unknown scope %q%s", scope, suggest(scope, c.Scopes))
			}
		}
	}
	c.checkRoleNames(d, "default_roles", c.DefaultRoles)
	if slices.Contains(c.DefaultRoles, AdminRole) {
		d.refuse("default_roles", "would make everyone who signs in an admin: name the admins under admins")
	}
}

func (c *Config) checkRoutes(d *document) {
	first, right := map[string]int{}, true
	for i, rule := range c.Routes {
		at := fmt.Sprintf("routes[%d]", i+1)
		if before, twice := first[rule.Route]; twice && rule.Route != "" {
			d.refuse(at+".route", "%q has a rule already, routes[%d]: make one of the two", rule.Route, before)
			right = false
			continue
		}
		first[rule.Route] = i + 1
		if _, err := policy.Compile([]policy.Rule{{Route: rule.Route}}); err != nil {
			_, why, _ := strings.Cut(err.Error(), fmt.Sprintf("route %q: ", rule.Route))
			d.refuse(at+".route", "%s", why)
			right = false
		} else if IsOwn(rule.Route) {
			c.OwnRoutes = append(c.OwnRoutes, d.mistake(at+".route", "%q is a route of Gatehouse's own user API, whose rule is built in: take it out, or give your API a stack of its own", rule.Route))
		}
		if _, err := policy.Compile([]policy.Rule{{Route: "GET /", MaxAuthAge: rule.MaxAuthAge}}); err != nil {
			_, why, _ := strings.Cut(err.Error(), "max_auth_age: ")
			d.refuse(at+".max_auth_age", "%s", why)
		}
		if rule.Public && rule.Requires() {
			d.refuse(at+".public", "the route has no authorizer, so the rule can require nothing else: take public out, or the rest")
			right = false
		}
		c.checkRoleNames(d, at+".roles", rule.Roles)
		c.checkRoleNames(d, at+".all_roles", rule.AllRoles)
		c.checkScopeNames(d, at+".scopes", rule.Scopes)
		c.checkScopeNames(d, at+".all_scopes", rule.AllScopes)
		c.checkTogether(d, at+".all_scopes", rule.AllScopes)
	}
	if _, err := policy.Compile(c.Routes); err != nil && right && len(d.mistakes) == 0 {
		d.refuse("routes", "%v", err) // each is right, and two are the same
	}
}

func (c *Config) checkRoleNames(d *document, path string, roles []string) {
	for i, role := range roles {
		if known := c.roleNames(); role != "" && !slices.Contains(known, role) {
			d.refuse(fmt.Sprintf("%s[%d]", path, i+1), "unknown role %q%s", role, suggest(role, known))
		}
	}
}

func (c *Config) checkScopeNames(d *document, path string, scopes []string) {
	known := slices.Concat(c.Scopes, standardScopes)
	for i, scope := range scopes {
		at := fmt.Sprintf("%s[%d]", path, i+1)
		switch {
		case scope == "": // told already
		case !slices.Contains(known, scope):
			d.refuse(at, "unknown scope %q%s", scope, suggest(scope, known))
		case len(c.Clients) > 0 && !c.clientMayAsk(scope):
			d.refuse(at, "no client can get %q: add it to the scopes of a client", scope)
		}
	}
}

// checkTogether refuses a rule whose scopes no single client can have at once.
func (c *Config) checkTogether(d *document, path string, scopes []string) {
	if len(scopes) < 2 || len(c.Clients) == 0 {
		return
	}
	for i := range c.Clients {
		if c.missing(i, scopes) == 0 {
			return
		}
	}
	for _, scope := range scopes {
		if !c.clientMayAsk(scope) {
			return // told already, scope by scope
		}
	}
	d.refuse(path, "no client can get all of them at once: add them to the scopes of one client")
}

// missing counts the scopes that client i may not ask for.
func (c *Config) missing(i int, scopes []string) int {
	n := 0
	for _, scope := range scopes {
		if !slices.Contains(c.Clients[i].AllowedScopes(), scope) {
			n++
		}
	}
	return n
}

func (c *Config) clientMayAsk(scope string) bool {
	for i := range c.Clients {
		if c.missing(i, []string{scope}) == 0 {
			return true
		}
	}
	return (len(c.SelfRegistration.Documents) > 0 || c.SelfRegistration.Dynamic) && slices.Contains(c.Terms().Scopes, scope)
}

// forMachines tells whether a client that acts for itself can get the scope.
func (c *Config) forMachines(scope string) bool {
	return slices.ContainsFunc(c.Clients, func(app client.Client) bool {
		return app.MayUse(client.GrantClientCredentials) && slices.Contains(app.Scopes, scope)
	})
}

func (c *Config) roleNames() []string {
	names := make([]string, len(c.Roles))
	for i, r := range c.Roles {
		names[i] = r.Name
	}
	return names
}

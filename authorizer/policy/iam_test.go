package policy_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
)

func TestPatterns(t *testing.T) {
	p := compile(t,
		policy.Rule{Route: "GET /users", Roles: []string{"admin"}},
		policy.Rule{Route: "GET /users/{id}"},
		policy.Rule{Route: "GET /users/{id}/audit", Roles: []string{"admin"}},
		policy.Rule{Route: "ANY /notes", Scopes: []string{"notes"}},
		policy.Rule{Route: "GET /notes"},
		policy.Rule{Route: "GET /", Roles: []string{"admin"}},
		policy.Rule{Route: "POST /pay", Fresh: true},
	)
	for _, test := range []struct {
		name  string
		who   string
		fresh bool
		want  policy.Patterns
	}{
		{"a user", "user|notes", false, policy.Patterns{Allow: []string{"*"},
			Deny: []string{"GET/users", "GET/users/", "GET/users/*/audit", "GET/users/*/audit/", "GET/", "POST/pay", "POST/pay/"}}},
		{"an admin without the scope", "admin", false, policy.Patterns{Allow: []string{"*"}, Deny: []string{
			"DELETE/notes", "HEAD/notes", "OPTIONS/notes", "PATCH/notes", "POST/notes", "PUT/notes",
			"DELETE/notes/", "HEAD/notes/", "OPTIONS/notes/", "PATCH/notes/", "POST/notes/", "PUT/notes/", "POST/pay", "POST/pay/"}}},
		{"a fresh answer", "admin|notes", true, policy.Patterns{Allow: []string{"*"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, p.Patterns(who(test.who), test.fresh)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("no rules", func(t *testing.T) {
		want := policy.Patterns{Allow: []string{"*"}}
		if diff := cmp.Diff(want, (*policy.Policy)(nil).Patterns(who(""), false)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("closed: a rule for everything else", func(t *testing.T) {
		p := compile(t, policy.Rule{Route: "$default", Roles: []string{"staff"}},
			policy.Rule{Route: "ANY /admin/{proxy+}", Roles: []string{"admin"}},
			policy.Rule{Route: "GET /me/{what}"},
			policy.Rule{Route: "GET /me/{what}/secret", Roles: []string{"admin"}},
			policy.Rule{Route: "GET /admin/public"},
			policy.Rule{Route: "$connect"})
		want := policy.Patterns{Allow: []string{"GET/me/*", "GET/admin/public", "$connect"}, Deny: []string{"GET/me/*/secret", "GET/me/*/secret/"}}
		if diff := cmp.Diff(want, p.Patterns(who("user"), false)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCheckIAM(t *testing.T) {
	for _, test := range []struct {
		name  string
		rules []policy.Rule
		want  string // "" for no mistake
	}{
		{"separate paths", []policy.Rule{{Route: "GET /a", Roles: []string{"x"}}, {Route: "GET /b"}}, ""},
		{"asks for more inside", []policy.Rule{{Route: "GET /a/{id}"}, {Route: "GET /a/{id}/b", Roles: []string{"x"}}, {Route: "GET /a/me", Roles: []string{"x"}}}, ""},
		{"asks for less inside", []policy.Rule{{Route: "ANY /a/{proxy+}", Roles: []string{"x"}}, {Route: "GET /a/public"}}, `route "ANY /a/{proxy+}"`},
		{"another variable's star", []policy.Rule{{Route: "GET /a/{id}", Roles: []string{"x"}}, {Route: "GET /a/{id}/b"}}, `"GET /a/{id}/b"`},
		{"other methods", []policy.Rule{{Route: "GET /a/{id}", Roles: []string{"x"}}, {Route: "POST /a/{id}/b"}}, ""},
		{"ANY beside a method", []policy.Rule{{Route: "ANY /a", Roles: []string{"x"}}, {Route: "GET /a"}}, ""},
		{"fresh inside", []policy.Rule{{Route: "ANY /a/{proxy+}"}, {Route: "GET /a/b", Fresh: true}}, ""},
		{"not fresh inside", []policy.Rule{{Route: "ANY /a/{proxy+}", Fresh: true}, {Route: "GET /a/b"}}, "asks for less"},
		{"asks for the same", []policy.Rule{{Route: "GET /a/{id}", Roles: []string{"x", "y"}}, {Route: "GET /a/{id}/b", AllRoles: []string{"y"}}}, ""},
		{"asks for one of less", []policy.Rule{{Route: "GET /a/{id}", Roles: []string{"x"}}, {Route: "GET /a/{id}/b", Roles: []string{"x", "y"}}}, "asks for less"},
		{"a greedy route around a variable", []policy.Rule{{Route: "GET /a/{x}/b", Roles: []string{"x"}}, {Route: "GET /a/{proxy+}"}}, "asks for less"},
		{"as many parts around", []policy.Rule{{Route: "GET /a/{x}/b", Roles: []string{"x"}}, {Route: "GET /a/{x}/{y}"}}, ""},
		{"too long", tooMany(), "bytes of an IAM policy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := compile(t, test.rules...).CheckIAM()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want %q", err, test.want)
			}
		})
	}
}

func tooMany() []policy.Rule {
	var rules []policy.Rule
	for i := range 60 {
		rules = append(rules, policy.Rule{Route: "GET /a" + strings.Repeat("x", i+1), Roles: []string{"x"}})
	}
	return rules
}

// Whatever the policy, the patterns never allow what a decision refuses; and if
// CheckIAM has nothing against it, they never refuse what a decision allows.
func TestPatternsAgreeWithDecisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, routes := drawPolicy(t)
		caller := drawCaller(t)
		exact := p.CheckIAM() == nil
		fresh := rapid.Bool().Draw(t, "fresh")
		patterns := p.Patterns(caller, fresh)
		for _, route := range routes {
			d := p.Decide(route, caller)
			want := d.Allowed && (fresh || !p.Fresh(route))
			got := permits(patterns, request(t, route))
			if got && !want {
				t.Fatalf("%s: allowed by %+v, refused by %+v", route, patterns, d)
			}
			if exact && want && !got {
				t.Fatalf("%s: refused by %+v, allowed by %+v", route, patterns, d)
			}
		}
	})
}

var (
	parts = []string{"a", "b", "{x}", "{y}", "{proxy+}"}
	words = []string{"x", "y"}
)

func drawRoute(t *rapid.T) string {
	method := rapid.SampledFrom([]string{"GET", "POST", "ANY"}).Draw(t, "method")
	path := ""
	for _, part := range rapid.SliceOfN(rapid.SampledFrom(parts), 0, 3).Draw(t, "path") {
		path += "/" + part
		if part == "{proxy+}" {
			break
		}
	}
	if path == "" {
		path = "/"
	}
	return method + " " + path
}

// drawPolicy returns a policy and the routes that it has rules for.
func drawPolicy(t *rapid.T) (*policy.Policy, []string) {
	var rules []policy.Rule
	var routes []string
	for range rapid.IntRange(0, 5).Draw(t, "rules") {
		rule := policy.Rule{
			Route:    drawRoute(t),
			Roles:    rapid.SliceOfNDistinct(rapid.SampledFrom(words), 0, 2, rapid.ID).Draw(t, "roles"),
			AllRoles: rapid.SliceOfNDistinct(rapid.SampledFrom(words), 0, 1, rapid.ID).Draw(t, "all roles"),
			Scopes:   rapid.SliceOfNDistinct(rapid.SampledFrom(words), 0, 1, rapid.ID).Draw(t, "scopes"),
			Fresh:    rapid.IntRange(0, 4).Draw(t, "fresh") == 0,
		}
		if _, err := policy.Compile(append(rules, rule)); err != nil {
			continue // the same route twice
		}
		rules, routes = append(rules, rule), append(routes, rule.Route)
	}
	p, err := policy.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return p, routes
}

func drawCaller(t *rapid.T) identity.Identity {
	draw := func(label string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(words), 0, 2, rapid.ID).Draw(t, label)
	}
	return identity.Identity{Subject: "u_1", Roles: draw("caller's roles"), Scopes: draw("caller's scopes")}
}

// request draws what an ARN has after the stage for a request that the gateway
// sends to the route: one that no narrower route of the policy takes.
func request(t *rapid.T, route string) string {
	method, path, _ := strings.Cut(route, " ")
	if method == "ANY" {
		method = "PATCH" // a method that no route has of its own
	}
	for strings.Contains(path, "{") {
		before, rest, _ := strings.Cut(path, "{")
		name, after, _ := strings.Cut(rest, "}")
		value := rapid.StringMatching(`[c-z0-9._]{1,3}`).Draw(t, "value")
		if name == "proxy+" && rapid.Bool().Draw(t, "deep") {
			value += "/" + rapid.StringMatching(`[c-z0-9._]{1,3}(/[c-z]{1,2}){0,2}`).Draw(t, "values")
		}
		path = before + value + after
	}
	return method + path
}

// permits is IAM's own rule, told independently: an explicit Deny wins, then an
// Allow, and without either nothing is allowed.
func permits(patterns policy.Patterns, request string) bool {
	for _, glob := range patterns.Deny {
		if matches(glob, request) {
			return false
		}
	}
	for _, glob := range patterns.Allow {
		if matches(glob, request) {
			return true
		}
	}
	return false
}

func matches(glob, text string) bool {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, ".*") + "$").MatchString(text)
}

package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
)

// starred is what every answer denies that has a star.
var starred = []string{"*..*", "*/./*", "*/.", "*//*", "*%2e*", "*%2E*", "*%2f*", "*%2F*", "*%5c*", "*%5C*"}

func TestPatterns(t *testing.T) {
	p := compile(t,
		policy.Rule{Route: "GET /users", Roles: []string{"admin"}},
		policy.Rule{Route: "GET /users/{id}"},
		policy.Rule{Route: "ANY /notes", Scopes: []string{"notes"}},
		policy.Rule{Route: "GET /notes"},
		policy.Rule{Route: "GET /", Roles: []string{"admin"}},
		policy.Rule{Route: "POST /pay", Fresh: true},
		policy.Rule{Route: "GET /files/{proxy+}", Roles: []string{"files"}},
		policy.Rule{Route: "DELETE /me", MaxAuthAge: policy.Span(10 * time.Minute)},
		policy.Rule{Route: "$connect", Roles: []string{"chat"}},
	)
	recent := who("")
	recent.AuthTime = now
	machine := identity.Identity{Subject: "m_1", Scopes: []string{"notes"}}
	for _, test := range []struct {
		name  string
		who   identity.Identity
		fresh bool
		want  policy.Patterns
	}{
		{"a user", who("user|notes"), false, policy.Patterns{
			Allow: []string{"GET/users/?*", "DELETE/notes", "HEAD/notes", "OPTIONS/notes", "PATCH/notes", "POST/notes", "PUT/notes", "GET/notes"},
			Deny:  append([]string{"GET/users/?*/?*"}, starred...)}},
		{"an admin, and a fresh answer", who("admin"), true, policy.Patterns{
			Allow: []string{"GET/users", "GET/users/?*", "GET/notes", "GET/", "POST/pay"},
			Deny:  append([]string{"GET/users/?*/?*"}, starred...)}},
		{"a greedy variable", who("files"), false, policy.Patterns{
			Allow: []string{"GET/users/?*", "GET/notes", "GET/files/?*"},
			Deny:  append([]string{"GET/users/?*/?*"}, starred...)}},
		{"who signed in just now", recent, false, policy.Patterns{
			Allow: []string{"GET/users/?*", "GET/notes", "DELETE/me"},
			Deny:  append([]string{"GET/users/?*/?*"}, starred...)}},
		{"a machine, without any star", machine, false, policy.Patterns{
			Allow: []string{"DELETE/notes", "HEAD/notes", "OPTIONS/notes", "PATCH/notes", "POST/notes", "PUT/notes"}}},
		{"a machine without scopes", identity.Identity{Subject: "m_2"}, false, policy.Patterns{}},
		{"a handshake", who("chat"), false, policy.Patterns{
			Allow: []string{"GET/users/?*", "GET/notes", "$connect"},
			Deny:  append([]string{"GET/users/?*/?*"}, starred...)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, p.Patterns(test.who, test.fresh, now)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("without rules nothing is allowed", func(t *testing.T) {
		if diff := cmp.Diff(policy.Patterns{}, (*policy.Policy)(nil).Patterns(who(""), false, now)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a star is left out that reaches a route which is refused", func(t *testing.T) {
		p := compile(t, policy.Rule{Route: "GET /a/{id}"}, policy.Rule{Route: "GET /a/{id}/b", Roles: []string{"x"}})
		if got := p.Patterns(who(""), false, now); len(got.Allow) != 0 {
			t.Errorf("%+v", got)
		}
		if got := p.Patterns(who("x"), false, now); len(got.Allow) != 2 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("$default is in no policy", func(t *testing.T) {
		p := compile(t, policy.Rule{Route: "$default"}, policy.Rule{Route: "GET /me/{what}"})
		want := policy.Patterns{Allow: []string{"GET/me/?*"}, Deny: append([]string{"GET/me/?*/?*"}, starred...)}
		if diff := cmp.Diff(want, p.Patterns(who(""), false, now)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCheckIAM(t *testing.T) {
	x := []string{"x"}
	for _, test := range []struct {
		name  string
		rules []policy.Rule
		want  string // "" for no mistake
	}{
		{"separate paths", []policy.Rule{{Route: "GET /a", Roles: x}, {Route: "GET /b"}}, ""},
		{"a collection and its members", []policy.Rule{{Route: "GET /a", Roles: x}, {Route: "GET /a/{id}"}}, ""},
		{"more inside", []policy.Rule{{Route: "GET /a/{id}"}, {Route: "GET /a/{id}/b", Roles: x}}, `route "GET /a/{id}": in an IAM policy its variable also matches "GET /a/{id}/b"`},
		{"more beside", []policy.Rule{{Route: "GET /a/{id}"}, {Route: "GET /a/me", Roles: x}}, `matches "GET /a/me"`},
		{"less inside", []policy.Rule{{Route: "ANY /a/{proxy+}", Roles: x}, {Route: "GET /a/public"}}, ""},
		{"something else inside", []policy.Rule{{Route: "ANY /a/{proxy+}", Roles: x}, {Route: "GET /a/b", Roles: []string{"y"}}}, `matches "GET /a/b"`},
		{"other methods", []policy.Rule{{Route: "GET /a/{id}"}, {Route: "POST /a/{id}/b", Roles: x}}, ""},
		{"ANY beside a method", []policy.Rule{{Route: "ANY /a/{id}"}, {Route: "GET /a/{id}", Roles: x}}, ""},
		{"fresh inside", []policy.Rule{{Route: "ANY /a/{proxy+}"}, {Route: "GET /a/b", Fresh: true}}, `matches "GET /a/b"`},
		{"not fresh inside", []policy.Rule{{Route: "ANY /a/{proxy+}", Fresh: true}, {Route: "GET /a/b"}}, ""},
		{"a recent sign-in inside", []policy.Rule{{Route: "ANY /a/{proxy+}", MaxAuthAge: policy.Span(time.Hour)}, {Route: "GET /a/b", MaxAuthAge: policy.Span(time.Minute)}}, "matches"},
		{"a less recent sign-in inside", []policy.Rule{{Route: "ANY /a/{proxy+}", MaxAuthAge: policy.Span(time.Minute)}, {Route: "GET /a/b", MaxAuthAge: policy.Span(time.Hour)}}, ""},
		{"users alone inside", []policy.Rule{{Route: "GET /a/{id}", Scopes: x}, {Route: "GET /a/me"}}, "matches"},
		{"users alone inside, and a role around", []policy.Rule{{Route: "GET /a/{id}", Scopes: x, Roles: x}, {Route: "GET /a/me"}}, ""},
		{"the same", []policy.Rule{{Route: "GET /a/{id}", AllRoles: x}, {Route: "GET /a/{id}/b", Roles: []string{"x", "y"}}}, ""},
		{"one of more", []policy.Rule{{Route: "GET /a/{id}", Roles: []string{"x", "y"}}, {Route: "GET /a/{id}/b", Roles: x}}, "matches"},
		{"a greedy route around a variable", []policy.Rule{{Route: "GET /a/{x}/b"}, {Route: "GET /a/{proxy+}", Roles: x}}, "matches"},
		{"a greedy route around a greedy one", []policy.Rule{{Route: "GET /a/b/{proxy+}"}, {Route: "GET /a/{proxy+}", Roles: x}}, ""},
		{"as many parts around", []policy.Rule{{Route: "GET /a/{x}/b"}, {Route: "GET /a/{x}/{y}", Roles: x}}, ""},
		{"as many parts across", []policy.Rule{{Route: "GET /{x}/b"}, {Route: "GET /a/{y}", Roles: x}}, "matches"},
		{"$default", []policy.Rule{{Route: "$default"}}, "every route a rule of its own"},
		{"too long", tooMany(), "bytes of an IAM policy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := compile(t, test.rules...).CheckIAM()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want %q", err, test.want)
			}
		})
	}
	t.Run("a route without a rule", func(t *testing.T) {
		p := compile(t, policy.Rule{Route: "GET /a"}, policy.Rule{Route: "ANY /b/{proxy+}"})
		if err := p.CheckIAMRoutes([]string{"GET /a", "PUT /b/c"}); err != nil {
			t.Error(err)
		}
		if err := p.CheckIAMRoutes([]string{"GET /a", "PUT /a"}); err == nil || !strings.Contains(err.Error(), "add {route: 'PUT /a'}") {
			t.Error(err)
		}
	})
}

func tooMany() []policy.Rule {
	var rules []policy.Rule
	for i := range 80 {
		rules = append(rules, policy.Rule{Route: fmt.Sprintf("GET /a%d", i), Roles: []string{"x"}})
	}
	return rules
}

func TestCanonical(t *testing.T) {
	for _, request := range []string{
		"GET/", "GET/a", "GET/a/b.c/d..e/...", "GET/a%20b", "GET/caf%C3%A9", "GET/ada%40example.com", "GET/50%25", "GET/50%25zz", "GET/~a_b-c", "$connect", "GET/a:b,c;d=e+f&g$h!i'(j)*",
	} {
		if !policy.Canonical(request) {
			t.Errorf("%q is refused", request)
		}
	}
	for _, request := range []string{
		"", "GET", "$default", "GET//", "GET//a", "GET/a/", "GET/a//b", "GET/.", "GET/..", "GET/./a", "GET/a/..", "GET/a/../b", "GET/%61", "GET/%75sers", "GET/users%2Fme", "GET/users%2fme",
		"GET/%2e%2e/a", "GET/%2E", "GET/a%7E", "GET/a%2D", "GET/caf%c3%a9", "GET/a%", "GET/a%2", "GET/a%zz", `GET/a\b`, "GET/a%5Cb", "GET/a%00", "GET/a%0D%0Ab", "GET/a%7F", "GET/a\x00", "GET/%2575sers", "GET/%252F",
	} {
		if policy.Canonical(request) {
			t.Errorf("%q is allowed", request)
		}
	}
}

// Whatever the policy, the patterns never allow what a decision refuses; and if
// CheckIAM finds no mistake, they never refuse what a decision allows.
func TestPatternsAgreeWithDecisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, routes := drawPolicy(t)
		caller := drawCaller(t)
		exact := p.CheckIAM() == nil
		fresh := rapid.Bool().Draw(t, "fresh")
		patterns := p.Patterns(caller, fresh, now)
		for _, route := range routes {
			d := p.Decide(route, caller, now)
			want := d.Allowed && (fresh || !p.Fresh(route))
			request := request(t, route)
			got := permits(patterns, request)
			if got != patterns.Permits(request) {
				t.Fatalf("%s, %+v: Permits says %v", request, patterns, !got)
			}
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
			Route:      drawRoute(t),
			Roles:      rapid.SliceOfNDistinct(rapid.SampledFrom(words), 0, 2, rapid.ID).Draw(t, "roles"),
			AllRoles:   rapid.SliceOfNDistinct(rapid.SampledFrom(words), 0, 1, rapid.ID).Draw(t, "all roles"),
			Scopes:     rapid.SliceOfNDistinct(rapid.SampledFrom(words), 0, 1, rapid.ID).Draw(t, "scopes"),
			Fresh:      rapid.IntRange(0, 4).Draw(t, "fresh") == 0,
			MaxAuthAge: policy.Span(rapid.SampledFrom([]time.Duration{0, 0, time.Minute, time.Hour}).Draw(t, "age")),
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
	caller := identity.Identity{Subject: "u_1", Roles: draw("caller's roles"), Scopes: draw("caller's scopes")}
	if rapid.Bool().Draw(t, "machine") {
		caller.Roles = nil
	}
	if rapid.Bool().Draw(t, "signed in") {
		caller.AuthTime = now.Add(-10 * time.Minute)
	}
	return caller
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
		value := rapid.StringMatching(`[c-z0-9_][c-z0-9._]?[c-z0-9_]`).Draw(t, "value")
		if name == "proxy+" && rapid.Bool().Draw(t, "deep") {
			value += "/" + rapid.StringMatching(`[c-z0-9_]{1,3}(/[c-z]{1,2}){0,2}`).Draw(t, "values")
		}
		path = before + value + after
	}
	return method + path
}

// permits is IAM's own rule, told independently: an explicit Deny wins, then an
// Allow, and without either nothing is allowed.
func permits(patterns policy.Patterns, request string) bool {
	for _, pattern := range patterns.Deny {
		if globbed(pattern, request) {
			return false
		}
	}
	for _, pattern := range patterns.Allow {
		if globbed(pattern, request) {
			return true
		}
	}
	return false
}

// globbed matches text as IAM does: * for any characters, ? for one.
func globbed(pattern, text string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := range len(text) + 1 {
				if globbed(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case text == "" || pattern[0] != '?' && pattern[0] != text[0]:
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

package policy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
)

func compile(t testing.TB, rules ...policy.Rule) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var now = time.Unix(1_800_000_000, 0)

// who is a user of a first-party client: words before the bar are roles, words
// behind it scopes.
func who(words string) identity.Identity {
	roles, scopes, _ := strings.Cut(words, "|")
	return identity.Identity{Subject: "u_1", Roles: append([]string{}, strings.Fields(roles)...), Scopes: strings.Fields(scopes)}
}

func TestDecide(t *testing.T) {
	p := compile(t,
		policy.Rule{Route: "GET /users", Roles: []string{"admin", "support"}},
		policy.Rule{Route: "DELETE /users/{id}", AllRoles: []string{"admin", "oncall"}},
		policy.Rule{Route: "GET /notes", Scopes: []string{"notes:read", "notes"}},
		policy.Rule{Route: "POST /notes", AllScopes: []string{"notes:read", "notes:write"}, Roles: []string{"user"}},
		policy.Rule{Route: "ANY /admin/{proxy+}", Roles: []string{"admin"}, Fresh: true},
		policy.Rule{Route: "GET /admin/status"},
		policy.Rule{Route: "ANY /things/{id}", Roles: []string{"user"}},
		policy.Rule{Route: "PUT /things/{id}", Roles: []string{"admin"}},
		policy.Rule{Route: "GET /things/mine"},
		policy.Rule{Route: "$connect", Roles: []string{"chat"}},
	)
	allow := func(route, words string) {
		t.Helper()
		if d := p.Decide(route, who(words), now); !d.Allowed || d.Missing != "" {
			t.Errorf("%s as %q: %+v, want allowed", route, words, d)
		}
	}
	deny := func(missing policy.Missing, route, words string) {
		t.Helper()
		if d := p.Decide(route, who(words), now); d.Allowed || d.Missing != missing {
			t.Errorf("%s as %q: %+v, want %s missing", route, words, d, missing)
		}
	}
	allow("GET /users", "admin")
	allow("GET /users", "user support")
	deny("role", "GET /users", "user")
	deny("role", "GET /users", "")
	deny("role", "GET /users", "Admin")
	deny("role", "GET /users", "administrator")
	deny("role", "GET /users", "|admin")
	allow("POST /users", "user") // another method has no rule
	allow("GET /users/{id}", "user")
	allow("GET /usersandmore", "user")
	deny("role", "DELETE /users/{id}", "admin")
	allow("DELETE /users/{id}", "oncall admin")
	deny("role", "DELETE /users/{name}", "admin") // the same route
	allow("GET /notes", "|notes")
	allow("GET /notes", "|notes:read openid")
	deny("scope", "GET /notes", "notes:read")
	deny("scope", "POST /notes", "user|notes:read")
	deny("role", "POST /notes", "|notes:read notes:write")
	allow("POST /notes", "user|notes:write notes:read")
	deny("role", "ANY /admin/{proxy+}", "user")
	deny("role", "GET /admin/{proxy+}", "user") // a narrower route has the rule around it
	deny("role", "GET /admin/users/{id}", "user")
	deny("role", "ANY /admin/users", "user")
	allow("DELETE /admin/users", "admin")
	allow("GET /admin", "user")
	allow("GET /administrators", "user")
	allow("GET /admin/status", "user")
	deny("role", "POST /admin/status", "user")
	allow("PATCH /things/{id}", "user")
	deny("role", "PUT /things/{id}", "user")
	deny("role", "ANY /things/{id}", "")
	allow("GET /things/mine", "")
	deny("role", "PUT /things/mine", "")
	allow("PUT /things/mine", "admin")
	deny("role", "$connect", "user")
	allow("$connect", "chat")
	allow("$default", "")
	allow("GET /", "")
	deny("route", "", "admin")
	deny("route", "GET", "admin")
	deny("route", "GET /admin/", "admin")
	deny("route", "GET //users", "admin")
	deny("route", "get /users", "admin")
	deny("route", "TRACE /users", "admin")
	deny("route", "$disconnect", "admin")

	t.Run("a rule says whether a decision must be fresh", func(t *testing.T) {
		if d := p.Decide("GET /admin/users", who("admin"), now); d.Rule == nil || d.Rule.Route != "ANY /admin/{proxy+}" {
			t.Errorf("%+v", d)
		}
		if !p.Fresh("GET /admin/users") || p.Fresh("GET /admin/status") || p.Fresh("GET /elsewhere") || !p.HasFresh() {
			t.Error("fresh is told wrongly")
		}
	})
	t.Run("without a policy every route needs a caller alone", func(t *testing.T) {
		if d := (*policy.Policy)(nil).Decide("GET /x", who(""), now); !d.Allowed {
			t.Errorf("%+v", d)
		}
	})
	t.Run("the narrowest rule decides, whatever their order", func(t *testing.T) {
		rules := []policy.Rule{{Route: "$default", Roles: []string{"e"}}, {Route: "ANY /{proxy+}", Roles: []string{"d"}},
			{Route: "PUT /{proxy+}", Roles: []string{"c"}}, {Route: "ANY /a/{x}", Roles: []string{"b"}}, {Route: "PUT /a/{x}", Roles: []string{"a"}}}
		for range 2 {
			p := compile(t, rules...)
			for route, role := range map[string]string{"PUT /a/b": "a", "GET /a/b": "b", "PUT /b": "c", "GET /b": "d", "GET /": "e", "$default": "e"} {
				for _, other := range []string{"a", "b", "c", "d", "e"} {
					if d := p.Decide(route, who(other), now); d.Allowed != (other == role) {
						t.Errorf("%s as %s: %+v", route, other, d)
					}
				}
			}
			slices.Reverse(rules)
		}
	})
	t.Run("a rule for $default is for every route without one", func(t *testing.T) {
		p := compile(t, policy.Rule{Route: "$default", Roles: []string{"staff"}}, policy.Rule{Route: "GET /"})
		for route, want := range map[string]bool{"$default": false, "GET /x": false, "ANY /{proxy+}": false, "GET /": true, "$connect": true} {
			if d := p.Decide(route, who("user"), now); d.Allowed != want {
				t.Errorf("%s: %+v", route, d)
			}
		}
	})
}

// A machine, and a third-party client, need a rule that names a scope of theirs.
func TestDecideAboutOtherClients(t *testing.T) {
	p := compile(t,
		policy.Rule{Route: "GET /notes", Scopes: []string{"notes"}},
		policy.Rule{Route: "PUT /notes", AllScopes: []string{"notes"}, Fresh: true},
		policy.Rule{Route: "DELETE /notes", Roles: []string{"user"}, Scopes: []string{"notes"}},
		policy.Rule{Route: "POST /notes"},
		policy.Rule{Route: "PATCH /notes", Fresh: true},
		policy.Rule{Route: "GET /pay", MaxAuthAge: policy.Span(time.Minute)},
	)
	machine := identity.Identity{Subject: "m_1", Scopes: []string{"notes", "openid"}, AuthTime: now}
	for route, want := range map[string]policy.Missing{
		"GET /notes": "", "PUT /notes": "", "DELETE /notes": policy.MissingRole, "POST /notes": policy.MissingUser, "PATCH /notes": policy.MissingUser,
		"GET /pay": policy.MissingUser, "GET /other": policy.MissingUser, "$connect": policy.MissingUser, "$default": policy.MissingUser,
	} {
		if d := p.Decide(route, machine, now); d.Missing != want || d.Allowed != (want == "") {
			t.Errorf("%s: %+v, want %q missing", route, d, want)
		}
	}
	if d := p.Decide("GET /notes", identity.Identity{Subject: "m_1"}, now); d.Missing != policy.MissingScope {
		t.Errorf("without the scope: %+v", d)
	}
	user := machine
	user.Roles = []string{} // a user without roles is a user
	for _, route := range []string{"GET /notes", "POST /notes", "GET /other", "GET /pay"} {
		if d := p.Decide(route, user, now); !d.Allowed {
			t.Errorf("%s as a user: %+v", route, d)
		}
	}
	if d := (*policy.Policy)(nil).Decide("GET /x", machine, now); d.Allowed {
		t.Error("a machine is allowed where there is no policy")
	}
}

func TestDecideAboutTheSignIn(t *testing.T) {
	p := compile(t, policy.Rule{Route: "DELETE /me", MaxAuthAge: policy.Span(10 * time.Minute)})
	for _, test := range []struct {
		ago  time.Duration // negative: a clock that is ahead
		want policy.Missing
	}{{0, ""}, {10 * time.Minute, ""}, {10*time.Minute + time.Second, policy.MissingLogin}, {-time.Minute, ""}} {
		caller := who("user")
		caller.AuthTime = now.Add(-test.ago)
		if d := p.Decide("DELETE /me", caller, now); d.Missing != test.want {
			t.Errorf("signed in %v ago: %+v", test.ago, d)
		}
	}
	if d := p.Decide("DELETE /me", who("user"), now); d.Missing != policy.MissingLogin {
		t.Errorf("a token that does not say when: %+v", d)
	}
}

func TestCompileMistakes(t *testing.T) {
	for _, test := range []struct {
		name  string
		rules []policy.Rule
		want  []string // parts of the error
	}{
		{"no method", []policy.Rule{{Route: "/users"}}, []string{`rule 1, route "/users"`, `such as "GET /users/{id}"`}},
		{"nothing", []policy.Rule{{}}, []string{`rule 1, route ""`}},
		{"lower case", []policy.Rule{{Route: "get /users"}}, []string{`method "get"`, "want ANY or one of"}},
		{"two spaces", []policy.Rule{{Route: "GET  /users"}}, []string{"one space"}},
		{"no slash", []policy.Rule{{Route: "GET users"}}, []string{"such as"}},
		{"a slash at the end", []policy.Rule{{Route: "GET /users/"}}, []string{"no slash at its end"}},
		{"an empty part", []policy.Rule{{Route: "GET /a//b"}}, []string{"no empty part"}},
		{"S121 a star", []policy.Rule{{Route: "GET /items/*"}}, []string{`path part "*"`}},
		{"S121 a question mark", []policy.Rule{{Route: "GET /items?x"}}, []string{`path part "items?x"`}},
		{"an escape", []policy.Rule{{Route: "GET /a%2Fb"}}, []string{`path part "a%2Fb"`}},
		{"a variable without a name", []policy.Rule{{Route: "GET /{}"}}, []string{"{id}"}},
		{"a variable without an end", []policy.Rule{{Route: "GET /{id"}}, []string{"{id}"}},
		{"a variable in a part", []policy.Rule{{Route: "GET /a{id}"}}, []string{`path part "a{id}"`}},
		{"greedy in the middle", []policy.Rule{{Route: "GET /{proxy+}/x"}}, []string{"must be the last part"}},
		{"another route of a WebSocket", []policy.Rule{{Route: "$disconnect"}}, []string{"$connect alone"}},
		{"twice", []policy.Rule{{Route: "GET /a/{x}"}, {Route: "GET /a/{y}"}}, []string{`rule 2, route "GET /a/{y}"`, `"GET /a/{x}"`}},
		{"an empty role", []policy.Rule{{Route: "GET /a", Roles: []string{""}}}, []string{"roles"}},
		{"two roles in one", []policy.Rule{{Route: "GET /a", AllRoles: []string{"a b"}}}, []string{`all_roles: "a b"`}},
		{"a scope twice", []policy.Rule{{Route: "GET /a", Scopes: []string{"a", "a"}}}, []string{"scopes", "twice"}},
		{"a sign-in of no time", []policy.Rule{{Route: "GET /a", MaxAuthAge: policy.Span(time.Second)}}, []string{"max_auth_age: want 1m to 400d, not 1s"}},
		{"a sign-in in the future", []policy.Rule{{Route: "GET /a", MaxAuthAge: policy.Span(-time.Hour)}}, []string{"max_auth_age"}},
		{"everything together", []policy.Rule{{Route: "GET"}, {Route: "GET /a", AllScopes: []string{" "}}}, []string{"rule 1", "rule 2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := policy.Compile(test.rules)
			if err == nil || p != nil {
				t.Fatal("compiled")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v\nwant: %s", err, part)
				}
			}
		})
	}
}

func TestLoad(t *testing.T) {
	rules := []policy.Rule{
		{Route: "GET /a/{id}", Roles: []string{"r"}, AllRoles: []string{"ar"}, Scopes: []string{"s"}, AllScopes: []string{"as"}, Fresh: true, MaxAuthAge: policy.Span(90 * time.Minute)},
		{Route: "$default"},
	}
	data, err := json.Marshal(compile(t, rules...))
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rules, p.Rules()); diff != "" {
		t.Error(diff)
	}
	for name, data := range map[string]string{
		"nothing":               "",
		"another file":          `{"keys":[]}`,
		"no rules":              `{}`,
		"null":                  `{"rules":null}`,
		"a span without a unit": `{"rules":[{"route":"GET /a","max_auth_age":"10"}]}`,
		"a misspelt field":      `{"rules":[{"route":"GET /a","role":["admin"]}]}`,
		"something behind":      `{"rules":[]}{"rules":[]}`,
		"a rule that is none":   `{"rules":[{"route":"GET"}]}`,
	} {
		if p, err := policy.Load([]byte(data)); err == nil || p != nil {
			t.Errorf("%s: loaded", name)
		}
	}
}

func TestCheckRoutes(t *testing.T) {
	p := compile(t, policy.Rule{Route: "GET /demo/admin", Roles: []string{"admin"}}, policy.Rule{Route: "ANY /users/{proxy+}"}, policy.Rule{Route: "GET /notes/{id}"},
		policy.Rule{Route: "$connect", Roles: []string{"user"}})
	if err := p.CheckRoutes([]string{"GET /demo/admin", "GET /users/me", "GET /notes/{note}"}); err != nil {
		t.Error(err)
	}
	err := p.CheckRoutes([]string{"ANY /demo/{proxy+}", "ANY /users/{proxy+}", "GET /notes/{id}"})
	if err == nil || !strings.Contains(err.Error(), `"GET /demo/admin"`) || strings.ContainsAny(err.Error(), "$") || strings.Contains(err.Error(), "users") {
		t.Errorf("err = %v, want the rule that guards nothing", err)
	}
}

package policy_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
)

// TestPublicRulesOpenNothing asks about routes that rules state to be public: the
// authorizer decides as if the rules were not there.
func TestPublicRulesOpenNothing(t *testing.T) {
	t.Parallel()
	rules := []policy.Rule{
		{Route: "ANY /docs/{proxy+}", Roles: []string{"admin"}},
		{Route: "GET /notes/{id}", Roles: []string{"user"}},
	}
	public := []policy.Rule{
		{Route: "GET /docs/{proxy+}", Public: true}, {Route: "GET /notes/welcome", Public: true}, {Route: "ANY /open/{proxy+}", Public: true},
		{Route: "$default", Public: true}, {Route: "GET /", Public: true},
	}
	without, with := compile(t, rules...), compile(t, append(public, rules...)...)
	callers := map[string]identity.Identity{
		"no one": {}, "a machine": {Subject: "m", Scopes: []string{"x"}}, "a user": who("user|"), "an admin": who("admin|"),
	}
	for name, caller := range callers {
		for _, route := range []string{"GET /docs/{proxy+}", "GET /docs/a", "POST /docs/a", "GET /notes/welcome", "GET /notes/{id}", "GET /open/{proxy+}", "GET /open/secret", "$default", "GET /", "GET /else"} {
			if got, want := with.Decide(route, caller, now), without.Decide(route, caller, now); got.Allowed != want.Allowed || got.Missing != want.Missing {
				t.Errorf("%s at %s: %+v, and without public rules %+v", name, route, got, want)
			}
		}
		for _, request := range []string{"GET/docs/a", "GET/notes/welcome", "GET/notes/7", "GET/open/a", "GET/", "GET/else"} {
			if got, want := with.Patterns(caller, true, now).Permits(request), without.Patterns(caller, true, now).Permits(request); got != want {
				t.Errorf("%s at %s: an IAM policy says %v, and without public rules %v", name, request, got, want)
			}
		}
	}
	if err := with.CheckIAM(); err != nil {
		t.Errorf("a public rule is in the way of an IAM policy: %v", err)
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	p := compile(t, policy.Rule{Route: "GET /docs/{page}", Public: true}, policy.Rule{Route: "ANY /open/{proxy+}", Public: true}, policy.Rule{Route: "GET /orders"})
	for key, want := range map[string]bool{
		"GET /docs/{page}": true, "GET /docs/{id}": true, "ANY /open/{any+}": true,
		"GET /docs/secret": false, "POST /docs/{page}": false, "GET /open/{proxy+}": false, "GET /open/a": false, "GET /orders": false, "ANY /{proxy+}": false, "": false,
	} {
		if p.Public(key) != want {
			t.Errorf("%q: want %v", key, want)
		}
	}
	if (*policy.Policy)(nil).Public("GET /") || (*policy.Policy)(nil).CheckPublic([]string{"GET /"}, nil) != nil {
		t.Error("no policy has public rules")
	}
}

func TestCheckPublic(t *testing.T) {
	t.Parallel()
	p := compile(t, policy.Rule{Route: "GET /docs", Public: true})
	for name, tc := range map[string]struct {
		guarded, open    []string
		conflict, unused string
	}{
		"open, as it says":                      {nil, []string{"GET /docs"}, "", ""},
		"open beside a wider guarded route":     {[]string{"ANY /{proxy+}"}, []string{"GET /docs"}, "", ""},
		"guarded":                               {[]string{"GET /docs"}, nil, `"GET /docs": the rule says public, and the template has an authorizer on "GET /docs"`, ""},
		"behind a guarded route of all":         {[]string{"ANY /docs"}, []string{"GET /"}, `has an authorizer on "ANY /docs"`, ""},
		"behind $default":                       {[]string{"$default"}, nil, `has an authorizer on "$default"`, ""},
		"behind an open route, not the guarded": {[]string{"$default"}, []string{"ANY /docs"}, "", "the API has no such route"},
		"not there":                             {[]string{"GET /orders"}, []string{"POST /docs"}, "", "the API has no such route"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, check := range map[string]struct {
				err  error
				want string
			}{"conflict": {p.CheckPublic(tc.guarded, tc.open), tc.conflict}, "unused": {p.CheckRoutes(tc.guarded, tc.open...), tc.unused}} {
				if check.want == "" && check.err != nil || check.want != "" && (check.err == nil || !strings.Contains(check.err.Error(), check.want)) {
					t.Errorf("%s: %v, want %q", what, check.err, check.want)
				}
			}
		})
	}
}

// TestPublicRulesRequireNothing refuses rules that say two things at once.
func TestPublicRulesRequireNothing(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string][]policy.Rule{
		"a role":           {{Route: "GET /a", Public: true, Roles: []string{"user"}}},
		"all roles":        {{Route: "GET /a", Public: true, AllRoles: []string{"user"}}},
		"a scope":          {{Route: "GET /a", Public: true, Scopes: []string{"a"}}},
		"all scopes":       {{Route: "GET /a", Public: true, AllScopes: []string{"a"}}},
		"fresh":            {{Route: "GET /a", Public: true, Fresh: true}},
		"a recent sign-in": {{Route: "GET /a", Public: true, MaxAuthAge: 600e9}},
		"another rule":     {{Route: "GET /a", Public: true}, {Route: "GET /a"}},
		"the other order":  {{Route: "GET /a/{id}"}, {Route: "GET /a/{name}", Public: true}},
		"public twice":     {{Route: "GET /a", Public: true}, {Route: "GET /a", Public: true}},
	} {
		if _, err := policy.Compile(rules); err == nil {
			t.Errorf("%s: compiled", name)
		}
	}
}

// TestPublicRulesInTheZip writes and reads rules as the authorizer's zip has them.
func TestPublicRulesInTheZip(t *testing.T) {
	t.Parallel()
	p := compile(t, policy.Rule{Route: "GET /docs", Public: true}, policy.Rule{Route: "GET /orders", Roles: []string{"user"}})
	text, err := p.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := policy.Load(text); err != nil || !got.Public("GET /docs") || len(got.Rules()) != 2 {
		t.Errorf("%s: %v", text, err)
	}
}

package authorizer_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

// triples is how many policies, callers and routes TestAnswersAgree judges.
const triples = 100_000

// TestAnswersAgree draws policies, callers and routes, and asks three ways: with
// an IAM policy that was given for another route and is judged by an independent
// matcher, with a simple answer, and through net/http. They never differ.
func TestAnswersAgree(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	draw := drawing{rand.New(rand.NewPCG(seed, 0))}
	callers := everyCaller(t)
	judged, inexact, allows := 0, 0, 0
	wanted := triples
	if testing.Short() {
		wanted /= 10
	}
	for judged < wanted {
		rules := draw.rules()
		p, err := policy.Compile(rules)
		if err != nil {
			continue // twice the same route
		}
		if p.CheckIAM() != nil {
			inexact++ // a gateway with IAM answers refuses to start with it
			continue
		}
		c := authorizer.Config{Issuer: issuer, Audience: audience, Keys: token.Keys(tokentest.Ours().Public()), Policy: p, Now: newClock().now, Log: silent}
		a, err := authorizer.New(c)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			caller := callers[draw.IntN(len(callers))]
			kept := draw.kept(t, a, caller)
			for range 5 {
				rule := rules[draw.IntN(len(rules))]
				request := draw.request(rule.Route)
				want := p.Decide(rule.Route, caller.who).Allowed
				if got := invokes(t, kept, stage+request); got != want {
					t.Fatalf("%+v\n%s as %s: the IAM answer says %v, the policy %v: %v", rules, request, caller.words, got, want, kept)
				}
				if got := simply(t, a, caller, rule.Route); got != want {
					t.Fatalf("%+v\n%s as %s: the simple answer says %v, the policy %v", rules, rule.Route, caller.words, got, want)
				}
				if got := through(a, caller, rule.Route); got != want {
					t.Fatalf("%+v\n%s as %s: net/http says %v, the policy %v", rules, rule.Route, caller.words, got, want)
				}
				judged++
				if want {
					allows++
				}
			}
		}
	}
	t.Logf("%d triples, of which %d allowed; %d policies that IAM cannot say were passed over", judged, allows, inexact)
	if allows < judged/5 || allows > judged*4/5 {
		t.Errorf("%d of %d allowed: the triples say little", allows, judged)
	}
}

// drawing draws at random.
type drawing struct{ *rand.Rand }

func (d drawing) one(of ...string) string { return of[d.IntN(len(of))] }

func (d drawing) some(of ...string) []string {
	var some []string
	for _, word := range of {
		if d.IntN(3) == 0 {
			some = append(some, word)
		}
	}
	return some
}

func (d drawing) rules() []policy.Rule {
	rules := make([]policy.Rule, 1+d.IntN(5))
	for i := range rules {
		path := ""
		for range 1 + d.IntN(3) {
			if path += "/" + d.one("a", "b", "{x}", "{proxy+}"); strings.HasSuffix(path, "+}") {
				break
			}
		}
		rules[i] = policy.Rule{Route: d.one("GET", "POST", "ANY") + " " + path,
			Roles: d.some("r", "s"), AllRoles: d.some("r"), Scopes: d.some("x", "y"), AllScopes: d.some("y")}
	}
	return rules
}

// request is what an ARN has after the stage for a request that goes to the
// route. Its values are none that a route has literally.
func (d drawing) request(route string) string {
	method, path, _ := strings.Cut(route, " ")
	if method == "ANY" {
		method = "PUT"
	}
	path = strings.ReplaceAll(path, "{x}", d.one("1", "c", "a.b"))
	return method + strings.ReplaceAll(path, "{proxy+}", d.one("1", "c", "1/2", "c/d/e"))
}

// caller is someone with a token.
type caller struct {
	words   string
	who     identity.Identity
	bearer  string
	simple  []byte // an event of an HTTP API, of which the route is to be put in
	general []byte // a TOKEN event
}

// everyCaller has every set of the roles and scopes that rules ask for.
func everyCaller(t *testing.T) []caller {
	w := newWorld(t, nil)
	var callers []caller
	for i := range 16 {
		words := strings.Repeat("r ", i&1) + strings.Repeat("s ", i>>1&1) + "|" + strings.Repeat("x ", i>>2&1) + strings.Repeat("y ", i>>3)
		rawToken := w.rawToken(t, "u_1", words)
		who, err := w.Verify(t.Context(), rawToken)
		if err != nil {
			t.Fatal(err)
		}
		event := httpAPI("Bearer " + rawToken)
		event["routeKey"] = "ROUTE"
		callers = append(callers, caller{words, who, "Bearer " + rawToken, marshal(t, event), marshal(t, restToken("Bearer "+rawToken))})
	}
	return callers
}

// kept is an IAM answer that the gateway keeps.
func (d drawing) kept(t *testing.T, a *authorizer.Authorizer, c caller) map[string]any {
	out, err := a.Handle(context.Background(), c.general)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func simply(t *testing.T, a *authorizer.Authorizer, c caller, route string) bool {
	out, err := a.Handle(context.Background(), []byte(strings.ReplaceAll(string(c.simple), "ROUTE", route)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.HasPrefix(string(out), `{"isAuthorized":true`)
}

func through(a *authorizer.Authorizer, c caller, route string) bool {
	r := &http.Request{Method: "GET", Header: http.Header{"Authorization": {c.bearer}}}
	rw := httptest.NewRecorder()
	called := false
	a.Guard(route, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true })).ServeHTTP(rw, r)
	return called
}

package authorizer_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

// agreements is how many policies, callers, routes and spellings are judged.
var agreements = flag.Int("agreements", 20_000, "how many policies, callers, routes and spellings TestAnswersAgree judges; the full number is 100000")

// TestAnswersAgree draws policies, callers, routes and spellings of their paths,
// and asks three ways: with an IAM policy that was given for another request and is
// judged by an independent matcher, with a simple answer, and through net/http.
//
// The path as it should be spelled has the answer of the decision. Any other
// spelling is never allowed what the decision refuses, and a request that has it
// gets an answer that allows nothing at all.
func TestAnswersAgree(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	draw := drawing{rand.New(rand.NewPCG(seed, 0))}
	callers := everyCaller(t)
	judged, inexact, allows := 0, 0, 0
	for judged < *agreements {
		rules := draw.rules()
		p, err := policy.Compile(rules)
		if err != nil {
			continue // twice the same route
		}
		exact := p.CheckIAM() == nil // else a gateway with IAM answers refuses to start with it
		if !exact && draw.IntN(4) != 0 {
			continue
		}
		c := authorizer.Config{Issuer: issuer, Audience: audience, Keys: token.Keys(tokentest.Ours().Public()), Policy: p, Now: new(fake.Clock).Now, Log: silent}
		a, err := authorizer.New(c)
		if err != nil {
			t.Fatal(err)
		}
		if !exact {
			inexact++
		}
		for range 4 {
			caller := callers[draw.IntN(len(callers))]
			kept := draw.kept(t, a, caller, rules)
			for range 5 {
				path := draw.request(rules[draw.IntN(len(rules))].Route)
				route := chosen(rules, path)
				want := p.Decide(route, caller.who, fake.Start).Allowed
				if got := invokes(t, kept, stage+path); got != want && (exact || got) {
					t.Fatalf("%+v\n%s for %s as %s: the cached IAM answer says %v, the policy %v: %v", rules, path, route, caller.words, got, want, kept)
				}
				spelled := draw.misspell(path)
				if invokes(t, kept, stage+spelled) && !want {
					t.Fatalf("%+v\n%s for %s as %s: allowed by the cached IAM answer, refused by the policy: %v", rules, spelled, route, caller.words, kept)
				}
				if answer := draw.answer(t, a, caller, route, spelled); invokes(t, answer, stage+path) || invokes(t, answer, stage+spelled) || invokes(t, answer, stage+"GET/a") {
					t.Fatalf("%s for %s as %s: %v", spelled, route, caller.words, answer)
				}
				if got := simply(t, a, caller, route); got != want {
					t.Fatalf("%+v\n%s as %s: the simple answer says %v, the policy %v", rules, route, caller.words, got, want)
				}
				if got := through(a, caller, route, path); got != want {
					t.Fatalf("%+v\n%s as %s: net/http says %v, the policy %v", rules, route, caller.words, got, want)
				}
				judged++
				if want {
					allows++
				}
			}
		}
	}
	t.Logf("%d judged, of which %d allowed; %d policies that IAM cannot say", judged, allows, inexact)
	if allows < judged/5 || allows > judged*4/5 {
		t.Errorf("%d of %d allowed: the draws say little", allows, judged)
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
		if d.IntN(4) == 0 {
			rules[i].MaxAuthAge = policy.Span(time.Duration(1+d.IntN(60)) * time.Minute)
		}
	}
	return rules
}

// request is what an ARN has after the stage for a request that matches the route.
func (d drawing) request(route string) string {
	method, path, _ := strings.Cut(route, " ")
	if method == "ANY" {
		method = "PUT"
	}
	path = strings.ReplaceAll(path, "{x}", d.one("1", "c", "a.b"))
	return method + strings.ReplaceAll(path, "{proxy+}", d.one("1", "c", "1/2", "c/d/e"))
}

// chosen is the route of the rules that a gateway chooses for a request, told
// independently: the one whose path is the most literal from the left.
func chosen(rules []policy.Rule, request string) string {
	method, path, _ := strings.Cut(request, "/")
	best, route := "", ""
	for _, rule := range rules {
		wants, pattern, _ := strings.Cut(rule.Route, " /")
		if wants != method && wants != "ANY" {
			continue
		}
		rank, rest, fits := "", path, true
		for part := range strings.SplitSeq(pattern, "/") {
			if part == "{proxy+}" {
				rank, fits, rest = rank+"c", rest != "", ""
				break
			}
			var value string
			value, rest, _ = strings.Cut(rest, "/")
			if value == "" || part != "{x}" && part != value {
				fits = false
				break
			}
			rank += map[bool]string{true: "b", false: "a"}[part == "{x}"]
		}
		if rank += map[bool]string{true: "2", false: "1"}[wants == "ANY"]; fits && rest == "" && (best == "" || rank < best) {
			best, route = rank, rule.Route
		}
	}
	return route
}

// misspell is another spelling of a request's path, in which some server or other
// reads the same path.
func (d drawing) misspell(request string) string {
	method, path, _ := strings.Cut(request, "/")
	parts := strings.Split(path, "/")
	at := d.IntN(len(parts))
	switch d.IntN(8) {
	case 0:
		return request + "/"
	case 1:
		parts[at] = "/" + parts[at]
	case 2:
		parts[at] = d.one("./", "x/../", "%2e/", "x/%2E%2e/", "a/../", "b/../") + parts[at]
	case 3:
		parts[at] += "/" + d.one("", ".", "x/..", "%2E", "%2f")
	case 4:
		if len(parts) > 1 {
			return method + "/" + strings.Join(parts, d.one("%2f", "%2F", "%5c", "%5C", "\\"))
		}
		fallthrough
	case 5:
		return method + "/" + d.one("a", "b", "1") + d.one("/..", "%2f..", "/%2e%2e", "%5C..") + d.one("/", "%2F") + path
	default: // letters as escapes
		i := d.IntN(len(parts[at]))
		parts[at] = parts[at][:i] + fmt.Sprintf(d.one("%%%02x", "%%%02X"), parts[at][i]) + parts[at][i+1:]
	}
	return method + "/" + strings.Join(parts, "/")
}

// caller is someone with a token.
type caller struct {
	words  string
	who    identity.Identity
	bearer string
	simple []byte // an event of an HTTP API, of which the route is to be put in
}

// everyCaller has every set of the roles and scopes that rules ask for, users of
// first-party clients and others.
func everyCaller(t *testing.T) []caller {
	w := newWorld(t, nil)
	var callers []caller
	for i := range 20 {
		words := strings.Repeat("r ", i&1) + strings.Repeat("s ", i>>1&1) + "|" + strings.Repeat("x ", i>>2&1) + strings.Repeat("y ", i>>3&1)
		rawToken := w.rawToken(t, "u_1", words)
		if i >= 16 {
			words = "machine|" + strings.Repeat("x ", i&1) + strings.Repeat("y ", i>>1&1)
			rawToken = w.machineToken(t, words[8:])
		}
		who, err := w.Verify(t.Context(), rawToken)
		if err != nil {
			t.Fatal(err)
		}
		event := httpAPI("Bearer " + rawToken)
		event["routeKey"] = "ROUTE"
		callers = append(callers, caller{words, who, "Bearer " + rawToken, marshal(t, event)})
	}
	return callers
}

// kept is an IAM answer that the gateway caches: to a request for any route, of any
// kind of API.
func (d drawing) kept(t *testing.T, a *authorizer.Authorizer, c caller, rules []policy.Rule) map[string]any {
	path := d.request(rules[d.IntN(len(rules))].Route)
	return d.answer(t, a, c, chosen(rules, path), path)
}

// answer is the IAM answer to a request, of any kind of API.
func (d drawing) answer(t *testing.T, a *authorizer.Authorizer, c caller, route, path string) map[string]any {
	event := restToken(c.bearer)
	if kind := d.IntN(3); kind > 0 {
		event = []func(string) map[string]any{rest, httpAPI1}[kind-1](c.bearer)
		event["httpMethod"], _, _ = strings.Cut(path, "/")
		_, resource, _ := strings.Cut(route, " ")
		event["resource"] = resource
	}
	event["methodArn"] = stage + path
	out, err := a.Handle(context.Background(), marshal(t, event))
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

// through sends the request of an ARN through net/http.
func through(a *authorizer.Authorizer, c caller, route, path string) bool {
	method, path, _ := strings.Cut(path, "/")
	r := &http.Request{Method: method, URL: &url.URL{Path: "/" + path}, Header: http.Header{"Authorization": {c.bearer}}}
	rw := httptest.NewRecorder()
	called := false
	a.Guard(route, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true })).ServeHTTP(rw, r)
	return called
}

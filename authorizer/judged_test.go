package authorizer_test

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// judges are the kinds of API, with what each answers to a client whose token is
// no good.
var judges = []struct {
	kind   gateway.Kind
	simple bool
	header string // its Authorization header as an identity source
	bad    int
}{
	{gateway.HTTP2, true, "$request.header.Authorization", 403},
	{gateway.HTTP2, false, "$request.header.Authorization", 403},
	{gateway.HTTP1, false, "$request.header.Authorization", 403},
	{gateway.RESTRequest, false, "method.request.header.Authorization", 401},
	{gateway.RESTToken, false, "method.request.header.Authorization", 401},
	{gateway.WebSocket, false, "route.request.header.Authorization", 401},
}

var judgedRules = []policy.Rule{
	{Route: "GET /admin", Roles: []string{"admin"}}, {Route: "GET /notes"}, {Route: "GET /a"}, {Route: "GET /b"}, {Route: "$connect", Roles: []string{"user", "admin"}},
}

// judge is an authorizer behind a gateway of some kind.
type judge struct {
	*world
	*gateway.Judge
	api string
}

func newJudge(t *testing.T, i int, api string, ttl time.Duration, rules []policy.Rule) *judge {
	t.Helper()
	row := judges[i]
	a := gateway.Authorizer{Kind: row.kind, Simple: row.simple, IdentitySources: []string{row.header}, TTL: ttl}
	if row.simple {
		a.IdentitySources = append(a.IdentitySources, "$context.routeKey")
	}
	w := newWorld(t, rules, func(c *authorizer.Config) { c.IAM = row.kind == gateway.HTTP2 && !row.simple })
	j, err := gateway.NewJudge(a, w.Handle, w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return &judge{w, j, api}
}

// says is the judgement of a GET for the path, or of a handshake.
func (j *judge) says(t *testing.T, path, authorization string) gateway.Judgement {
	t.Helper()
	r := gateway.Request{Request: httptest.NewRequest("GET", path, nil), API: j.api, Stage: "prod", Route: "GET " + path}
	if j.Kind == gateway.WebSocket {
		r.Route = "$connect"
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return j.Judge.Judge(t.Context(), r)
}

const judgedAPI = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234"

// TestJudged puts the authorizer behind every kind of API.
func TestJudged(t *testing.T) {
	for i, row := range judges {
		name := row.kind.String()
		if row.simple {
			name += ", simple"
		}
		j := newJudge(t, i, judgedAPI, 0, judgedRules)
		lin, ada, guest := "Bearer "+j.rawToken(t, "u_lin", "user"), "Bearer "+j.rawToken(t, "u_ada", "admin"), "Bearer "+j.rawToken(t, "u_eve", "guest")
		at := strings.LastIndex(lin, ".") + 20
		tampered := lin[:at] + string('A'+(lin[at]-'A'+1)%2) + lin[at+1:]
		refusedRole := lin
		if row.kind == gateway.WebSocket {
			refusedRole = guest
		}
		for _, tc := range []struct {
			name, path, authorization string
			status                    int
			asked                     bool
		}{
			{"S118 no token", "/notes", "", 401, false},
			{"S115 a good token", "/notes", lin, 200, true},
			{"S115 the role", "/admin", ada, 200, true},
			{"S117 not the role", "/admin", refusedRole, 403, true},
			{"S117 a tampered token", "/notes", tampered, row.bad, true},
			{"S117 not a token", "/notes", "Bearer x", row.bad, true},
			{"S117 another scheme", "/notes", "Basic " + lin[7:], row.bad, true},
		} {
			t.Run(tc.name+": "+name, func(t *testing.T) {
				got := j.says(t, tc.path, tc.authorization)
				if got.Status != tc.status || got.Asked != tc.asked || got.Err != nil {
					t.Errorf("%+v, want %d", got, tc.status)
				}
				silentAbout(t, lin[7:], string(got.Context)+got.Reason)
			})
		}
		t.Run("S117 an expired token: "+name, func(t *testing.T) {
			j.clock.Pass(11 * time.Minute)
			defer j.clock.Pass(-11 * time.Minute)
			if got := j.says(t, "/notes", lin); got.Status != row.bad {
				t.Errorf("%+v, want %d", got, row.bad)
			}
		})
		t.Run("S123 I32 the context is one that every kind takes, and says who: "+name, func(t *testing.T) {
			got := j.says(t, "/admin", ada)
			var members map[string]any
			if err := json.Unmarshal(got.Context, &members); err != nil {
				t.Fatal(err)
			}
			who, err := identity.FromMap(members)
			if err != nil || who.Subject != "u_ada" || !who.HasRole("admin") || who.ExpiresAt.Unix() != j.clock.Now().Add(10*time.Minute).Unix() {
				t.Errorf("%v, %v", members, err)
			}
			if _, has := members["claims"]; has || !row.simple && got.Principal != "u_ada" {
				t.Errorf("%v for %q", members, got.Principal)
			}
			for name, value := range members {
				switch value.(type) {
				case string, float64, bool:
				default:
					t.Errorf("%s is %v", name, value)
				}
			}
		})
		t.Run("trouble of our own: "+name, func(t *testing.T) {
			j := newJudge(t, i, judgedAPI, 0, judgedRules)
			j.issuer.says(503, "")
			if got := j.says(t, "/notes", lin); got.Status != 500 {
				t.Errorf("%+v", got)
			}
		})
		for _, partition := range []string{"aws-cn:execute-api:cn-north-1", "aws-us-gov:execute-api:us-gov-west-1"} {
			t.Run("S122 "+partition+": "+name, func(t *testing.T) {
				j := newJudge(t, i, "arn:"+partition+":123456789012:abcdef1234", 0, judgedRules)
				if got := j.says(t, "/notes", lin); got.Status != 200 {
					t.Errorf("%+v", got)
				}
				if got := j.says(t, "/admin", refusedRole); got.Status != 403 {
					t.Errorf("%+v", got)
				}
			})
		}
	}
}

// TestJudgedKept lets the gateways keep the answers.
func TestJudgedKept(t *testing.T) {
	for i, row := range judges {
		if row.kind == gateway.WebSocket {
			continue // keeps none
		}
		name := row.kind.String()
		if row.simple {
			name += ", simple"
		}
		t.Run("S120 I30 I31 one answer is right for every route: "+name, func(t *testing.T) {
			j := newJudge(t, i, judgedAPI, time.Minute, judgedRules)
			lin, ada := "Bearer "+j.rawToken(t, "u_lin", "user"), "Bearer "+j.rawToken(t, "u_ada", "admin")
			for n, step := range []struct {
				path, authorization string
				status              int
				cached              bool // unless the route is an identity source
			}{
				{"/a", lin, 200, false}, {"/b", lin, 200, true}, {"/admin", lin, 403, true}, {"/a", lin, 200, true},
				{"/admin", ada, 200, false}, {"/a", ada, 200, true}, {"/admin", lin, 403, true},
			} {
				got := j.says(t, step.path, step.authorization)
				if got.Status != step.status || !row.simple && got.Cached != step.cached {
					t.Errorf("step %d: %+v, want %d", n, got, step.status)
				}
			}
		})
		t.Run("S125 at most the TTL after the end of a token: "+name, func(t *testing.T) {
			j := newJudge(t, i, judgedAPI, time.Minute, judgedRules)
			lin := "Bearer " + j.rawToken(t, "u_lin", "user")
			j.clock.Pass(10*time.Minute + 29*time.Second) // of 30 seconds of leeway
			for _, step := range []struct {
				wait   time.Duration
				status int
			}{{0, 200}, {59 * time.Second, 200}, {time.Second, row.bad}} {
				j.clock.Pass(step.wait)
				if got := j.says(t, "/a", lin); got.Status != step.status {
					t.Errorf("%+v, want %d", got, step.status)
				}
			}
		})
	}
}

// TestJudgedSizes has as many rules as the authorizer takes. What it then
// answers, every gateway takes.
func TestJudgedSizes(t *testing.T) {
	most := []policy.Rule{{Route: "GET /a"}}
	for rules := slices.Clone(most); len(rules) < 500; {
		n := len(rules)
		rules = append(rules, policy.Rule{Route: "GET /" + strings.Repeat(string(rune('a'+n%26)), 20+n/26), Roles: []string{"admin"}})
		p, err := policy.Compile(rules)
		if err != nil {
			t.Fatal(err)
		}
		keys := func(context.Context, string) (*rsa.PublicKey, error) { return nil, errors.New("not asked") }
		if _, err := authorizer.New(authorizer.Config{Issuer: issuer, Audience: audience, Keys: keys, Policy: p, IAM: true}); err != nil {
			break
		}
		most = slices.Clone(rules)
	}
	if len(most) < 20 {
		t.Fatalf("only %d rules", len(most))
	}
	for i, row := range judges[1:5] {
		t.Run("S119 "+row.kind.String(), func(t *testing.T) {
			j := newJudge(t, i+1, judgedAPI, time.Minute, most)
			lin := "Bearer " + j.rawToken(t, "u_lin", "user")
			if got := j.says(t, "/a", lin); got.Status != 200 {
				t.Errorf("%+v", got)
			}
			for _, rule := range most[1:] {
				if got := j.says(t, rule.Route[4:], lin); got.Status != 403 || !got.Cached {
					t.Errorf("%s: %+v", rule.Route, got)
				}
			}
		})
	}
}

package model_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/model"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

var traces = flag.Int("traces", 100, "how many random traces of the model are replayed on each engine")

var only = flag.Int("replay", -1, "replays the trace with this number alone")

// gate stops a request before each of its writes, and while it sleeps.
type gate struct {
	parked  chan bool // whether it sleeps
	proceed chan struct{}
	writes  bool // it stops before writes, too
}

type gateKey struct{}

func pass(ctx context.Context, sleeps bool) {
	if g, ok := ctx.Value(gateKey{}).(*gate); ok && (sleeps || g.writes) {
		g.parked <- sleeps
		<-g.proceed
	}
}

func sleep(ctx context.Context, _ time.Duration) error {
	pass(ctx, true)
	return ctx.Err()
}

// gated is a table that stops requests before they write.
type gated struct{ table.Table }

func (g gated) Write(ctx context.Context, writes ...table.Write) error {
	if len(writes) > 1 || !beside(writes[0]) {
		pass(ctx, false)
	}
	return g.Table.Write(ctx, writes...)
}

// beside tells whether a write alone is none of the model: the check that the actor
// is an admin, or the marker before the first row in another partition of the feed.
func beside(w table.Write) bool {
	return w.Op == table.OpCheck || strings.HasSuffix(w.Key.SK, "#"+schema.RevocationMarkerID)
}

// call is a request under way.
type call struct {
	gate
	done     chan answered
	family   int8 // of a renewal
	presents int  // number of the refresh token
}

// result is what an action led to in the real service.
type result struct {
	model.Answer
	sleeps bool
	got    answered
	call   *call
}

// start starts a request and lets it run until it stops.
func (r *rig) start(a model.Action, atomic bool) *call {
	c := &call{gate: gate{make(chan bool), make(chan struct{}), !atomic}, done: make(chan answered, 1), family: a.X}
	if a.Op == model.Renew || a.Op == model.Revoke {
		c.presents = len(r.refresh[a.X]) - 1 - int(a.Y)
	}
	ctx := context.WithValue(r.t.Context(), gateKey{}, &c.gate)
	go func() { c.done <- r.request(ctx, a, c) }()
	return c
}

// stops waits until a request stops.
func (r *rig) stops(slot int8) result {
	c := r.requests[slot]
	select {
	case sleeps := <-c.parked:
		return result{Answer: model.Waits, sleeps: sleeps, call: c}
	case got := <-c.done:
		r.requests[slot] = nil
		switch {
		case got.AccessToken != "":
			return result{Answer: model.Issued, got: got, call: c}
		case got.status == http.StatusBadRequest:
			return result{Answer: model.Refused, call: c}
		case got.status >= 500:
			return result{Answer: model.Unknown, got: got, call: c}
		}
		return result{Answer: model.Done, call: c}
	}
}

// request is the whole of a request.
func (r *rig) request(ctx context.Context, a model.Action, c *call) answered {
	operator, self := usersvc.By{Operator: "test"}, usersvc.By{UserID: r.user}
	var err error
	switch a.Op {
	case model.Redeem:
		return r.redeem(ctx, a.Client, a.X)
	case model.Renew:
		return r.token(ctx, url.Values{"grant_type": {"refresh_token"}, "client_id": {clientIDs[a.Client]}, "refresh_token": {r.refresh[a.X][c.presents]}})
	case model.Revoke:
		status, _, _ := r.send(ctx, "POST", "/revoke", url.Values{"client_id": {clientIDs[a.Client]}, "token": {r.refresh[a.X][c.presents]}}, -1)
		return answered{status: status}
	case model.Withdraw:
		err = r.users.WithdrawConsent(ctx, self, clientIDs[model.Third])
	case model.Unlink:
		_, err = r.users.Unlink(ctx, operator, r.user, r.identity)
	case model.End:
		return r.admins(ctx, "DELETE", "/sessions/"+r.sessions[a.X].ID, "")
	case model.Suspend:
		return r.admins(ctx, "POST", "/suspend", "")
	case model.Demote:
		return r.admins(ctx, "PUT", "/roles", `{"roles":["user"]}`)
	}
	if err != nil && !slices.ContainsFunc([]error{usersvc.ErrNoIdentity, usersvc.ErrForbidden}, func(e error) bool { return strings.Contains(err.Error(), e.Error()) }) {
		return answered{status: 500, Error: err.Error()}
	}
	return answered{}
}

// admins sends a request of the admin to the API about the user.
func (r *rig) admins(ctx context.Context, method, path, body string) answered {
	req := httptest.NewRequestWithContext(identity.NewContext(ctx, r.admin), method, "/users/"+r.user+path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	r.api.ServeHTTP(rec, req)
	if rec.Code >= 400 && rec.Code < 500 && rec.Code != http.StatusNotFound {
		return answered{status: 500, Error: rec.Body.String()}
	}
	return answered{status: max(rec.Code, 200) / 500 * 500, Error: rec.Body.String()}
}

// do does an action of the model in the real service. After is the model's state
// after it, slot the place of its request.
func (r *rig) do(a model.Action, p *model.Params, slot int8, after model.State) result {
	switch a.Op {
	case model.Tick:
		r.clock.Pass(seconds(a.X))
	case model.Approve:
		code := r.approve(a)
		for i, c := range after.Codes {
			if c.Made && r.codes[i].text == "" {
				r.codes[i] = code
				break
			}
		}
		return result{Answer: model.Done}
	case model.Obtain:
		before := r.codes[0]
		r.codes[0] = r.approve(a)
		got := r.redeem(r.t.Context(), a.Client, 0)
		r.codes[0] = before
		switch {
		case got.status >= 500:
			return result{Answer: model.Unknown}
		case got.AccessToken == "":
			return result{Answer: model.Refused}
		}
		return result{Answer: model.Issued, got: got}
	case model.Activate:
		r.admins(r.t.Context(), "POST", "/activate", "")
		return result{Answer: model.Done}
	case model.Step:
		r.requests[slot].proceed <- struct{}{}
		return r.stops(slot)
	case model.Cut:
		r.down = !r.down
	case model.Check, model.Fresh:
		return result{Answer: r.judge(a)}
	case model.Rotate:
		if report, err := r.rotator.Rotate(r.t.Context()); report.Promoted == "" {
			return result{Answer: model.Refused, got: answered{Error: fmt.Sprint(err)}}
		}
		return result{Answer: model.Done}
	case model.Compromise:
		_, err := r.rotator.Compromise(r.t.Context(), keys.Thumbprint(pool()[a.X].Public()))
		r.must(err)
		return result{Answer: model.Done}
	case model.Verify:
		return result{Answer: r.verify(a, p)}
	default:
		r.requests[slot] = r.start(a, p.Atomic)
		return r.stops(slot)
	}
	return result{}
}

func (r *rig) judge(a model.Action) model.Answer {
	req := httptest.NewRequestWithContext(r.t.Context(), "GET", "/", nil)
	req.Header.Set("Authorization", "Bearer "+r.tokens[a.X])
	rec := httptest.NewRecorder()
	r.guard[a.Op == model.Fresh].ServeHTTP(rec, req)
	switch rec.Code {
	case http.StatusOK:
		return model.Allowed
	case http.StatusInternalServerError:
		return model.Unknown
	}
	return model.Denied
}

// verify decides as a gateway that keeps the JWK Set for long.
func (r *rig) verify(a model.Action, p *model.Params) model.Answer {
	if r.known == nil || r.clock.Now().Sub(r.fetched) >= seconds(p.GatewayAge) {
		_, body, _ := r.send(r.t.Context(), "GET", "/.well-known/jwks.json", nil, -1)
		var set struct{ Keys []struct{ Kid string } }
		r.must(json.Unmarshal([]byte(body), &set))
		r.known, r.fetched = []string{}, r.clock.Now()
		for _, k := range set.Keys {
			r.known = append(r.known, k.Kid)
		}
	}
	header, claims := r.read(r.tokens[a.X])
	if slices.Contains(r.known, header.KeyID) && r.clock.Now().Unix() < claims.ExpiresAt {
		return model.Allowed
	}
	return model.Denied
}

type header struct {
	KeyID string `json:"kid"`
}

type claims struct {
	ClientID  string   `json:"client_id"`
	SessionID string   `json:"sid"`
	Roles     []string `json:"roles"`
	IssuedAt  int64    `json:"iat"`
	ExpiresAt int64    `json:"exp"`
}

func (r *rig) read(rawToken string) (h header, c claims) {
	parts := strings.Split(rawToken, ".")
	for i, v := range []any{&h, &c} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		r.must(err)
		r.must(json.Unmarshal(text, v))
	}
	return h, c
}

// differs compares what an action led to in the service and in the model. It
// returns "" if that is the same.
func (r *rig) differs(a model.Action, got result, out model.Outcome, after model.State) string {
	if got.Answer != out.Answer {
		return fmt.Sprintf("service: %v %s; model: %v", got.Answer, got.got.Error, out)
	}
	switch out.Answer {
	case model.Waits:
		if got.sleeps != after.Requests[out.Slot].Sleeps {
			return fmt.Sprintf("sleeps: service %v", got.sleeps)
		}
	case model.Issued:
		want := after.Tokens[out.Token]
		header, c := r.read(got.got.AccessToken)
		real := []any{c.ClientID, c.SessionID, slices.Contains(c.Roles, usersvc.Admin), c.IssuedAt - r.began.Unix(), header.KeyID}
		modeled := []any{clientIDs[want.Client], r.sessions[want.Session].ID, want.Admin, int64(want.IssuedAt), keys.Thumbprint(pool()[want.Key].Public())}
		if !slices.Equal(real, modeled) {
			return fmt.Sprintf("service: token %v; model: %v", real, modeled)
		}
		r.tokens[out.Token] = got.got.AccessToken
		return r.differsRefresh(got, out)
	}
	return ""
}

// differsRefresh compares the refresh token.
func (r *rig) differsRefresh(got result, out model.Outcome) string {
	text := got.got.RefreshToken
	if (text != "") != (out.Family > 0) {
		return fmt.Sprintf("refresh token: service %v", text != "")
	}
	if out.Family == 0 {
		return ""
	}
	known := &r.refresh[out.Family-1]
	next := 0
	if len(*known) > 0 {
		next = got.call.presents + 1
	}
	if next == len(*known) {
		*known = append(*known, text)
	}
	if next > len(*known)-1 || (*known)[next] != text {
		return "another successor"
	}
	return ""
}

// replay walks through a scope at random, in the model and in the service, and
// compares each step. It returns the trace, and the difference if there is one.
func (r *rig) replay(s *model.Scope, random *rand.Rand, steps int) (trace []model.Action, difference string) {
	state, stops := s.Begin, map[int8]int{}
	for {
		a, after, out, ok := pick(s, state, random, len(trace) >= steps)
		if a.Op == model.Step {
			stops[out.Slot]++
		}
		if !ok || stops[out.Slot] > 5 { // the service gives up after eight writes
			r.drain()
			return trace, ""
		}
		if after.Requests[out.Slot].Op == model.None {
			stops[out.Slot] = 0
		}
		trace = append(trace, a)
		if d := r.differs(a, r.do(a, &s.Params, out.Slot, after), out, after); d != "" {
			return trace, d
		}
		state = after
	}
}

// drain lets all requests finish.
func (r *rig) drain() {
	for _, c := range r.requests {
		for c != nil {
			select {
			case <-c.parked:
			case c.proceed <- struct{}{}:
			case <-c.done:
				c = nil
			}
		}
	}
}

// pick picks an action that can be done. At the end it lets requests finish.
func pick(s *model.Scope, state model.State, random *rand.Rand, end bool) (model.Action, model.State, model.Outcome, bool) {
	actions := slices.Clone(s.Actions)
	random.Shuffle(len(actions), func(i, j int) { actions[i], actions[j] = actions[j], actions[i] })
	if end {
		actions = []model.Action{{Op: model.Step}, {Op: model.Step, X: 1}, {Op: model.Tick, X: 1}}
		if state.Requests[0].Op == model.None && state.Requests[1].Op == model.None {
			return model.Action{}, state, model.Outcome{}, false
		}
	}
	for _, a := range actions {
		if after, out, _, ok := s.Next(state, a); ok {
			return a, after, out, true
		}
	}
	return model.Action{}, state, model.Outcome{}, false
}

// replayed is a scope with the settings of a real service.
func replayed(s *model.Scope) *model.Scope {
	copied := *s
	s = &copied
	s.Life, s.Leeway, s.CodeLife, s.DeviceLife, s.Grace = 20, 5, 30, 600, 10
	s.Interval, s.MaxStale, s.Remembers, s.Overlap, s.Horizon = 2, 10, s.Life+90, 3, 55 // for longer than a minute no request takes
	ticks := []int8{1, 1, 2, 9}
	switch {
	case s.Keys:
		s.Life, s.Lead, s.ShortLead, s.Keep, s.Staleness, s.SourceAge, s.SourcePause, s.GatewayAge = 120, 600, 360, 480, 5, 20, 10, 300
		s.Horizon, ticks = 3000, []int8{1, 4, 60, 120, 120, 120}
	case s.Behind > 0:
		s.Behind, s.Horizon, ticks = 5, 600, []int8{1, 1, 2, 9, 60}
	}
	s.Room = 9
	s.Actions = slices.DeleteFunc(slices.Clone(s.Actions), func(a model.Action) bool { return a.Op == model.Tick })
	for _, d := range ticks {
		s.Actions = append(s.Actions, model.Action{Op: model.Tick, X: d})
	}
	return s
}

// TestReplay holds the model against the code.
func TestReplay(t *testing.T) {
	engines := map[string]func(*testing.T) func() table.Table{
		"bolt": func(t *testing.T) func() table.Table {
			return func() table.Table {
				bolt, err := bolttable.Open(filepath.Join(t.TempDir(), "table.db"), bolttable.Options{UnsafeNoSync: true})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { bolt.Close() })
				return bolt
			}
		},
		"dynamodb": func(t *testing.T) func() table.Table {
			client, n := dynamotest.Client(dynamotest.Endpoint(t, os.Getenv), nil), 0
			return func() table.Table {
				n++
				name := fmt.Sprintf("replay-%d", n)
				if err := dynamotable.Create(t.Context(), client, dynamotest.Definition(name)); err != nil {
					t.Fatal(err)
				}
				return dynamotable.New(client, name)
			}
		},
	}
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			open := open(t)
			var r *rig
			scopes := model.Scopes()
			for n := range *traces {
				if *only >= 0 && n != *only {
					continue
				}
				if r == nil || n%50 == 0 {
					r = newRig(t, open())
				}
				s := replayed(scopes[n%len(scopes)])
				r.begin(s, fmt.Sprintf("person-%d", n))
				trace, difference := r.replay(s, rand.New(rand.NewPCG(uint64(n), 22)), 25)
				if difference != "" {
					t.Fatalf("trace %d of scope %s: %s\n%s", n, s.Name, difference, s.Tell(trace))
				}
			}
		})
	}
}

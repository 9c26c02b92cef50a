package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

// banner is what dev tells when it is ready.
type banner struct {
	Issuer    string   `json:"issuer"`
	Audience  string   `json:"audience"`
	Tour      string   `json:"tour"`
	Login     string   `json:"login"`
	DemoAPI   string   `json:"demo_api"`
	Account   string   `json:"account"`
	Admin     string   `json:"admin"`
	Discovery string   `json:"discovery"`
	JWKS      string   `json:"jwks"`
	Demo      string   `json:"demo_provider"`
	Users     []string `json:"users"`
	Providers []string `json:"providers"` // besides the demo provider
	Upstream  string   `json:"upstream,omitempty"`
	Functions []string `json:"functions,omitempty"` // the team's, that run
	REST      string   `json:"rest_api,omitempty"`
	WebSocket string   `json:"websocket_api,omitempty"`
	Findings  []string `json:"findings,omitempty"` // what is left out, or probably a slip
	Data      string   `json:"data,omitempty"`
	ReadyMS   int64    `json:"ready_ms"` // milliseconds since the process began

	self  string
	ready time.Duration
}

func newBanner(c *devCommand, w *process, s *server.Server, took time.Duration) *banner {
	return &banner{
		Issuer: s.Issuer, Audience: s.Audience, Tour: s.Issuer + "/", Login: s.Issuer + "/login", DemoAPI: s.Issuer + "/demo/hello",
		Account: s.Issuer + "/account", Admin: s.Issuer + "/admin",
		Discovery: s.Issuer + "/.well-known/openid-configuration", JWKS: s.Issuer + "/.well-known/jwks.json",
		Demo: s.DemoURL + "/", Users: []string{"ada", "lin", "sam"}, Providers: append([]string{}, s.Providers...),
		Upstream: c.Upstream, Functions: s.Functions, REST: s.REST, WebSocket: s.WebSocket, Findings: s.Findings, Data: c.Data, ReadyMS: took.Milliseconds(), self: w.self, ready: took,
	}
}

func (b *banner) writeJSON(w io.Writer) error {
	return json.NewEncoder(w).Encode(b)
}

// defaultIssuer is what the token command assumes.
const defaultIssuer = "http://localhost:8787"

// writeText writes at most 24 lines and one for each finding, so that all of them
// are on the screen.
func (b *banner) writeText(out io.Writer, colour bool) error {
	strong, faint, plain := "", "", ""
	if colour {
		strong, faint, plain = "\x1b[1m", "\x1b[2m", "\x1b[0m"
	}
	var s strings.Builder
	row := func(name, address, remark string) {
		line := fmt.Sprintf("  %-17s %s%-*s%s", name, strong, 36, address, plain)
		if remark != "" {
			line += " " + faint + remark + plain
		}
		s.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	fmt.Fprintf(&s, "%sgatehouse dev%s · %s\n\n", strong, plain, b.mode())
	row("Start here", b.Tour, "guided tour, 3 clicks")
	row("Sign in", b.Login, "")
	row("Demo API", b.DemoAPI, "behind the authorizer")
	if b.Upstream != "" {
		row("Your API", b.Issuer+"/…", "behind the authorizer, from "+b.Upstream)
	}
	if len(b.Functions) > 0 {
		row("Your functions", strings.Join(b.Functions, " "), "rebuilt when you save")
	}
	if b.REST != "" {
		row("Your REST API", b.REST+"/…", "")
	}
	if b.WebSocket != "" {
		row("Your WebSockets", b.WebSocket, "")
	}
	row("Your account", b.Account, "")
	row("Admin", b.Admin, "sign in as Ada")
	row("Discovery, keys", b.Discovery, "  /.well-known/jwks.json")
	row("Demo provider", b.Demo, "Ada (admin) · Lin (user) · Sam (suspended)")
	token := b.self + " token --as lin"
	if b.Issuer != defaultIssuer {
		token += " --url " + b.Issuer
	}
	fmt.Fprintf(&s, "\n  Without a browser:\n    curl -i %s\n    TOKEN=$(%s)\n    curl -s %s -H \"Authorization: Bearer $TOKEN\"\n\n", b.DemoAPI, token, b.DemoAPI)
	if b.Upstream == "" && len(b.Functions) == 0 {
		s.WriteString("  Your own API behind it:  gatehouse dev --upstream http://localhost:3000\n")
	}
	if len(b.Providers) == 0 {
		s.WriteString("  Real Google sign-in:     gatehouse dev --env .env        (docs/GOOGLE.md)\n")
	}
	for _, finding := range b.Findings {
		s.WriteString("  ! " + finding + "\n")
	}
	fmt.Fprintf(&s, "  ready in %.2f s · Ctrl-C stops · %s\n", b.ready.Seconds(), b.keeps())
	_, err := io.WriteString(out, s.String())
	return err
}

func (b *banner) mode() string {
	mode := "local mode: throw-away table and RS256 key"
	if b.Data != "" {
		mode = "local mode: table and RS256 key in " + b.Data
	}
	if len(b.Providers) > 0 {
		return mode + ", sign-in at " + strings.Join(b.Providers, ", ") + " too"
	}
	return mode + ", nothing leaves this machine"
}

func (b *banner) keeps() string {
	if b.Data != "" {
		return "the state stays in " + b.Data
	}
	return "--data DIR keeps the state"
}

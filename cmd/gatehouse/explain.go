package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
	"github.com/gatehouse-auth/gatehouse/internal/explain"
)

type explainCommand struct {
	Token    string `arg:"" help:"The token; - reads it from stdin, so that it is in no list of processes."`
	Route    string `placeholder:"KEY" help:"The route that it is to open, such as 'GET /users'. Without it, one that has no rule."`
	URL      string `name:"url" default:"http://localhost:8787" placeholder:"URL" help:"The issuer whose keys count (${default})."`
	Audience string `placeholder:"NAME" help:"The API that the token must be for (what gatehouse.yml says)."`
	Config   string `placeholder:"FILE" help:"The configuration with the rules (gatehouse.yml here; where there is none, the built-in one)."`
	Output   string `short:"o" default:"text" enum:"text,json" help:"Print it as text or as json."`
}

// Run asks the authorizer, and prints what it says and why.
func (c *explainCommand) Run(w *process) error {
	ctx := context.Background()
	rawToken := c.Token
	if rawToken == "-" {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
		if err != nil {
			return fmt.Errorf("reading the token: %w", err)
		}
		rawToken = string(text)
	}
	rawToken = strings.TrimSpace(rawToken)
	if scheme, rest, ok := strings.Cut(rawToken, " "); ok && strings.EqualFold(scheme, "Bearer") { // a header's value, as it was copied
		rawToken = strings.TrimSpace(rest)
	}
	q, err := c.question(ctx, w, rawToken)
	if err != nil {
		return err
	}
	answer, err := explain.Ask(ctx, q)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return json.NewEncoder(w.stdout).Encode(answer)
	}
	return writeAnswer(w.stdout, answer, time.Now())
}

// question gathers what the authorizer at the URL knows.
func (c *explainCommand) question(ctx context.Context, w *process, rawToken string) (explain.Question, error) {
	q := explain.Question{RawToken: rawToken, Route: c.Route, Audience: c.Audience}
	var err error
	if q.Issuer, err = signin.Issuer(ctx, c.URL); errors.Is(err, signin.ErrNotRunning) {
		return q, fmt.Errorf("%w: start it with: %s dev, or name another with --url", err, w.self)
	} else if err != nil {
		return q, err
	}
	cfg, err := server.ReadConfig(c.Config, q.Issuer, w.getenv)
	if err != nil {
		return q, err
	}
	if q.Audience == "" {
		q.Audience = cfg.Audience
	}
	rules := cfg.Routes
	if strings.HasPrefix(q.Issuer, "http://") { // only gatehouse dev is
		rules = server.Rules(cfg)
	}
	if q.Policy, err = policy.Compile(rules); err != nil {
		return q, err
	}
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: q.Issuer + "/.well-known/jwks.json"})
	if err != nil {
		return q, err
	}
	q.Keys = keys.Key
	q.Revocations, err = authorizer.NewFeed(authorizer.FeedConfig{URL: q.Issuer + "/revocations"})
	return q, err
}

// writeAnswer prints the answer first, then what the token says of itself.
func writeAnswer(out io.Writer, a *explain.Answer, now time.Time) error {
	var s strings.Builder
	route := a.Route
	if route == "" {
		route = "a route without a rule"
	}
	if a.Allowed {
		fmt.Fprintf(&s, "%s: allowed, %s\n", route, a.Because)
	} else {
		fmt.Fprintf(&s, "%s: refused, %s\n  reason=%s\n", route, a.Because, a.Reason)
	}
	for _, part := range []struct {
		title  string
		values map[string]any
	}{{"The function is told", a.Identity}, {"Header", a.UnverifiedHeader}, {"Claims", a.UnverifiedClaims}} {
		if len(part.values) == 0 {
			continue
		}
		fmt.Fprintf(&s, "\n%s\n", part.title)
		for _, name := range slices.Sorted(maps.Keys(part.values)) {
			fmt.Fprintf(&s, "  %-10s %s\n", name, shown(name, part.values[name], now))
		}
	}
	_, err := io.WriteString(out, s.String())
	return err
}

// shown prints a value of a token on one line; instants also as people say them.
func shown(name string, value any, now time.Time) string {
	if text, ok := value.(string); ok { // escaped: it may hold what terminals obey
		return strings.Trim(strconv.QuoteToGraphic(text), `"`)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	seconds, isNumber := value.(float64)
	if slices.Contains([]string{"exp", "iat", "nbf", "auth_time"}, name) && isNumber {
		at := time.Unix(int64(seconds), 0)
		distance := at.Sub(now).Round(time.Second)
		switch {
		case distance == 0:
			return fmt.Sprintf("%.0f  (now)", seconds)
		case distance < 0:
			return fmt.Sprintf("%.0f  (%v ago)", seconds, -distance)
		}
		return fmt.Sprintf("%.0f  (in %v)", seconds, distance)
	}
	return string(text)
}

package main

import (
	"cmp"
	"context"
	"encoding/base64"
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
	"github.com/gatehouse-auth/gatehouse/internal/setup/guard"
)

type explainCommand struct {
	Token    string `arg:"" help:"The token; - reads it from stdin, so that it is in no list of processes."`
	Route    string `placeholder:"KEY" help:"The route that it is to open, such as 'GET /users'. Without it, one that has no rule."`
	URL      string `name:"url" default:"http://localhost:8787" placeholder:"URL" help:"The issuer whose keys count (${default})."`
	Audience string `placeholder:"NAME" help:"The API that the token must be for (what gatehouse.yml says)."`
	Config   string `placeholder:"FILE" help:"The configuration with the rules (gatehouse.yml here; where there is none, the built-in one)."`
	outputFlag
}

// Run asks the authorizer, and prints what it says and why. A refusal is [errRefused].
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
	a, err := c.authorizer(ctx, w)
	if err != nil {
		return err
	}
	answer := explanation{UnverifiedHeader: unverified(rawToken, 0), UnverifiedClaims: unverified(rawToken, 1)}
	if answer.Explanation, err = a.Explain(ctx, rawToken, c.Route); err != nil {
		return err
	}
	if c.json() {
		err = w.printJSON(answer)
	} else {
		err = answer.write(w.stdout, time.Now())
	}
	if err == nil && !answer.Allowed {
		err = errRefused
	}
	return err
}

// authorizer returns the authorizer of the issuer at the URL.
func (c *explainCommand) authorizer(ctx context.Context, w *process) (*authorizer.Authorizer, error) {
	issuer, err := signin.Issuer(ctx, c.URL)
	if errors.Is(err, signin.ErrNotRunning) {
		return nil, fmt.Errorf("%w: start it with: %s dev, or name another with --url", err, w.self)
	} else if err != nil {
		return nil, err
	}
	cfg, err := server.ReadConfig(c.Config, issuer, w.getenv)
	if err != nil {
		return nil, err
	}
	rules := cfg.Rules()
	if strings.HasPrefix(issuer, "http://") { // only gatehouse dev is
		rules = server.Rules(cfg)
	}
	if slices.ContainsFunc(cfg.Routes, func(r policy.Rule) bool { return r.Route == c.Route }) {
		rules = cfg.Routes // of the team's API, also where Gatehouse has a route of the name
	}
	compiled, err := policy.Compile(rules)
	if err != nil {
		return nil, err
	}
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: issuer + "/.well-known/jwks.json"})
	if err != nil {
		return nil, err
	}
	feed, err := authorizer.NewFeed(authorizer.FeedConfig{URL: issuer + "/revocations"})
	if err != nil {
		return nil, err
	}
	others, err := guard.Issuers(issuer, cfg.Issuers, nil, nil)
	if err != nil {
		return nil, err
	}
	return authorizer.New(authorizer.Config{
		Issuers: others,
		Issuer:  issuer, Audience: cmp.Or(c.Audience, cfg.Audience), Keys: keys.Key, Policy: compiled, Revocations: feed,
	})
}

// explanation is the authorizer's decision, and what the token says of itself, even
// if it is not to be trusted.
type explanation struct {
	authorizer.Explanation
	UnverifiedHeader map[string]any `json:"unverified_header,omitempty"`
	UnverifiedClaims map[string]any `json:"unverified_claims,omitempty"`
}

// unverified decodes one segment of a token, or returns nil if it cannot.
func unverified(rawToken string, segment int) map[string]any {
	parts := strings.Split(rawToken, ".")
	if len(parts) != 3 {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[segment])
	if err != nil {
		return nil
	}
	var m map[string]any
	_ = json.Unmarshal(text, &m) // nil if it is not an object
	return m
}

// write prints the decision first, then what the token says of itself.
func (e *explanation) write(out io.Writer, now time.Time) error {
	var s strings.Builder
	route := cmp.Or(e.Route, "a route without a rule")
	if e.Allowed {
		fmt.Fprintf(&s, "%s: allowed, %s\n", route, e.Detail)
	} else {
		fmt.Fprintf(&s, "%s: refused, %s\n  reason=%s\n", route, e.Detail, e.Reason)
	}
	for _, part := range []struct {
		title  string
		values map[string]any
	}{{"Identity", e.Identity}, {"Header", e.UnverifiedHeader}, {"Claims", e.UnverifiedClaims}} {
		if len(part.values) == 0 {
			continue
		}
		fmt.Fprintf(&s, "\n%s\n", part.title)
		for _, name := range slices.Sorted(maps.Keys(part.values)) {
			if part.values[name] != "" {
				fmt.Fprintf(&s, "  %-11s %s\n", name, shown(name, part.values[name], now))
			}
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

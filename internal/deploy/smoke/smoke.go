// Package smoke proves that a running stack does its work: a call without a
// token is refused, one with a token is answered, and one without the right is
// forbidden; the documents are there, and a token verifies against them.
package smoke

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/doctor"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// Config says what runs, and who may test it.
type Config struct {
	URL      string // the issuer
	Audience string // of access tokens; "": the issuer followed by /api

	// Token is an access token of somebody who is no admin; "" leaves out the
	// steps that need one.
	Token string

	Client *http.Client     // nil: one that waits 10 s
	Now    func() time.Time // nil: time.Now
}

// Step is one thing that was tried.
type Step struct {
	Name    string `json:"name"`
	Failure string `json:"failure,omitempty"` // "": it went well
	Skipped bool   `json:"skipped,omitempty"`
	Found   string `json:"found,omitempty"` // what was found out; neither right nor wrong
}

func (s Step) String() string {
	switch {
	case s.Skipped:
		return "skip  " + s.Name
	case s.Failure != "":
		return fmt.Sprintf("FAIL  %s: %s", s.Name, s.Failure)
	case s.Found != "":
		return fmt.Sprintf("known %s: %s", s.Name, s.Found)
	}
	return "ok    " + s.Name
}

// Run tries everything, also after a failure, and returns the steps in order.
func Run(ctx context.Context, c Config) []Step {
	if c.Audience == "" {
		c.Audience = c.URL + "/api"
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	var steps []Step
	try := func(name string, needsToken bool, f func() error) {
		if needsToken && c.Token == "" {
			steps = append(steps, Step{Name: name, Skipped: true})
			return
		}
		s := Step{Name: name}
		if err := f(); err != nil {
			s.Failure = err.Error()
		}
		steps = append(steps, s)
	}
	try("discovery, keys, headers, feed and pages are sound", false, func() error { return c.sound(ctx) })
	for _, call := range matrix {
		try(call.name, call.bearer == theirs || call.bearer == tampered, func() error { return c.call(ctx, call) })
	}
	found, err := c.refusal(ctx)
	s := Step{Name: "a refused token is answered", Found: found}
	if err != nil {
		s.Failure = err.Error()
	}
	steps = append(steps, s)
	try("the token verifies against the published keys", true, func() error { return c.verify(ctx) })
	try("with a token, GET /userinfo names its subject", true, func() error { return c.userinfo(ctx) })
	return steps
}

// sound is everything that the doctor sees from outside.
func (c *Config) sound(ctx context.Context) error {
	var errs []error
	for _, f := range doctor.Live(ctx, c.URL).Findings {
		if !f.Remark {
			errs = append(errs, errors.New(f.Where+": "+f.Text))
		}
	}
	return errors.Join(errs...)
}

// verify looks at the token as any resource server would.
func (c *Config) verify(ctx context.Context) error {
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{URL: c.URL + "/.well-known/jwks.json", Now: c.Now})
	if err != nil {
		return err
	}
	_, err = token.VerifyAccess(ctx, c.Token, keys.Key, token.Expect{Issuer: c.URL, Audience: c.Audience, Now: c.Now(), Leeway: 30 * time.Second})
	return err
}

func (c *Config) userinfo(ctx context.Context) error {
	got, err := c.get(ctx, "/userinfo", "Bearer "+c.Token)
	switch {
	case err != nil:
		return err
	case got.status == http.StatusForbidden:
		return nil // a token without the scope openid gets insufficient_scope
	case got.status != http.StatusOK || !strings.Contains(got.body, `"sub"`):
		return fmt.Errorf("answers %d, want 200 with sub", got.status)
	}
	return nil
}

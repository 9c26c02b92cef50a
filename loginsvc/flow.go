package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// flow is a sign-in under way at a provider. Its row is kept under the
// fingerprint of the state that the provider gives back; the browser that
// started it holds a secret of which the row has the fingerprint, and from which
// the nonce and the PKCE verifier are derived. So the state alone finishes
// nothing, nor does a dump of the table.
type flow struct {
	Provider  string  // its id
	Purpose   purpose // what the sign-in is for
	Browser   string  // fingerprint of the browser's secret
	CreatedAt time.Time
	ExpiresAt time.Time
	Used      bool
}

// started is a flow together with the secrets that are not kept.
type started struct{ state, secret string }

func (f started) nonce() string    { return derive(f.secret, "nonce") }
func (f started) verifier() string { return derive(f.secret, "verifier") }

var (
	errFlowUnknown = errors.New("state is unknown")
	errFlowUsed    = errors.New("state was used before")
	errFlowExpired = errors.New("state has expired")
	errFlowForeign = errors.New("state belongs to another provider")
	errFlowBrowser = errors.New("state belongs to another browser")
)

func flowKey(state string) table.Key { return schema.Flow(fingerprint(state)) }

// flowCookieName is the name of the cookie that holds the browser's secret. Each
// flow has its own, so that several can be under way in one browser.
func flowCookieName(state string) string { return flowCookie + fingerprint(state)[:16] }

// startFlow writes a new flow with the provider and the purpose of want, and
// gives the browser its half.
func (s *Service) startFlow(ctx context.Context, w http.ResponseWriter, r *http.Request, want flow) (started, error) {
	f := started{state: newSecret(), secret: newSecret()}
	key, now := flowKey(f.state), s.now()
	expires := now.Add(s.flowTTL)
	err := s.Table.Write(ctx, table.Put(table.Item{
		table.PK: key.PK, table.SK: key.SK, table.TTL: expires.Unix(),
		"provider": want.Provider, "request": want.Purpose.String(), "browser": fingerprint(f.secret),
		"link_user": want.Purpose.link.UserID, "link_session": want.Purpose.link.SessionID,
		"created_at": now.Unix(), "expires_at": expires.Unix(), "used": false,
	}).If(table.NotExists{}))
	if err != nil {
		return started{}, err
	}
	s.dropFlowCookies(w, r)
	s.setCookie(w, flowCookieName(f.state), f.secret, s.flowTTL)
	return f, nil
}

// readFlow returns the flow that state belongs to, together with why it cannot
// be finished by this browser at this provider; nil means that it can.
func (s *Service) readFlow(ctx context.Context, r *http.Request, state, provider string) (flow, started, error) {
	if state == "" {
		return flow{}, started{}, errFlowUnknown
	}
	item, err := s.Table.Get(ctx, flowKey(state))
	if errors.Is(err, table.ErrNotFound) {
		return flow{}, started{}, errFlowUnknown
	}
	if err != nil {
		return flow{}, started{}, err
	}
	rd := table.Reader{Item: item}
	f := flow{
		Provider: rd.Text("provider"), Browser: rd.Text("browser"),
		CreatedAt: rd.Seconds("created_at"), ExpiresAt: rd.Seconds("expires_at"), Used: rd.Flag("used"),
	}
	var purposeErr error
	if link := (linking{rd.Text("link_user"), rd.Text("link_session")}); link != (linking{}) {
		f.Purpose = purpose{path: atAccount, link: link}
	} else {
		f.Purpose, purposeErr = s.purposeOf(ctx, rd.Text("request"))
	}
	secret := s.cookie(r, flowCookieName(state))
	switch {
	case rd.Err != nil:
		return f, started{}, rd.Err
	case f.Provider != provider:
		return f, started{}, errFlowForeign
	case f.Used:
		return f, started{}, errFlowUsed
	case !within(s.now(), f.CreatedAt, f.ExpiresAt):
		return f, started{}, errFlowExpired
	case secret == "" || !same(fingerprint(secret), f.Browser):
		return f, started{}, errFlowBrowser
	case purposeErr != nil: // the client was changed or removed meanwhile
		return f, started{}, purposeErr
	}
	return f, started{state: state, secret: secret}, nil
}

// useFlow marks the flow as used, which happens once: of any number of callbacks
// that race, one goes on.
func (s *Service) useFlow(ctx context.Context, w http.ResponseWriter, state string) error {
	err := s.Table.Write(ctx, table.Update(flowKey(state), map[string]any{"used": true}).If(table.Equal{Name: "used", Value: false}))
	if errors.Is(err, table.ErrConditionFailed) {
		return errFlowUsed
	}
	if err == nil {
		s.setCookie(w, flowCookieName(state), "", 0)
	}
	return err
}

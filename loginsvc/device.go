package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// handleDeviceAuthorization gives a device its codes (RFC 8628, Section 3.1).
func (s *Service) handleDeviceAuthorization(w http.ResponseWriter, r *http.Request) error {
	p, c, err := s.clientForm(w, r)
	if err != nil {
		return err
	}
	if !c.MayUse(client.GrantDevice) {
		return unauthorizedClient()
	}
	audiences, ok := grantAudiences(p, c, s.Audience)
	if !ok {
		return invalidTarget()
	}
	scopes, err := parseScopes(p.get("scope"), c)
	if refusal, ok := errors.AsType[*authError](err); ok {
		return &httpx.Error{Status: http.StatusBadRequest, Code: refusal.Code, Detail: refusal.Description}
	}
	if err := s.count(r.Context(), limitDevices, c.ID, source(r)); err != nil {
		return err
	}
	deviceCode, userCode, err := s.grants.PutDevice(r.Context(), c.Ref(), scopes, s.rememberedAudiences(audiences), s.now())
	if err != nil {
		return err
	}
	shown := grant.ShowUserCode(userCode)
	return httpx.JSON(w, struct {
		DeviceCode      string `json:"device_code"`
		UserCode        string `json:"user_code"`
		VerificationURI string `json:"verification_uri"`
		Complete        string `json:"verification_uri_complete"`
		ExpiresIn       int64  `json:"expires_in"` // seconds
		Interval        int64  `json:"interval"`   // seconds
	}{
		deviceCode, shown, s.url("/device"), s.url("/device?" + url.Values{"user_code": {shown}}.Encode()),
		int64(grant.DeviceTTL / time.Second), int64(grant.DeviceInterval / time.Second),
	})
}

// redeemDevice answers a device that asks whether it has been let in (RFC 8628,
// Section 3.4).
func (s *Service) redeemDevice(w http.ResponseWriter, r *http.Request, c client.Client, p params) error {
	ctx, now := r.Context(), s.now()
	if !c.MayUse(client.GrantDevice) {
		return unauthorizedClient()
	}
	if p.get("device_code") == "" {
		return invalidRequest("device_code is missing")
	}
	d, err := s.grants.Device(ctx, p.get("device_code"))
	if err != nil {
		return invalidGrantIf(err, grant.ErrDeviceUnknown)
	}
	switch {
	case d.Client != c.Ref():
		return invalidGrant(errors.New("device code of another client"))
	case d.Status == grant.DeviceSpent:
		if err := s.grants.EndDevice(ctx, d, now, s.lifetimes(c).AccessToken); err != nil {
			return err
		}
		return invalidGrant(grant.ErrSpent)
	case d.Expired(now):
		return deviceError("expired_token", "the device code has expired")
	case d.Status == grant.DeviceDenied:
		return deviceError("access_denied", "the user refused")
	case d.Status == grant.DeviceApproved:
		audience, err := s.audienceFor(p, c, d.Audiences)
		if err != nil {
			return err
		}
		err = s.redeem(w, r, c, d.Approval, audience, d.Spend, now)
		if errors.Is(err, grant.ErrSpent) { // another request was first
			return s.redeemDevice(w, r, c, p)
		}
		return err
	}
	return s.keepWaiting(ctx, d, now)
}

// keepWaiting tells a device to ask again.
func (s *Service) keepWaiting(ctx context.Context, d grant.Device, now time.Time) error {
	tooSoon, err := s.grants.NotePoll(ctx, d, now)
	switch {
	case err != nil:
		return err
	case tooSoon:
		return deviceError("slow_down", "ask less often")
	}
	return deviceError("authorization_pending", "the user has not answered yet")
}

func deviceError(code, detail string) error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: code, Detail: detail}
}

// handleDevice asks a person for the code on their device, or whether to let the
// device in whose code the link carries (RFC 8628, Section 3.3). Without a
// session they sign in first.
func (s *Service) handleDevice(w http.ResponseWriter, r *http.Request) error {
	p, err := query(r)
	if err != nil {
		return err
	}
	if _, ok := p.repeated(); ok {
		return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("a parameter is repeated"))
	}
	session, user, err := s.session(r.Context(), r)
	if errors.Is(err, usersvc.ErrNoSession) {
		return s.signInFirst(w, r, p)
	}
	if err != nil {
		return err
	}
	if p.get("user_code") == "" {
		s.Pages.Render(w, r, http.StatusOK, pages.DeviceCode{Action: s.path("/device")})
		return nil
	}
	return s.answerDevice(w, r, deviceAnswer{typed: p.get("user_code")}, session, user)
}

// handleDeviceAnswer carries on with the code that was typed, or with the
// answer. A link does neither: its sender may hold the device.
func (s *Service) handleDeviceAnswer(w http.ResponseWriter, r *http.Request) error {
	if err := s.crossOrigin.Check(r); err != nil {
		return fail(pages.Failure{Kind: pages.CrossOrigin}, err)
	}
	p, err := singleForm(w, r)
	if err != nil {
		return err
	}
	session, user, err := s.session(r.Context(), r)
	if errors.Is(err, usersvc.ErrNoSession) { // it ended while the page was open
		return s.signInFirst(w, r, p)
	}
	if err != nil {
		return err
	}
	return s.answerDevice(w, r, deviceAnswer{p.get("user_code"), p.get("consent"), p.get("shown_to")}, session, user)
}

// signInFirst leads to a provider: to the one of idp_hint, to the only one, or to
// the one that the person chooses.
func (s *Service) signInFirst(w http.ResponseWriter, r *http.Request, p params) error {
	what, err := s.readPurpose(r.Context(), atDevice, p)
	if err != nil {
		return err
	}
	if provider, ok := s.provider(p.get("idp_hint")); ok {
		return s.toProvider(w, r, provider, what)
	}
	if len(s.Providers) == 1 {
		return s.toProvider(w, r, s.Providers[0], what)
	}
	return s.choose(w, r, what, "")
}

// findDevice returns the device that waits for a user code, and its client, or
// [grant.ErrDeviceUnknown]. A code counts as wrong before it is looked up, and is
// taken back if it was right. So once a limit is reached, right codes and wrong
// ones get the same response, also when they come side by side (RFC 8628, Section
// 5.1).
func (s *Service) findDevice(r *http.Request, userCode string, user usersvc.User) (grant.Device, client.Client, error) {
	ctx, now := r.Context(), s.now()
	tries := []counted{{limitUserCodes, []string{user.ID}}, {limitCodesFrom, []string{source(r)}}}
	if err := s.countAll(ctx, now, tries...); err != nil {
		return grant.Device{}, client.Client{}, err
	}
	d, err := s.grants.Waiting(ctx, userCode, now)
	if err != nil {
		return grant.Device{}, client.Client{}, err
	}
	app, err := s.Clients(ctx, client.IDOf(d.Client))
	if errors.Is(err, client.ErrUnknown) || err == nil && d.Client != app.Ref() { // it was removed
		err = grant.ErrDeviceUnknown
	}
	if err != nil {
		return grant.Device{}, client.Client{}, err
	}
	return d, app, s.uncount(ctx, now, tries...)
}

// deviceAnswer is what a person said about a device.
type deviceAnswer struct {
	typed   string // the code
	consent string // "" if they were not asked yet
	shown   string // what the page that asked them carried
}

// answerDevice settles the device that waits for a code, or asks about it if
// there is no answer yet, or one of a browser that was not asked.
func (s *Service) answerDevice(w http.ResponseWriter, r *http.Request, a deviceAnswer, session usersvc.Session, user usersvc.User) error {
	ctx, userCode := r.Context(), grant.ParseUserCode(a.typed)
	d, app, err := s.findDevice(r, userCode, user)
	if errors.Is(err, grant.ErrDeviceUnknown) {
		s.Pages.Render(w, r, 0, pages.DeviceCode{Code: a.typed, Wrong: true, Action: s.path("/device")})
		return nil
	}
	if err != nil {
		return err
	}
	// Not the code alone, which another device can have by now.
	shown := s.shownTo(r, d.ID())
	if a.consent == "" || !grant.EqualConstantTime(a.shown, shown) {
		s.Pages.Render(w, r, http.StatusOK, pages.DeviceConfirm{
			AppName: app.DisplayName(), Code: grant.ShowUserCode(userCode), ShownTo: shown, Who: displayName(user), Scopes: scopesOf(d.Scopes), Action: s.path("/device"),
		})
		return nil
	}
	status, consentID := grant.DeviceDenied, ""
	if a.consent == "allow" {
		status = grant.DeviceApproved
		if app.ThirdParty {
			by := usersvc.By{UserID: user.ID, SourceIP: httpx.SourceIP(r), UserAgent: r.UserAgent()}
			given, err := s.Users.GiveConsent(ctx, by, grant.AppOf(app), d.Scopes)
			if err != nil {
				return err
			}
			consentID = given.ID()
		}
	}
	err = s.Table.Write(ctx, d.Decide(status, grant.Approval{
		UserID: user.ID, SessionID: session.ID, AuthTime: session.AuthTime, Consent: consentID, At: s.now(),
	}))
	if errors.Is(err, table.ErrConditionFailed) { // answered twice
		return fail(pages.Failure{Kind: pages.LinkExpired, AppName: app.DisplayName(), RestartURL: s.url("/device")}, err)
	}
	if err != nil {
		return err
	}
	s.Pages.Render(w, r, http.StatusOK, pages.DeviceDone{AppName: app.DisplayName(), Allowed: status == grant.DeviceApproved})
	return nil
}

package loginsvc

import (
	"errors"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

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
		return s.signInFirst(w, r, p.get("user_code"))
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
// answer. A link does neither: whoever sent it may hold the device.
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
		return s.signInFirst(w, r, p.get("user_code"))
	}
	if err != nil {
		return err
	}
	return s.answerDevice(w, r, deviceAnswer{p.get("user_code"), p.get("consent"), p.get("shown_to")}, session, user)
}

func (s *Service) signInFirst(w http.ResponseWriter, r *http.Request, typed string) error {
	what := purpose{path: atDevice, userCode: parseUserCode(typed)}
	if len(s.Providers) == 1 {
		return s.toProvider(w, r, s.Providers[0], what)
	}
	return s.choose(w, r, what, "")
}

// deviceAnswer is what a person said about a device.
type deviceAnswer struct {
	typed   string // the code
	consent string // "" if they were not asked yet
	shown   string // what the page that asked them carried
}

// answerDevice settles the device that waits for a code, or asks about it if
// there is no answer yet, or one of somebody who was not asked.
func (s *Service) answerDevice(w http.ResponseWriter, r *http.Request, a deviceAnswer, session usersvc.Session, user usersvc.User) error {
	ctx, userCode := r.Context(), parseUserCode(a.typed)
	d, err := s.waiting(ctx, userCode)
	var app client.Client
	if err == nil {
		app, err = s.Clients(ctx, client.IDOf(d.Client))
	}
	if err == nil && d.Client != app.Ref() { // of one that was removed
		err = errDeviceUnknown
	}
	if errors.Is(err, errDeviceUnknown) || errors.Is(err, client.ErrUnknown) {
		if err := s.count(ctx, limitUserCodes, user.ID); err != nil { // or codes could be guessed (Section 5.1)
			return err
		}
		s.Pages.Render(w, r, 0, pages.DeviceCode{Code: a.typed, Wrong: true, Action: s.path("/device")})
		return nil
	}
	if err != nil {
		return err
	}
	// Not the code alone, which another device can have by now.
	shown := s.shownTo(r, d.Row.PK)
	if a.consent == "" || !same(a.shown, shown) {
		s.Pages.Render(w, r, http.StatusOK, pages.DeviceConfirm{
			AppName: app.DisplayName(), Code: showUserCode(userCode), ShownTo: shown, Who: displayName(user), Scopes: scopesOf(d.Scopes), Action: s.path("/device"),
		})
		return nil
	}
	status := deviceDenied
	if a.consent == "allow" {
		status = deviceApproved
		if app.ThirdParty {
			by := usersvc.By{UserID: user.ID, SourceIP: httpx.SourceIP(r), UserAgent: r.UserAgent()}
			if err := s.Users.GiveConsent(ctx, by, appOf(app), d.Scopes); err != nil {
				return err
			}
		}
	}
	err = s.Table.Write(ctx, d.decide(status, approval{UserID: user.ID, SessionID: session.ID, AuthTime: session.AuthTime}))
	if errors.Is(err, table.ErrConditionFailed) { // answered twice
		return fail(pages.Failure{Kind: pages.LinkExpired, AppName: app.DisplayName(), RestartURL: s.url("/device")}, err)
	}
	if err != nil {
		return err
	}
	s.Pages.Render(w, r, http.StatusOK, pages.DeviceDone{AppName: app.DisplayName(), Allowed: status == deviceApproved})
	return nil
}

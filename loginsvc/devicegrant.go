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
	if err := s.count(r.Context(), limitDevices, c.ID, httpx.SourceIP(r)); err != nil {
		return err
	}
	deviceCode, userCode, err := s.putDevice(r.Context(), c, scopes, s.rememberedAudiences(audiences))
	if err != nil {
		return err
	}
	shown := showUserCode(userCode)
	return httpx.JSON(w, struct {
		DeviceCode      string `json:"device_code"`
		UserCode        string `json:"user_code"`
		VerificationURI string `json:"verification_uri"`
		Complete        string `json:"verification_uri_complete"`
		ExpiresIn       int64  `json:"expires_in"` // seconds
		Interval        int64  `json:"interval"`   // seconds
	}{
		deviceCode, shown, s.url("/device"), s.url("/device?" + url.Values{"user_code": {shown}}.Encode()),
		int64(deviceTTL / time.Second), int64(deviceInterval / time.Second),
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
	d, err := readDevice(ctx, s.Table, deviceKey(p.get("device_code")))
	if err != nil {
		return invalidGrantIf(err, errDeviceUnknown)
	}
	switch {
	case d.Client != c.Ref():
		return invalidGrant(errors.New("device code of another client"))
	case d.Status == deviceSpent:
		if d.Family != "" { // two have the code: see checkLive
			if err := s.endFamily(ctx, d.UserID, d.Family); err != nil {
				return err
			}
		}
		return invalidGrant(errors.New("device code was redeemed before"))
	case !within(now, d.CreatedAt, d.ExpiresAt):
		return deviceError("expired_token", "the device code has expired")
	case d.Status == deviceDenied:
		return deviceError("access_denied", "the user refused")
	case d.Status == deviceApproved:
		audience, err := s.audienceFor(p, c, d.Audiences)
		if err != nil {
			return err
		}
		return s.redeem(w, r, c, d.approval, audience, d.spend, now)
	}
	return s.keepWaiting(ctx, d, now)
}

// keepWaiting tells a device to ask again. One that asks too soon has to wait
// five seconds longer from then on (RFC 8628, Section 3.5).
func (s *Service) keepWaiting(ctx context.Context, d device, now time.Time) error {
	answer := deviceError("authorization_pending", "the user has not answered yet")
	if now.Sub(d.PolledAt) < d.Interval {
		d.Interval += 5 * time.Second
		answer = deviceError("slow_down", "ask less often")
	}
	err := s.Table.Write(ctx, table.Update(d.Row, map[string]any{
		"polled_at": now.UnixMilli(), "interval": int64(d.Interval / time.Second),
	}).If(table.Equal{Name: "status", Value: devicePending}))
	if err != nil && !errors.Is(err, table.ErrConditionFailed) {
		return err
	}
	return answer
}

func deviceError(code, detail string) error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: code, Detail: detail}
}

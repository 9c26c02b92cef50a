package pages

import "net/http"

// DeviceCode asks for the code that a device shows (RFC 8628, Section 3.3). Its
// form is posted to Action with the field "user_code".
type DeviceCode struct {
	Code   string // as typed before, or as the link carried it
	Wrong  bool   // nobody waits for Code: it is mistyped, too old or used
	Action string // "": /device
}

func (DeviceCode) name() string               { return "device_code" }
func (DeviceCode) formOrigins() []string      { return nil }
func (DeviceCode) heading(t catalogue) string { return t.must("device_code.heading") }

func (d DeviceCode) status() int {
	if d.Wrong {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// Target is where the form is posted.
func (d DeviceCode) Target() string { return actionOr(d.Action, "/device") }

// DeviceConfirm asks whether to sign a device in, after its code was found. Its
// form is posted to Action with the field "user_code", and with "consent":
// "allow" or "deny". It says what app it is and what it gets, because whoever
// sent the link may be somebody else (RFC 8628, Section 5.4).
type DeviceConfirm struct {
	AppName   string
	Code      string // to compare with the one on the device
	ShownTo   string // who was asked, for the field "shown_to"
	Who       string // who is signed in, and will be on the device
	Scopes    []Scope
	Action    string // "": /device
	SwitchURL string // where "use another account" leads; "": not offered
}

func (DeviceConfirm) name() string          { return "device_confirm" }
func (DeviceConfirm) status() int           { return http.StatusOK }
func (DeviceConfirm) formOrigins() []string { return nil }

func (d DeviceConfirm) heading(t catalogue) string {
	return t.must("device_confirm.heading", "app", d.AppName)
}

// Target is where the form is posted.
func (d DeviceConfirm) Target() string { return actionOr(d.Action, "/device") }

// Switch is the link that may be shown.
func (d DeviceConfirm) Switch() string { return webURL(d.SwitchURL) }

// DeviceDone says what came of it, and that the device goes on by itself.
type DeviceDone struct {
	AppName string
	Allowed bool
}

func (DeviceDone) name() string          { return "device_done" }
func (DeviceDone) status() int           { return http.StatusOK }
func (DeviceDone) formOrigins() []string { return nil }

func (d DeviceDone) heading(t catalogue) string {
	if d.Allowed {
		return t.must("device_done.allowed.heading")
	}
	return t.must("device_done.denied.heading")
}

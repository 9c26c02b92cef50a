package pages

import "net/http"

// DeviceCode asks for the code that a device shows (RFC 8628, Section 3.3). Its
// form is posted to Action with the field "user_code".
type DeviceCode struct {
	Code   string // as typed before, or as the link carried it
	Wrong  bool   // nobody waits for Code: it is mistyped, too old or used
	Action string // "": /device
}

func (d DeviceCode) describe() descriptor {
	if d.Wrong {
		return descriptor{template: "device_code", status: http.StatusBadRequest}
	}
	return descriptor{template: "device_code"}
}

// Target is where the form is posted.
func (d DeviceCode) Target() string { return actionOr(d.Action, "/device") }

// DeviceConfirm asks whether to sign a device in, after its code was found. Its
// form is posted to Action with the field "user_code", and with "consent":
// "allow" or "deny". It names the client and what it gets, because the link
// may come from an attacker (RFC 8628, Section 5.4).
type DeviceConfirm struct {
	AppName   string
	Code      string // to compare with the one on the device
	ShownTo   string // who was asked, for the field "shown_to"
	Who       string // who is signed in, and will be on the device
	Scopes    []Scope
	Action    string // "": /device
	SwitchURL string // where "use another account" leads; "": not offered
}

func (d DeviceConfirm) describe() descriptor {
	return descriptor{template: "device_confirm", heading: words{"device_confirm.heading", "app", d.AppName}}
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

func (d DeviceDone) describe() descriptor {
	if d.Allowed {
		return descriptor{template: "device_done", heading: words{"device_done.allowed.heading"}}
	}
	return descriptor{template: "device_done", heading: words{"device_done.denied.heading"}}
}

package pages

// Scope is something that an app asks for.
type Scope struct {
	Name        string
	Description string // for people; "": that of the catalogue, or the name
}

// Consent asks whether an app of somebody else may have what it asks for. Its
// form is posted to Action with the field "request", and with "consent": "allow"
// or "deny".
type Consent struct {
	AppName   string
	Next      string // where the app takes the person next, for people: shop.example.com
	Host      string // of the metadata document of an app that nobody registered; "": it was registered
	Local     bool   // its answer goes to a program on this computer
	Who       string // who is signed in
	Scopes    []Scope
	APIs      []string // which APIs the scopes are for; empty: the team's own
	Request   string   // hidden field: the request to carry on with
	Action    string   // "": /consent
	SwitchURL string   // where "use another account" leads; "": not offered
}

func (c Consent) describe() descriptor {
	return descriptor{template: "consent", heading: words{"consent.heading", "app", c.AppName}}
}

// Target is where the form is posted.
func (c Consent) Target() string { return actionOr(c.Action, "/consent") }

// Switch is the link that may be shown.
func (c Consent) Switch() string { return webURL(c.SwitchURL) }

// actionOr returns where a form is posted.
func actionOr(action, usual string) string {
	if action == "" {
		return usual
	}
	return webURL(action)
}

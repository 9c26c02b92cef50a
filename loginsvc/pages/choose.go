package pages

// Choose asks how to sign in. Its form is posted to Action with the field
// "request", and with "provider" (the id of one of Providers) or with
// "continue" ("yes": with the session that exists).
type Choose struct {
	AppName   string         // the app that asks; "": nobody asks, the person came to sign in
	Providers []ProviderLink // in the order to show, the one used last first; empty: none is configured
	Request   string         // hidden field: the request to carry on with
	Action    string         // "": /login

	ContinueAs string // the person whose session exists; "": no session
	Next       string // where the app takes the person next, for people: shop.example.com; "": not shown

	// FormActionOrigins are the origins that the form may lead to by redirects:
	// browsers hold the whole chain of redirects against form-action. That is
	// the providers' and, when the person is sent straight back, the app's.
	FormActionOrigins []string
}

// ProviderLink is a way to sign in.
type ProviderLink struct {
	ID, Name string
	LastUsed bool // by this browser
}

func (c Choose) describe() descriptor {
	d := descriptor{template: "choose", formOrigins: c.FormActionOrigins}
	switch {
	case len(c.Providers) == 0 && c.ContinueAs == "":
		d.heading = words{"choose.none.heading"}
	case c.AppName != "":
		d.heading = words{"choose.heading.app", "app", c.AppName}
	}
	return d
}

// Target is where the form is posted.
func (c Choose) Target() string { return actionOr(c.Action, "/login") }

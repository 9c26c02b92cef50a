package pages

// Choose asks how to sign in. Each way is a link of ours: it needs no form, and so
// no exception for a provider in the page's policy.
type Choose struct {
	AppName   string         // the app that asks; "": none, the person came to sign in
	Providers []ProviderLink // in the order to show, the one used last first; empty: none is configured

	ContinueAs  string // the person whose session exists; "": no session
	ContinueURL string // goes on with that session
	Again       bool   // the person is signed in, for too long to do what they asked for
	Next        string // where the app takes the person next, for people: shop.example.com; "": not shown
}

// ProviderLink is a way to sign in.
type ProviderLink struct {
	ID, Name string
	URL      string // begins the sign-in; "" where a form does
	LastUsed bool   // by this browser
}

// Link is the link that begins the sign-in.
func (l ProviderLink) Link() string { return webURL(l.URL) }

// Continue is the link that goes on with the session.
func (c Choose) Continue() string { return webURL(c.ContinueURL) }

func (c Choose) describe() descriptor {
	d := descriptor{template: "choose"}
	switch {
	case len(c.Providers) == 0 && c.ContinueAs == "":
		d.heading = words{"choose.none.heading"}
	case c.Again:
		d.heading = words{"choose.again.heading"}
	case c.AppName != "":
		d.heading = words{"choose.heading.app", "app", c.AppName}
	}
	return d
}

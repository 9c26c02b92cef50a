package usersvc

import "context"

// Export is everything that is stored about a user, for the user.
type Export struct {
	User       User       `json:"user"`
	Identities []Identity `json:"identities"`
	Sessions   []Session  `json:"sessions"`
	Consents   []Consent  `json:"consents"`
	Audit      []Entry    `json:"audit"`       // newest first
	AuditUntil string     `json:"audit_until"` // the entry that the list ends with, if there are older ones; else ""
}

// maxExported bounds the entries of an export: Lambda takes an answer of 6 MB.
const maxExported = 5000

// Export returns everything that is stored about the user. Of the audit trail it
// returns the newest 5,000 entries, without the addresses and browsers of other
// actors such as admins.
func (u *Users) Export(ctx context.Context, id string) (Export, error) {
	user, err := u.Get(ctx, id)
	if err != nil {
		return Export{}, err
	}
	identities, err := u.Identities(ctx, id)
	if err != nil {
		return Export{}, err
	}
	sessions, err := u.Sessions(ctx, id)
	if err != nil {
		return Export{}, err
	}
	consents, err := u.Consents(ctx, id)
	if err != nil {
		return Export{}, err
	}
	e := Export{User: user, Identities: identities, Sessions: sessions, Consents: consents, Audit: []Entry{}}
	for f := (AuditFilter{UserID: id, Limit: MaxLimit}); ; {
		page, err := u.Audit(ctx, f)
		if err != nil {
			return Export{}, err
		}
		for _, entry := range page.Items {
			if entry.Actor != id {
				entry.SourceIP, entry.Agent = "", ""
			}
			e.Audit = append(e.Audit, entry)
		}
		if page.Cursor == "" {
			return e, nil
		}
		if len(e.Audit) >= maxExported {
			e.AuditUntil = e.Audit[len(e.Audit)-1].ID
			return e, nil
		}
		f.Cursor = page.Cursor
	}
}

package model

// subjectOf is what a request that revokes is about: an entry of the feed, and the
// session and client of which it ends the refresh tokens.
func (r *run) subjectOf(q *request) (entry, session, client int8) {
	switch q.Op {
	case End:
		return sessionEntry(q.X), q.X, -1
	case Withdraw:
		return consentEntry(Third), -1, Third
	case again:
		return q.X, -1, -1
	case Redeem:
		c := r.Codes[q.X]
		return clientEntry(c.Session, c.Client), c.Session, c.Client
	case Renew, Revoke:
		f := r.Families[q.X]
		return clientEntry(f.Session, f.Client), f.Session, f.Client
	}
	return subjectEntry, -1, -1
}

// changesUser tells whether the request is a change of the user's row.
func (q *request) changesUser() bool { return q.Op == Suspend || q.Op == Demote || q.Op == Unlink }

// needsActive tells whether only an active user can ask for it.
func (q *request) needsActive() bool {
	return q.Op == Withdraw || q.Op == again && q.X == consentEntry(Third)
}

// readRevocation is what a revocation reads: the clock, and the user's row.
func (r *run) readRevocation(q *request) {
	_, session, client := r.subjectOf(q)
	first := q.Instant == 0 || q.Kind == ends
	switch {
	case q.Op == Revoke && client != q.Client && !r.Faults.has(FamilyWithoutClient):
		r.finish(q, Refused)
		return
	case q.Op == Withdraw && first && !r.Consent, q.needsActive() && r.User.Suspended,
		q.Op == Suspend && r.User.Suspended, q.Op == Demote && r.User.Demoted, q.Op == Unlink && r.User.Unlinked:
		r.finish(q, Done)
		return
	}
	if q.Op == Revoke && first {
		for i, f := range r.Families {
			if f.Made && !f.Gone && f.Session == session && f.Client == client {
				q.Holds |= 1 << i
			}
		}
	}
	q.OldLedger, q.OldUser, q.Instant = false, false, r.Now+1
}

// writeRevocation is the transaction of a revocation: usersvc putEntry and change.
func (r *run) writeRevocation(q *request) {
	entry, _, client := r.subjectOf(q)
	switch {
	case q.OldLedger, q.changesUser() && q.OldUser, q.needsActive() && r.User.Suspended:
		r.readRevocation(q)
		return
	case q.Op == End && r.Sessions[q.X].Gone:
		r.finish(q, Done)
		return
	case q.Op == Redeem && r.Codes[q.X].Ended, q.Op == Renew && r.Families[q.X].Gone:
		r.finish(q, Refused)
		return
	}
	r.breaks(OwnClient, (q.Op == Revoke || q.Op == Renew) && client != q.Client)
	r.breaks(HonestStays, q.Op == Renew && (q.WasLive || q.InGrace))
	r.list(entry, q.Instant)
	switch q.Op {
	case Redeem:
		c := &r.Codes[q.X]
		c.Ended = true
		if c.Family > 0 {
			r.Families[c.Family-1].Gone = true
		}
	case Renew:
		r.Families[q.X].Gone = true
	case Revoke:
		for i := range r.Families {
			r.Families[i].Gone = r.Families[i].Gone || q.Holds>>i&1 == 1
		}
	case Withdraw:
		r.withdraw()
	case End:
		r.Sessions[q.X].Gone = true
	case Suspend, Demote, Unlink:
		r.changeUser(q)
	}
	r.acknowledge(q, entry)
}

func (r *run) withdraw() {
	r.Consent = false
	for i := range r.Codes {
		r.Codes[i].Void = r.Codes[i].Made && r.Codes[i].Client == Third
	}
	for i := range r.Families {
		r.Families[i].Void = r.Families[i].Made && r.Families[i].Client == Third
	}
}

func (r *run) changeUser(q *request) {
	u := &r.User
	u.From = q.Instant
	switch q.Op {
	case Suspend:
		u.Suspended = true
		r.Sessions[0].Ended, r.Sessions[1].Ended = true, true
	case Demote:
		u.Demoted = true
	case Unlink:
		u.Unlinked, r.Sessions[0].Ended = true, true
	}
	r.userChanged()
}

// userChanged gives the user another version, which all see who read the one before.
func (r *run) userChanged() {
	for i := range r.Requests {
		r.Requests[i].OldUser = r.Requests[i].Op != None
	}
	for i := range r.Families {
		r.Families[i].Old = r.Families[i].Made
	}
}

// list puts an entry into the user's ledger and the user's row of the feed, as
// usersvc ledger.add does.
func (r *run) list(entry int8, before seconds) {
	old := r.Ledger
	l := &r.Ledger
	l.Row = before
	for e, at := range l.Entries {
		inSession := e >= 3 && e < 7
		if entry == subjectEntry || inSession && entry == consentEntry(int8(e-3)%2) || at <= r.Now-r.Remembers {
			l.Entries[e] = 0
		}
	}
	l.Entries[entry], l.Last = before, entry
	for i := range r.Requests {
		q := &r.Requests[i]
		q.OldLedger = q.Op != None && (q.OldLedger || *l != old)
	}
}

// acknowledge answers that something is revoked. A write that came so late that
// tokens may have been issued between its instant and itself is repeated first.
func (r *run) acknowledge(q *request, entry int8) {
	kind := q.Kind
	if r.Now >= q.Instant && !r.Faults.has(Late) {
		*q = request{Op: again, X: entry, Kind: kind}
		r.readRevocation(q)
		return
	}
	for i := range r.Tokens {
		if t := &r.Tokens[i]; t.Made && t.named(entry) && t.Dead == 0 {
			t.Dead = max(r.Now, 1)
		}
	}
	r.finish(q, Done)
	if kind == ends {
		r.out.Answer = Refused
	}
}

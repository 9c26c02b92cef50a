package model

// judge is the authorizer's decision.
func (r *run) judge(i int8, fresh bool) bool {
	t := &r.Tokens[i]
	now := r.Now - r.Behind // by the authorizer's clock
	if !t.Made {
		return false
	}
	if now < t.IssuedAt-r.Leeway || now >= t.IssuedAt+r.Life+r.Leeway {
		r.out.Answer = Denied
		return true
	}
	if !(t.Cached && r.Faults.has(CacheOutlives)) {
		if known, ok := r.knows(t.Key); !ok {
			r.out.Answer = Unknown
			return true
		} else if !known {
			r.out.Answer = Denied
			r.breaks(KeyKnown, r.Ring.Keys[t.Key].State != compromisedKey)
			return true
		}
		t.Cached = true
	}
	if lost := r.Ring.Keys[t.Key].Lost; lost > 0 {
		r.breaks(KeyGone, r.Now-lost > r.SourceAge+1)
	}
	switch {
	case r.Keys:
		r.out.Answer = Allowed
	case fresh:
		r.judgeFresh(*t)
	default:
		r.judgeListed(*t, now)
	}
	return true
}

// judgeFresh is usersvc Live, which the authorizer asks on a fresh route.
func (r *run) judgeFresh(t token) {
	r.out.Answer = Denied
	switch {
	case r.Down:
		r.out.Answer = Unknown
	case r.Faults.has(FreshFromCopy):
		if r.readFeed(); !r.Doc.revokes(t) {
			r.out.Answer = Allowed
		}
	case r.live(t.Session) && t.IssuedAt >= r.aliveFrom(t.Session, t.Client) &&
		r.Now < t.IssuedAt+r.Life: // the login service has no leeway
		r.out.Answer = Allowed
	}
	r.breaks(FreshAtOnce, r.out.Answer == Allowed && t.Dead > 0)
}

// judgeListed is the authorizer's Feed: its list, which it fetches again when it is
// old.
func (r *run) judgeListed(t token, now seconds) {
	l := &r.List
	missing := !l.Made || now-l.At >= r.MaxStale
	if (!l.Made || now-l.At >= r.Interval) && (missing || now-l.Tried >= 1) {
		l.Tried = now
		if !r.Down {
			r.readFeed()
			l.Made, l.At, l.Entries, l.Bucket = true, now, r.Doc.Entries, r.Doc.Bucket
			missing = false
		}
	}
	switch {
	case missing:
		r.out.Answer = Unknown
		return
	case l.revokes(t), now-t.IssuedAt >= r.Remembers:
		r.out.Answer = Denied
		return
	}
	r.out.Answer = Allowed
	bound, law := r.Interval, Revoked
	if r.WasDown {
		bound = r.MaxStale
	}
	if int(r.Room) < len(entries{}) {
		law = Overflows
	}
	r.breaks(law, t.Dead > 0 && r.Now-t.Dead > bound)
}

// readFeed is usersvc Feed: the login service's copy, which it reads from the table
// once a second. It reads rows of after its last read, with an overlap.
func (r *run) readFeed() {
	d := &r.Doc
	if d.Made && r.Now-d.At < 1 {
		return
	}
	if !d.Made || r.Now-d.At > 30 || r.Ledger.Row >= d.At-r.Overlap {
		for e, before := range r.Ledger.Entries {
			d.Entries[e] = max(d.Entries[e], before)
		}
	}
	d.Made, d.At = true, r.Now
	oldest := r.Now - r.Remembers
	if r.Faults.has(ForgetsEarly) {
		oldest++
	}
	listed := int8(0)
	for e, before := range d.Entries {
		if before <= oldest {
			d.Entries[e] = 0
		} else if before > 0 {
			listed++
		}
	}
	if d.Bucket <= oldest {
		d.Bucket = 0
	}
	for ; listed > r.Room; listed-- {
		least := -1
		for e, before := range d.Entries {
			if before > 0 && (least < 0 || before < d.Entries[least]) {
				least = e
			}
		}
		if !r.Faults.has(DropsOldest) {
			d.Bucket = max(d.Bucket, d.Entries[least])
		}
		d.Entries[least] = 0
	}
}

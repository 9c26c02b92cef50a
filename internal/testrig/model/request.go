package model

// approve gives a client a code or a device code. It returns its place, or -1.
func (r *run) approve(a Action) int8 {
	if !r.live(a.X) {
		return -1
	}
	for i := range r.Codes {
		c := &r.Codes[i]
		if c.Made {
			continue
		}
		*c = code{Made: true, Device: a.Y == 1, Offline: a.Offline, Client: a.Client, Session: a.X, Until: r.Now + r.CodeLife}
		if c.Device {
			c.Until = r.Now + r.DeviceLife
		}
		if a.Client == Third {
			r.Consent = true
		}
		r.out.Answer = Done
		return int8(i)
	}
	return -1
}

// obtain redeems a code at once, and forgets it.
func (r *run) obtain(a Action) bool {
	i := r.approve(a)
	if i < 0 || r.Now < r.User.From || r.Now < r.aliveFrom(a.X, a.Client) {
		return false
	}
	q := request{Op: Redeem, Client: a.Client, X: i}
	if r.read(&q); q.Op != None {
		r.write(&q)
	}
	r.Codes[i] = code{}
	return true
}

// begin lets a request read.
func (r *run) begin(a Action) bool {
	for i := range r.Requests {
		q := &r.Requests[i]
		if q.Op != None {
			continue
		}
		r.out.Slot = int8(i)
		*q = request{Op: a.Op, Client: a.Client, X: a.X}
		switch a.Op {
		case Redeem:
			if c := r.Codes[a.X]; !c.Made || c.Client != a.Client {
				return false
			}
		case Renew, Revoke:
			f := r.Families[a.X]
			if !f.Made || a.Y > f.Renewals || f.Gone && a.Op == Revoke {
				return false
			}
			q.Presents = a.Y
			q.WasLive = a.Y == 0
		}
		r.read(q)
		r.rest(q)
		return true
	}
	return false
}

// advance lets a request go on.
func (r *run) advance(i int8) bool {
	q := &r.Requests[i]
	r.out.Slot = i
	switch {
	case q.Op == None || q.Sleeps && r.Now < q.Instant:
		return false
	case q.Sleeps:
		q.Sleeps = false
		r.sign(q)
	default:
		r.write(q)
	}
	r.rest(q)
	return true
}

// rest lets a request finish where nothing comes between.
func (r *run) rest(q *request) {
	for r.Atomic && q.Op != None && !q.Sleeps {
		r.write(q)
	}
	if q.Op != None {
		r.out.Answer = Waits
	}
}

func (r *run) finish(q *request, a Answer) {
	*q = request{}
	r.out.Answer = a
}

// read is what a request does before its first write, or after a write that failed.
func (r *run) read(q *request) {
	q.Began = r.Now
	switch q.Op {
	case Redeem:
		r.readCode(q)
	case Renew:
		r.readFamily(q)
	default:
		r.readRevocation(q)
	}
}

// readCode is loginsvc redeemCode and redeemDevice until redeemOnce.
func (r *run) readCode(q *request) {
	c := &r.Codes[q.X]
	switch {
	case c.Spent && c.Family == 0 && r.Now > c.Until+r.Life:
		r.finish(q, Refused)
	case c.Spent:
		q.Kind = ends
		r.readRevocation(q)
	case r.Now >= c.Until:
		r.finish(q, Refused)
	default:
		q.Kind, q.Instant = issues, r.Now
		r.readUser(q, c.Session, c.Client)
	}
}

// readFamily is loginsvc renewOnce until commitRenewal.
func (r *run) readFamily(q *request) {
	f := &r.Families[q.X]
	if f.Gone || f.Client != q.Client && !r.Faults.has(FamilyWithoutClient) {
		r.finish(q, Refused)
		return
	}
	overtaken := q.Presents == 2 && r.Now-f.PreviousAt <= r.Grace
	q.OldFamily, q.Reread, q.InGrace = false, false, q.Presents == 1 && r.Now-f.RotatedAt <= r.Grace
	switch {
	case q.Presents == 0:
		q.Kind = renews
	case q.InGrace, q.Presents == 1 && r.Faults.has(GraceWithoutBound):
		q.Kind = repeats
	case q.Raced && !r.Faults.has(RaceEnds), overtaken:
		r.finish(q, Refused)
		return
	default:
		q.Kind = ends
		r.readRevocation(q)
		return
	}
	q.Instant, q.OldUser, q.Demoted, q.Seen = q.Began, f.Old, f.Demoted, 0
	r.wait(q, f.From)
}

// readUser is usersvc SessionByID, and the wait after it.
func (r *run) readUser(q *request, session, client int8) {
	if !r.live(session) {
		r.finish(q, Refused)
		return
	}
	q.OldUser, q.Demoted, q.Seen = false, r.User.Demoted, r.Ledger.Entries.latest()
	r.wait(q, r.aliveFrom(session, client))
}

// aliveFrom is usersvc AliveFrom.
func (r *run) aliveFrom(session, client int8) seconds {
	from, t := r.User.From, token{Session: session, Client: client}
	for e, before := range r.Ledger.Entries {
		if t.named(int8(e)) {
			from = max(from, before)
		}
	}
	return from
}

// wait is loginsvc untilAlive, and the signature after it.
func (r *run) wait(q *request, from seconds) {
	q.Instant = max(q.Instant, from)
	if q.Sleeps = r.Now < q.Instant && !r.Faults.has(OneInstant); !q.Sleeps {
		r.sign(q)
	}
}

// sign signs before the write. The family notes when.
func (r *run) sign(q *request) {
	q.Rotates = r.Now
	if r.Keys {
		if q.Key = r.signingKey(); q.Key < 0 {
			r.finish(q, Unknown)
		}
	}
}

// write is the transaction of a request, and what it reads if that fails.
func (r *run) write(q *request) {
	switch {
	case q.Op == Redeem && q.Kind == issues:
		r.writeCode(q)
	case q.Op == Redeem && q.Kind == spends:
		r.Codes[q.X].Spent = true
		r.finish(q, Done)
	case q.Op == Renew && q.Kind != ends:
		r.writeFamily(q)
	default:
		r.writeRevocation(q)
	}
}

// grounds tells whether usersvc Unchanged holds: the user's version, the latest
// instant of the user's ledger, and the session's row.
func (r *run) grounds(q *request, session int8) bool {
	unchanged := !q.OldUser && r.Ledger.Entries.latest() <= max(q.Instant, q.Seen)
	return (unchanged || r.Faults.has(WithoutVersion)) && !r.Sessions[session].Gone
}

// writeCode is the write of loginsvc redeemOnce.
func (r *run) writeCode(q *request) {
	c := &r.Codes[q.X]
	unspent := !c.Spent || r.Faults.has(SpentLater)
	unchecked := r.Faults.has(ConsentUnchecked) && !c.Offline
	switch {
	case !unspent:
		r.read(q)
	case c.Client == Third && c.Void && !unchecked:
		r.finish(q, Refused)
	case !r.grounds(q, c.Session):
		r.readUser(q, c.Session, c.Client)
	default:
		c.Mints++
		r.breaks(MintsOnce, c.Mints > 1)
		r.mint(q, c.Client, c.Session, c.Void)
		if c.Offline {
			r.newFamily(q, c)
		}
		if r.Faults.has(SpentLater) {
			q.Kind = spends
			return
		}
		c.Spent = true
		r.finish(q, Issued)
	}
}

func (r *run) newFamily(q *request, c *code) {
	for i := range r.Families {
		if f := &r.Families[i]; !f.Made {
			*f = family{
				Made: true, Client: c.Client, Session: c.Session, Void: c.Void, RotatedAt: q.Instant,
				Old: q.OldUser, Demoted: q.Demoted, From: r.User.From,
			}
			c.Family = int8(i + 1)
			r.out.Family = c.Family
			return
		}
	}
	r.full = true
}

// writeFamily is the write of loginsvc commitRenewal.
func (r *run) writeFamily(q *request) {
	f := &r.Families[q.X]
	switch {
	case f.Gone || q.Kind == renews && q.OldFamily:
		q.Raced = true
		r.readFamily(q)
	case f.Client == Third && f.Void:
		r.finish(q, Refused)
	case !r.grounds(q, f.Session):
		q.Reread = true
		r.readUser(q, f.Session, q.Client)
	default:
		r.breaks(OwnClient, f.Client != q.Client)
		r.breaks(GraceEnds, q.Kind == repeats && !q.InGrace)
		r.mint(q, q.Client, f.Session, f.Void)
		r.out.Family = q.X + 1
		r.breaks(OneSuccessor, q.Kind == repeats && r.Faults.has(NotDerived))
		if q.Kind == renews {
			f.Renewals, f.RotatedAt, f.PreviousAt = min(2, f.Renewals+1), q.Rotates, f.RotatedAt
			if q.Reread {
				f.Old, f.Demoted, f.From = q.OldUser, q.Demoted, r.User.From
			}
			for i := range r.Requests {
				if other := &r.Requests[i]; other.Op == Renew && other.X == q.X {
					other.Presents, other.OldFamily = min(3, other.Presents+1), true
				}
			}
		}
		r.finish(q, Issued)
	}
}

// mint lets an access token leave.
func (r *run) mint(q *request, client, session int8, void bool) {
	admin := client == First && !q.Demoted
	r.breaks(Grounds, !r.live(session) || admin && r.User.Demoted)
	r.breaks(Consented, client == Third && void)
	for i := range r.Tokens {
		if t := &r.Tokens[i]; !t.Made {
			*t = token{Made: true, Admin: admin, Client: client, Session: session, Key: q.Key, IssuedAt: q.Instant}
			r.out.Answer, r.out.Token = Issued, int8(i)
			return
		}
	}
	r.full = true
}

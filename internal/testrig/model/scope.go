package model

// small are the spans of the worlds that are explored: as short as they can be
// without two of them being the same by accident.
var small = Params{
	Life: 3, Leeway: 1, Behind: 0, CodeLife: 4, DeviceLife: 4, Grace: 1,
	Remembers: 4, Overlap: 3, Interval: 1, MaxStale: 3, Room: 9,
	Lead: 4, ShortLead: 2, Keep: 5, Staleness: 1, SourceAge: 2, SourcePause: 1, GatewayAge: 3,
}

func with(change func(*Params)) Params {
	p := small
	change(&p)
	return p
}

// Scopes are the parts of the world that are explored, each with its bounds.
func Scopes() []*Scope {
	return []*Scope{
		{
			Name: "grants", Covers: "two requests that redeem codes and device codes, while the user is changed, revoked, or withdraws the consent",
			Params: with(func(p *Params) { p.Horizon = 6 }),
			Actions: []Action{
				{Op: Tick, X: 1}, {Op: Approve, Client: First}, {Op: Approve, Client: Third}, {Op: Approve, Y: 1, Client: First, Offline: true},
				{Op: Redeem, Client: First}, {Op: Redeem, Client: Third}, {Op: Redeem, X: 1, Client: First}, {Op: Redeem, X: 1, Client: Third},
				{Op: Step}, {Op: Step, X: 1}, {Op: Suspend}, {Op: Demote}, {Op: Withdraw}, {Op: Unlink}, {Op: End}, {Op: Activate},
			},
		},
		{
			Name: "renewals", Covers: "two requests that present refresh tokens of two clients, also old ones, while clients revoke and the user is changed",
			Params: with(func(p *Params) { p.Horizon = 5 }),
			Begin: State{
				Consent:  true,
				Families: [2]family{{Made: true, Client: First}, {Made: true, Client: Third, Session: 0}},
			},
			Actions: []Action{
				{Op: Tick, X: 1}, {Op: Step}, {Op: Step, X: 1},
				{Op: Renew, Client: First}, {Op: Renew, Y: 1, Client: First}, {Op: Renew, Y: 2, Client: First},
				{Op: Renew, Client: Third}, {Op: Renew, X: 1, Client: Third}, {Op: Revoke, Client: First}, {Op: Revoke, X: 1, Client: First},
				{Op: Demote}, {Op: End}, {Op: Withdraw},
			},
		},
		{
			Name: "feed", Covers: "the copies of the feed, which can be out of reach, and fresh routes, as all kinds of revocation come and are forgotten, with an authorizer whose clock is behind",
			Params: with(func(p *Params) { p.Horizon, p.Atomic, p.Behind, p.Leeway, p.Life, p.Remembers = 12, true, 2, 2, 3, 6 }),
			Actions: []Action{
				{Op: Tick, X: 1}, {Op: Tick, X: 3}, {Op: Obtain, Client: First}, {Op: Obtain, Client: Third}, {Op: Obtain, X: 1, Client: First},
				{Op: Suspend}, {Op: Activate}, {Op: Demote}, {Op: Withdraw}, {Op: Unlink}, {Op: End}, {Op: End, X: 1},
				{Op: Check}, {Op: Check, X: 1}, {Op: Check, X: 2}, {Op: Fresh}, {Op: Cut},
			},
		},
		{
			Name: "overflow", Covers: "a feed that lists one entry, and revocations of more",
			Params: with(func(p *Params) { p.Horizon, p.Atomic, p.Room, p.Remembers = 8, true, 1, 5 }),
			Actions: []Action{
				{Op: Tick, X: 1}, {Op: Obtain, Client: First}, {Op: Obtain, Client: Third}, {Op: Obtain, X: 1, Client: First},
				{Op: Withdraw}, {Op: Demote}, {Op: End}, {Op: End, X: 1}, {Op: Check}, {Op: Check, X: 1}, {Op: Check, X: 2},
			},
		},
		{
			Name: "keys", Covers: "keys that rotate and are compromised, as the login service, the authorizer and a gateway have them",
			Params: with(func(p *Params) { p.Horizon, p.Atomic, p.Keys, p.Life, p.Keep = 24, true, true, 6, 8 }),
			Begin:  State{Ring: ring{Made: 1, Keys: [3]ringKey{{State: currentKey}}}},
			Actions: []Action{
				{Op: Tick, X: 1}, {Op: Tick, X: 2}, {Op: Obtain, Client: First}, {Op: Rotate}, {Op: Compromise}, {Op: Compromise, X: 1},
				{Op: Check}, {Op: Check, X: 1}, {Op: Verify}, {Op: Verify, X: 1},
			},
		},
	}
}

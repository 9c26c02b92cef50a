package model

import (
	"fmt"
	"strconv"
	"strings"
)

// Op is what an [Action] does.
type Op int8

// The operations. Those from Redeem to Unlink are requests: they read at once, and
// write in a later [Step], unless [Params.Atomic] says otherwise.
const (
	None Op = iota
	Tick
	Approve // a code, or a device code if Y is 1
	Redeem
	Renew // with the live token of family X, or one that is Y renewals older
	Revoke
	Withdraw
	End
	Suspend
	Demote
	Unlink
	again // what a revocation that came late becomes
	Activate
	Step
	Obtain // Approve and Redeem, without a stop between them
	Cut
	Check
	Fresh
	Rotate
	Compromise
	Verify
)

// Action is one step of the world.
type Action struct {
	Op      Op
	X, Y    int8
	Client  int8
	Offline bool // with a refresh token
}

// sentences say actions in words.
var sentences = [...]string{
	Tick: "X s pass", Approve: "WHO gets a code from session XWITH", Redeem: "WHO redeems code X",
	Renew: "WHO presents WHICH of family X", Revoke: "WHO revokes with a token of family X",
	Withdraw: "the user withdraws the consent", End: "session X is ended", Suspend: "the user is suspended",
	Demote: "the user loses the role admin", Unlink: "the identity of session 0 is unlinked", Activate: "the user is activated",
	Step: "request X goes on", Obtain: "WHO gets tokens from session XWITH", Cut: "the authorizer loses the feed, or has it again",
	Check: "the authorizer judges access token X", Fresh: "the authorizer judges access token X on a fresh route",
	Rotate: "the rotator runs", Compromise: "key X is compromised", Verify: "the gateway judges access token X",
}

// String says the action in words.
func (a Action) String() string {
	text := sentences[a.Op]
	if a.Op == Approve && a.Y == 1 {
		text = strings.Replace(text, "a code", "a device code", 1)
	}
	return strings.NewReplacer(
		"X", strconv.Itoa(int(a.X)), "WHO", [...]string{"the first-party client", "the third-party client"}[a.Client],
		"WHICH", [...]string{"the live token", "the token before the live one", "an older token"}[a.Y],
		"WITH", map[bool]string{true: ", with a refresh token"}[a.Offline],
	).Replace(text)
}

// Answer is what an action leads to.
type Answer int8

// The answers.
const (
	Quiet   Answer = iota // nothing that anyone sees
	Waits                 // the request has read, and not answered
	Issued                // tokens
	Refused               // invalid_grant, or what else says no
	Done                  // what was asked for is so
	Allowed               // a decision
	Denied                // a decision
	Unknown               // no decision: revocations are unknown
)

func (a Answer) String() string {
	return [...]string{"", "it has read", "tokens", "refused", "done", "allowed", "denied", "unknown"}[a]
}

// Outcome is the answer, and what it carries.
type Outcome struct {
	Answer Answer
	Token  int8 // place of the access token that was issued
	Family int8 // 1 + place of the family; 0: no refresh token
	Slot   int8 // place of the request that began or went on
}

func (o Outcome) String() string {
	switch {
	case o.Answer == Issued && o.Family > 0:
		return fmt.Sprintf("access token %d, a refresh token of family %d", o.Token, o.Family-1)
	case o.Answer == Issued:
		return fmt.Sprintf("access token %d", o.Token)
	}
	return o.Answer.String()
}

// Params are the bounds of a world and the settings of the service in it. Spans
// are in seconds.
type Params struct {
	Horizon seconds // no time passes after it
	Atomic  bool    // a request writes in the step in which it reads, unless it sleeps

	Life, Leeway, Behind   seconds // of access tokens; of the authorizer; how far its clock is behind
	CodeLife, DeviceLife   seconds
	Grace                  seconds // how long a renewal can be repeated
	Remembers, Overlap     seconds // of the feed
	Interval, MaxStale     seconds // of the authorizer's copy of it
	Room                   int8    // how many entries the feed lists
	Keys                   bool    // keys rotate; the feed is not asked
	Lead, ShortLead, Keep  seconds // how long a key is published: before it signs, if none signs, after it signed
	Staleness              seconds // of the ring in the login service
	SourceAge, SourcePause seconds // of the authorizer's keys
	GatewayAge             seconds // of a gateway's keys
	Faults                 Fault
}

// Next does an action. It returns the state after it, what it leads to, and the
// law that it breaks, or 0. It reports false if the action cannot be done.
func (p *Params) Next(s State, a Action) (State, Outcome, Law, bool) {
	r := run{Params: p, State: s}
	if !r.do(a) || r.full {
		return s, Outcome{}, 0, false
	}
	for _, t := range r.Tokens {
		r.breaks(Listed, t.Dead > 0 && !r.Ledger.Entries.revokes(t))
	}
	return r.State, r.out, r.broken, true
}

// run is one action under way.
type run struct {
	*Params
	State
	out    Outcome
	broken Law
	full   bool // the bounds have no room for the result
}

func (r *run) breaks(l Law, if_ bool) {
	if if_ && r.broken == 0 {
		r.broken = l
	}
}

func (r *run) do(a Action) bool {
	switch a.Op {
	case Tick:
		return r.tick(seconds(a.X))
	case Approve:
		return r.approve(a) >= 0
	case Obtain:
		return r.obtain(a)
	case Activate:
		if !r.User.Suspended {
			return false
		}
		r.User.Suspended, r.out.Answer = false, Done
		r.userChanged()
		return true
	case Step:
		return r.advance(a.X)
	case Cut:
		r.Down, r.WasDown = !r.Down, true
		return true
	case Check, Fresh:
		return r.judge(a.X, a.Op == Fresh)
	case Rotate:
		return r.rotate()
	case Compromise:
		return r.compromise(a.X)
	case Verify:
		return r.gateway(a.X)
	}
	return r.begin(a)
}

// tick lets time pass, and drops tokens that no clock takes for alive.
func (r *run) tick(d seconds) bool {
	r.Now += d
	for i, t := range r.Tokens {
		if t.Made && r.Now-r.Behind >= t.IssuedAt+r.Life+r.Leeway {
			r.Tokens[i] = token{}
		}
	}
	return r.Now <= r.Horizon
}

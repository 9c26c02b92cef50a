package model

// Law is something that must hold in every state; 0 is none.
type Law int8

// The laws.
const (
	MintsOnce Law = iota + 1
	OneSuccessor
	GraceEnds
	HonestStays
	Grounds
	Consented
	OwnClient
	Listed
	Revoked
	Overflows
	FreshAtOnce
	KeyKnown
	KeyGone
)

// Laws says each law in words, and which check of the code keeps it.
var Laws = map[Law]struct{ Words, Keeper string }{
	MintsOnce:    {"A code or a device code gives tokens once.", "the condition of grant.Code.Spend and grant.Device.Spend"},
	OneSuccessor: {"All answers to one refresh token carry the same successor.", "grant.Derive, and the condition of grant.Family.Rotate"},
	GraceEnds:    {"A refresh token that was replaced gives nothing once the grace is over.", "the age in grant.Family.Use"},
	HonestStays:  {"A request that began with the live refresh token, or with its predecessor within the grace, ends nothing.", "raced in loginsvc renewOnce, and the grace in grant.Family.Use"},
	Grounds:      {"Tokens leave only while the user is active, the session goes on, and the roles in them are the user's.", "usersvc.Unchanged in grant.Grounds.Checks"},
	Consented:    {"A consent that was withdrawn gives nothing.", "usersvc.ConsentStands in grant.Grounds.Checks"},
	OwnClient:    {"A client gets nothing from another client's refresh token, and ends nothing of another client.", "the comparison with client.Ref in loginsvc renewOnce and revokeFamily"},
	Listed:       {"When a revocation is acknowledged, the feed covers every token that had left before.", "the instant of usersvc tokensFrom, the wait in loginsvc untilAlive, and usersvc onTime"},
	Revoked:      {"No token is accepted when its revocation is older than the bound.", "the ages in usersvc.Feed and authorizer.Feed, and usersvc remembers"},
	Overflows:    {"An overflow of the feed accepts nothing that is revoked.", "revocation.Copy.move"},
	FreshAtOnce:  {"A fresh route accepts no token whose revocation was acknowledged.", "usersvc.Users.Live"},
	KeyKnown:     {"Every verifier knows the key of each token that has not expired, unless the key was compromised.", "the lead in keys.Rules.Promote, and the end in keys.Rules.Retire"},
	KeyGone:      {"No token of a compromised key is accepted once the authorizer's keys are too old.", "the key in authorizer stillValid"},
}

// Fault is a set of checks that are switched off.
type Fault uint16

// The faults.
const (
	WithoutVersion Fault = 1 << iota
	SpentLater
	GraceWithoutBound
	NotDerived
	FamilyWithoutClient
	ForgetsEarly
	FreshFromCopy
	OneInstant
	ConsentUnchecked
	SignsEarly
	DropsOldest
	CacheOutlives
	Late
	RaceEnds
)

// FaultWords says a fault in words, the scope in which it shows, and the law that it
// breaks there.
type FaultWords struct {
	Fault  Fault
	Words  string
	Scope  string
	Breaks Law
}

// Faults says each fault in words.
var Faults = []FaultWords{
	{WithoutVersion, "the write of an issue does not check the user's version", "grants", Grounds},
	{SpentLater, "a code is spent after the tokens leave", "grants", MintsOnce},
	{GraceWithoutBound, "the grace for a repeated renewal has no bound", "renewals", GraceEnds},
	{NotDerived, "a repeated renewal gets a new successor, not the derived one", "renewals", OneSuccessor},
	{FamilyWithoutClient, "a refresh token is good for any client", "renewals", OwnClient},
	{ForgetsEarly, "the feed forgets a second early", "feed", Revoked},
	{FreshFromCopy, "a fresh check asks the copy of the feed", "feed", FreshAtOnce},
	{OneInstant, "tokens do not wait, so that two revocations in one second have one instant", "grants", Listed},
	{ConsentUnchecked, "the consent is not checked where no refresh token is issued", "grants", Consented},
	{SignsEarly, "a key signs before its lead time is over", "keys", KeyKnown},
	{DropsOldest, "an overflow of the feed drops the oldest entry", "overflow", Overflows},
	{CacheOutlives, "the authorizer's cache outlives the key of a token", "keys", KeyGone},
	{Late, "a revocation whose write came late is not repeated", "grants", Listed},
	{RaceEnds, "a renewal that was overtaken by others ends the family", "renewals", HonestStays},
}

func (f Fault) has(one Fault) bool { return f&one != 0 }

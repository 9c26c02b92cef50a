package metric

import "slices"

// What the authorizer counts. It writes no line for what it allows: [Allowed] is
// told once a second at most, with the next line, so that the last second of a
// process can be missing. The API's own numbers have every request.
var (
	Allowed        = Metric{Name: "Allowed", Unit: Count}                         // requests that may go on to their route
	Refused        = Metric{Name: "Refused", Unit: Count, Labels: labels(Reason)} // those that may not
	Undecided      = Metric{Name: "Undecided", Unit: Count}                       // our own trouble; callers see 500
	FeedAge        = Metric{Name: "FeedAge", Unit: Milliseconds}                  // of the revocation feed, when it was oldest since the last line
	FeedFailures   = Metric{Name: "FeedFailures", Unit: Count}                    // the feed could not be had
	KeySetFailures = Metric{Name: "KeySetFailures", Unit: Count}                  // the issuer's keys could not be had
)

// What the login service counts.
var (
	SignIns     = Metric{Name: "SignIns", Unit: Count, Labels: labels(Provider, SignIn)} // browsers that came back from a provider
	Refreshes   = Metric{Name: "Refreshes", Unit: Count, Labels: labels(Refresh)}        // refresh tokens that were presented
	KeyFailures = Metric{Name: "KeyFailures", Unit: Count}                               // requests that failed for want of a signing key
)

// What every function counts that calls AWS. A call's time is all of it, with
// what the SDK repeats.
var (
	SignTime      = Metric{Name: "SignTime", Unit: Milliseconds} // KMS
	KMSFailures   = Metric{Name: "KMSFailures", Unit: Count}     // whatever was asked of it
	TableFailures = Metric{Name: "TableFailures", Unit: Count}   // DynamoDB, whatever was asked of it; a condition that does not hold is none
)

// What the rotator counts.
var (
	RingTended    = Metric{Name: "RingTended", Unit: Count}    // runs
	RingUnhealthy = Metric{Name: "RingUnhealthy", Unit: Count} // runs that left a problem
)

// Operations are what is asked of DynamoDB. Each has a metric for its time and
// one for its failures.
var Operations = []string{"GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}

// OperationTime is how long an operation of DynamoDB took.
func OperationTime(operation string) Metric {
	return Metric{Name: operation + "Time", Unit: Milliseconds}
}

// OperationFailures are the operations that failed.
func OperationFailures(operation string) Metric {
	return Metric{Name: operation + "Failures", Unit: Count}
}

// The labels.
var (
	// Reason is why the authorizer refuses: a reason of package authorizer.
	Reason = Label{Name: "reason", Values: []string{
		"too_large", "malformed", "duplicate_member", "alg", "crit", "cty", "header", "typ", "kid_missing", "key_unknown", "signature",
		"claim_type", "claim_missing", "cnf", "issuer", "audience", "kind", "too_old", "not_yet_valid", "expired",
		"token_missing", "token_doubled", "scheme", "origin", "revoked", "role", "scope", "first_party", "auth_age", "route", "path", "unnamed",
	}}
	// Provider is where somebody signed in: an id of gatehouse.yml.
	Provider = Label{Name: "provider"}
	// SignIn is how a sign-in ended.
	SignIn = Label{Name: "sign_in", Values: []string{
		SignInSuccess, SignInCancelled, SignInProviderFailed, SignInNotAllowed, SignInSuspended, SignInEmailTaken, SignInFailed,
	}}
	// Refresh is what became of a refresh token.
	Refresh = Label{Name: "refresh", Values: []string{RefreshRenewed, RefreshRepeated, RefreshReused, RefreshRefused, RefreshFailed}}
)

// How a sign-in ends.
const (
	SignInSuccess        = "success"
	SignInCancelled      = "cancelled"       // at the provider
	SignInProviderFailed = "provider_failed" // it answered with an error, out of bounds or not at all
	SignInNotAllowed     = "not_allowed"     // an account of another organisation
	SignInSuspended      = "suspended"
	SignInEmailTaken     = "email_taken" // the address belongs to somebody who signs in another way
	SignInFailed         = "failed"      // our own trouble
)

// What becomes of a refresh token.
const (
	RefreshRenewed  = "renewed"
	RefreshRepeated = "repeated" // within the grace: the same successor again
	RefreshReused   = "reused"   // used before: its family has ended
	RefreshRefused  = "refused"  // unknown, overtaken, ended, expired or another client's
	RefreshFailed   = "failed"   // our own trouble
)

// Catalogue returns every metric there is.
func Catalogue() []Metric {
	all := []Metric{
		Allowed, Refused, Undecided, FeedAge, FeedFailures, KeySetFailures,
		SignIns, Refreshes, KeyFailures,
		SignTime, KMSFailures, TableFailures,
		RingTended, RingUnhealthy,
	}
	for _, operation := range Operations {
		all = append(all, OperationTime(operation), OperationFailures(operation))
	}
	return all
}

// Lookup returns the metric with a name.
func Lookup(name string) (Metric, bool) {
	all := Catalogue()
	i := slices.IndexFunc(all, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, false
	}
	return all[i], true
}

func labels(all ...Label) []Label { return all }

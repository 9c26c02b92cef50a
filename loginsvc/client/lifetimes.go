package client

import (
	"fmt"
	"time"
)

// Lifetimes are how long what a client is given is good for. 0 is that of gatehouse.yml.
type Lifetimes struct {
	AccessToken  time.Duration // also of ID tokens
	RefreshToken time.Duration // from the sign-in, however often it is renewed
	RefreshIdle  time.Duration // since it was renewed last
}

// Within returns l within the limits: what l leaves open is as they
// say, and nothing is longer.
func (l Lifetimes) Within(most Lifetimes) Lifetimes {
	return Lifetimes{
		AccessToken:  shorter(l.AccessToken, most.AccessToken),
		RefreshToken: shorter(l.RefreshToken, most.RefreshToken),
		RefreshIdle:  shorter(l.RefreshIdle, most.RefreshIdle),
	}
}

func shorter(d, most time.Duration) time.Duration {
	if d == 0 || d > most {
		return most
	}
	return d
}

// leastLife is the shortest life that a client can be given: a shorter one ends
// before the clocks of two machines agree that it began.
const leastLife = time.Minute

// problems are those of the lifetimes of a client. Those of gatehouse.yml are the longest:
// the revocation feed forgets, and old keys go, when tokens of that age are over.
func (l Lifetimes) problems(most Lifetimes) []Problem {
	var found []Problem
	for _, span := range []struct {
		field     string
		got, most time.Duration
	}{
		{"access_token", l.AccessToken, most.AccessToken},
		{"refresh_token", l.RefreshToken, most.RefreshToken},
		{"refresh_idle", l.RefreshIdle, most.RefreshIdle},
	} {
		switch field := "lifetimes." + span.field; {
		case span.got == 0:
		case span.got < leastLife:
			found = append(found, Problem{Field: field, Text: fmt.Sprintf("want %v at least, not %v", leastLife, span.got)})
		case span.most != 0 && span.got > span.most:
			found = append(found, Problem{Field: field, Text: fmt.Sprintf(
				"is longer than the %v that all clients have: want %v at most, or raise %s in gatehouse.yml", span.most, span.most, field)})
		}
	}
	if whole := l.Within(most); l.RefreshIdle > 0 && whole.RefreshToken > 0 && l.RefreshIdle > whole.RefreshToken {
		found = append(found, Problem{Field: "lifetimes.refresh_idle", Text: fmt.Sprintf("is longer than the whole life of %v", whole.RefreshToken)})
	}
	return found
}

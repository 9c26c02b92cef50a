package keys

import (
	"context"
	"crypto/rsa"
)

// Static returns a source of keys that never change: s signs and is the only
// published key. A nil s makes a source that has no key.
func Static(s Signer) func(context.Context) (Set, error) {
	return func(context.Context) (Set, error) {
		if s == nil {
			return Set{}, ErrUnavailable
		}
		return Set{Current: s, Published: []*rsa.PublicKey{s.Public()}}, nil
	}
}

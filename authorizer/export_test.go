package authorizer

import (
	"context"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// Verify is the verification of a token alone, without policy and revocations.
func (a *Authorizer) Verify(ctx context.Context, rawToken string) (identity.Identity, error) {
	v, err := a.verify(ctx, rawToken)
	if err != nil {
		return identity.Identity{}, err
	}
	return v.who, nil
}

// Remembered is how many tokens the cache holds.
func (a *Authorizer) Remembered() int {
	a.cache.mu.Lock()
	defer a.cache.mu.Unlock()
	return len(a.cache.young) + len(a.cache.old)
}

// Forget empties the cache.
func (a *Authorizer) Forget() {
	a.cache.mu.Lock()
	defer a.cache.mu.Unlock()
	clear(a.cache.young)
	clear(a.cache.old)
}

package keys_test

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// publicOnly is a Signer that cannot sign.
type publicOnly struct{ pub *rsa.PublicKey }

func (p publicOnly) Public() *rsa.PublicKey { return p.pub }
func (publicOnly) SignDigest(context.Context, [sha256.Size]byte) ([]byte, error) {
	return nil, keys.ErrUnavailable
}

func TestStatic(t *testing.T) {
	s := publicOnly{rfcKey(t)}
	set, err := keys.Static(s)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if set.Current != keys.Signer(s) || len(set.Published) != 1 || set.Published[0] != s.pub {
		t.Errorf("Static: %+v", set)
	}
	if _, err := keys.Static(nil)(t.Context()); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("Static(nil): %v, want ErrUnavailable", err)
	}
}

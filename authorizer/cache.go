package authorizer

import (
	"crypto/rsa"
	"sync"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// verified is a token that was verified before, and what its verification rested
// on. It never changes.
type verified struct {
	rawToken string
	access   token.Access
	who      identity.Identity
	context  []byte // who as the functions will see it, in JSON

	issuer *foreign // nil: ours
	keyID  string
	key    *rsa.PublicKey
}

// cacheSize is how many tokens a generation of the cache holds. With two, and
// tokens of about a kilobyte, the cache stays under a megabyte.
const cacheSize = 384

// cache remembers the tokens that were verified last, so that a token which is
// used again costs no signature check. It holds nothing that did not verify: who
// has no genuine token puts nothing into it. What it returns is true of the token
// itself; time, keys and revocations are to be looked at again.
type cache struct {
	mu         sync.Mutex
	young, old map[string]*verified // by the whole token
}

func (c *cache) get(rawToken string) *verified {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.young[rawToken]; v != nil {
		return v
	}
	v := c.old[rawToken]
	if v != nil {
		c.put(v)
	}
	return v
}

func (c *cache) add(v *verified) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(v)
}

// put adds to the young generation. When that is full it becomes the old one, and
// what was old is forgotten.
func (c *cache) put(v *verified) {
	if c.young == nil || len(c.young) >= cacheSize {
		c.old, c.young = c.young, make(map[string]*verified, cacheSize)
	}
	c.young[v.rawToken] = v
}

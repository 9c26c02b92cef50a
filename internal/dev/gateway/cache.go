package gateway

import (
	"sync"
	"time"
)

// cache keeps what an authorizer answered, by the values it was asked with. Its zero value is ready.
type cache struct {
	mu       sync.Mutex
	verdicts map[string]kept
}

type kept struct {
	verdict *verdict // never changed
	until   time.Time
}

// maxVerdicts bounds the memory that tokens made up by a client can take.
const maxVerdicts = 10_000

func (c *cache) get(key string, now time.Time) (*verdict, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.verdicts[key]
	if !ok || !now.Before(k.until) {
		return nil, false
	}
	return k.verdict, true
}

func (c *cache) put(key string, v *verdict, now time.Time, ttl time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.verdicts) >= maxVerdicts || c.verdicts == nil {
		c.verdicts = make(map[string]kept)
	}
	c.verdicts[key] = kept{v, now.Add(ttl)}
}

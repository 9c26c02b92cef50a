package server_test

import (
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
)

// The demo provider changes its key after every five ID tokens, so fifty
// sign-ins at once meet about ten keys.
func TestFiftySignInsAtOnce(t *testing.T) {
	// Not in parallel: other tests would time out for want of a processor.
	s := running(t, server.Options{})
	var wg sync.WaitGroup
	people := []string{"lin", "ada"}
	for i := range 50 {
		wg.Go(func() {
			if _, err := signin.Do(t.Context(), signin.Request{URL: s.Issuer, User: people[i%2], ClientID: "demo-spa"}); err != nil {
				t.Errorf("sign-in %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// Package issuertest is a login service for tests of the built authorizer: keys and
// revocations, and no sign-in.
package issuertest

import (
	"crypto/rsa"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

// Issuer serves its keys, and at /revocations the feed. It is safe for concurrent
// use.
type Issuer struct {
	URL string
	Key *localkey.Key // signs
	Set []byte        // the JWK Set

	mu          sync.Mutex
	revoked     revocation.Copy
	keyFetches  int
	connections int
}

// key is made once for all tests of a process: it takes a while.
var key = sync.OnceValues(localkey.Generate)

// Serve returns an issuer that ends with the test.
func Serve(t testing.TB) *Issuer {
	t.Helper()
	key, err := key()
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwks.Marshal([]*rsa.PublicKey{key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	i := &Issuer{Key: key, Set: set, revoked: revocation.Copy{Remembers: 11 * time.Minute}}
	server := httptest.NewUnstartedServer(i)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		i.mu.Lock()
		defer i.mu.Unlock()
		if state == http.StateNew {
			i.connections++
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

// ServeHTTP implements [http.Handler].
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r.URL.Path == "/revocations" {
		json.NewEncoder(w).Encode(&i.revoked)
		return
	}
	i.keyFetches++
	w.Write(i.Set)
}

// Revoke lists in the feed, from now on, what belongs to a subject: an entry such as
// [revocation.Session] makes.
func (i *Issuer) Revoke(entry revocation.Entry, subject string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.revoked.Add(entry, revocation.BucketOf(subject), time.Now())
}

// Fetches returns how many connections there were, and how many fetches of the keys.
func (i *Issuer) Fetches() (connections, keys int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.connections, i.keyFetches
}

package revocation_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
)

// BenchmarkRebuild adds what 1,667 revocations a second bring to a full copy, and
// makes the document again.
func BenchmarkRebuild(b *testing.B) {
	c := filled(100_000)
	now, n := noon.Add(10*time.Minute), 0
	for b.Loop() {
		now = now.Add(time.Second)
		for range 1667 {
			n++
			id := fmt.Sprint("u_new", n)
			c.Add(revocation.Subject(id), revocation.BucketOf(id), now)
		}
		c.Trim(now)
		if _, err := json.Marshal(c); err != nil {
			b.Fatal(err)
		}
	}
}

package bolttable

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// FuzzKeys: the order of the stored keys is the order of what they stand for,
// and a prefix of the one is a prefix of the other.
func FuzzKeys(f *testing.F) {
	f.Add("a", "b", "a", "c", "")
	f.Add("a", "\x00", "a\x00", "", "\x00")
	f.Add("a\x00", "\xff", "a", "\x00\x01", "\x00\xff")
	f.Add("", "\x01", "\x00\x01", "", "\x01")
	f.Fuzz(func(t *testing.T, pk1, sk1, pk2, sk2, prefix string) {
		a, b := table.Key{PK: pk1, SK: sk1}, table.Key{PK: pk2, SK: sk2}
		want := cmp.Or(strings.Compare(a.PK, b.PK), strings.Compare(a.SK, b.SK))
		if got := bytes.Compare(itemKey(a), itemKey(b)); got != want {
			t.Errorf("order of %q and %q is %d, want %d", a, b, got, want)
		}
		isIn := a.PK == b.PK && strings.HasPrefix(a.SK, prefix)
		if got := bytes.HasPrefix(itemKey(a), []byte(component(b.PK)+escape(prefix))); got != isIn {
			t.Errorf("%q under %q with prefix %q is %v, want %v", a, b.PK, prefix, got, isIn)
		}
	})
}

func TestExpiryInstant(t *testing.T) {
	instants := []int64{math.MinInt64, -1, 0, 1, 255, 256, 1 << 40, math.MaxInt64}
	if !slices.IsSortedFunc(instants, func(a, b int64) int { return bytes.Compare(expiryInstant(a), expiryInstant(b)) }) {
		t.Error("stored instants are not in order")
	}
}

package usersvc

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// newID returns an id that no user or session has had: the prefix, nine digits of the
// millisecond in base 32, and 80 random bits. Ids sort by age, so that an index
// in the order of ids lists the newest first and finds an id by its beginning.
func newID(prefix string, at time.Time) string {
	digits := strconv.FormatInt(at.UnixMilli(), 32)
	return prefix + fmt.Sprintf("%09s", digits) + strings.ToLower(rand.Text()[:16])
}

// IsID tells whether s has the form of an id.
func IsID(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_'
	})
}

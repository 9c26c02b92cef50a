package token

import (
	"errors"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799

// text returns the string that the JSON value holds.
func text(value string) (string, bool) { return strictjson.Text(value) }

// instant returns the time that the JSON value holds as Unix seconds. A
// NumericDate may have a fraction (RFC 7519, Section 2); ours have none.
func instant(value string) (time.Time, bool) {
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err != nil || seconds < 0 || seconds > maxUnix {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0).UTC(), true
}

var errNoText = errors.New("not a string")

// list returns the strings of the array that the JSON value holds.
func list(value string) ([]string, bool) {
	found := make([]string, 0, 4)
	err := strictjson.Elements(value, func(element string) error {
		s, ok := text(element)
		if !ok {
			return errNoText
		}
		found = append(found, s)
		return nil
	})
	return found, err == nil
}

package token

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799

// text returns the string that the valid JSON value holds.
func text(value string) (string, bool) {
	if value[0] != '"' {
		return "", false
	}
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1], true
	}
	var s string
	err := json.Unmarshal([]byte(value), &s)
	return s, err == nil
}

// instant returns the time that the valid JSON value holds as Unix seconds. A
// NumericDate may have a fraction (RFC 7519, Section 2); ours have none.
func instant(value string) (time.Time, bool) {
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err != nil || seconds < 0 || seconds > maxUnix {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0).UTC(), true
}

// list returns the strings of the array that the valid JSON value holds.
func list(value string) ([]string, bool) {
	if value[0] != '[' {
		return nil, false
	}
	found := make([]string, 0, 4)
	for rest := space(value[1:]); rest[0] != ']'; {
		end := valueEnd(rest)
		s, ok := text(rest[:end])
		if !ok {
			return nil, false
		}
		found = append(found, s)
		if rest = space(rest[end:]); rest[0] == ',' {
			rest = space(rest[1:])
		}
	}
	return found, true
}

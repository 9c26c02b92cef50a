package grant

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// userCodeLetters make no words and are not mistaken for each other; eight of
// them are 34 bits (RFC 8628, Section 6.1).
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

func newUserCode() string {
	var b strings.Builder
	for range 8 {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(len(userCodeLetters))))
		if err != nil {
			panic(err) // crypto/rand does not fail
		}
		b.WriteByte(userCodeLetters[i.Int64()])
	}
	return b.String()
}

// ParseUserCode reads a user code as people type it; "" if it cannot be one.
func ParseUserCode(typed string) string {
	code := strings.ToUpper(strings.Map(func(c rune) rune {
		if c == '-' || c == ' ' {
			return -1
		}
		return c
	}, typed))
	if len(code) != 8 || !consistsOf(code, userCodeLetters) {
		return ""
	}
	return code
}

// ShowUserCode is a user code as it is easy to read.
func ShowUserCode(code string) string { return code[:4] + "-" + code[4:] }

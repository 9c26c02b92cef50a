package tokentest

import (
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/token"
)

// shapes is what is no token, or a second spelling of one.
func (w World) shapes() []Row {
	good := signed(w.Claims())
	part := strings.Split(good, ".")
	header, payload := Header(Ours()).String(), w.Claims().String()
	rows := []Row{}
	add := func(want token.Reason, name, rawToken string) {
		rows = append(rows, Row{name, rawToken, want})
	}
	for name, rawToken := range map[string]string{
		"nothing":                          "",
		"one dot":                          ".",
		"two dots":                         "..",
		"one segment":                      part[0],
		"two segments":                     part[0] + "." + part[1],
		"four segments":                    good + "." + part[2],
		"a dot at the end":                 good + ".",
		"a dot at the beginning":           "." + good,
		"five segments, as if encrypted":   good + "." + part[1] + "." + part[2],
		"an empty header":                  "." + part[1] + "." + part[2],
		"dots and nothing else":            strings.Repeat(".", 8192),
		"a space before":                   " " + good,
		"a space after":                    good + " ",
		"a line feed after":                good + "\n",
		"a line feed in the signature":     part[0] + "." + part[1] + "." + part[2][:9] + "\n" + part[2][9:],
		"a carriage return in the payload": part[0] + "." + part[1][:9] + "\r" + part[1][9:] + "." + part[2],
		"a line feed in the header":        part[0][:9] + "\n" + part[0][9:] + "." + part[1] + "." + part[2],
		"a tab in the header":              part[0][:9] + "\t" + part[0][9:] + "." + part[1] + "." + part[2],
		"a NUL after":                      good + "\x00",
		"padding":                          good + "==",
		"padded segments":                  part[0] + "=." + part[1] + "=." + part[2] + "==",
		"percent-encoded dots":             strings.ReplaceAll(good, ".", "%2E"),
		"dots of another alphabet":         strings.ReplaceAll(good, ".", "\uff0e"),
		"the other base64 alphabet":        part[0] + "." + part[1] + "." + "+/" + part[2][2:],
		"quoted":                           `"` + good + `"`,
		"another token after a comma":      good + "," + good,
		"the JSON serialization":           `{"payload":"` + part[1] + `","protected":"` + part[0] + `","signature":"` + part[2] + `"}`,
		"a signature spelt differently":    respell(good),
		"header is not JSON":               Sign(Ours(), "alg=RS256", payload),
		"header is null":                   Sign(Ours(), "null", payload),
		"header is a list":                 Sign(Ours(), "["+header+"]", payload),
		"header is a string":               Sign(Ours(), `"RS256"`, payload),
		"header cut short":                 Sign(Ours(), header[:len(header)-1], payload),
		"two headers":                      Sign(Ours(), header+header, payload),
		"payload is not JSON":              Sign(Ours(), header, "iss=x"),
		"payload is null":                  Sign(Ours(), header, "null"),
		"payload is a list":                Sign(Ours(), header, "["+payload+"]"),
		"payload is a number":              Sign(Ours(), header, "1"),
		"payload with something behind it": Sign(Ours(), header, payload+"x"),
		"payload with a byte order mark":   Sign(Ours(), header, "\ufeff"+payload),
		"payload in broken UTF-8":          Sign(Ours(), header, w.Claims().Add("name", "\"\xff\"").String()),
		"payload with a trailing comma":    Sign(Ours(), header, payload[:len(payload)-1]+",}"),
		"payload in single quotes":         Sign(Ours(), header, strings.ReplaceAll(payload, `"`, `'`)),
		"payload with NaN":                 Sign(Ours(), header, w.Claims().Set("exp", "NaN").String()),
		"payload with a thousand members":  Sign(Ours(), header, many(w.Claims(), 300)),
		"payload nested without an end":    Sign(Ours(), header, w.Claims().Add("deep", strings.Repeat("[", 3000)).String()),
	} {
		add(token.ReasonMalformed, name, rawToken)
	}
	add(token.ReasonTooLarge, "a million dots", strings.Repeat(".", 1_000_000))
	add(token.ReasonTooLarge, "a byte more than a token may have", strings.Repeat("x", token.MaxSize+1))
	add(token.ReasonTooLarge, "signed, but too large", signed(w.Claims().Add("name", quote(strings.Repeat("x", 8192)))))
	return rows
}

// respell changes bits of the last character of the signature that no byte is
// made of: 256 bytes leave four of them.
func respell(rawToken string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(rawToken) - 1
	return rawToken[:last] + string(alphabet[strings.IndexByte(alphabet, rawToken[last])^1])
}

func many(claims Object, n int) string {
	for i := range n {
		claims = claims.Add(strings.Repeat("a", i%9+1)+string(rune('a'+i%26))+string(rune('a'+i/26)), "1")
	}
	return claims.String()
}

// duplicates is objects in which a name appears twice: which of the two counts
// is anybody's guess.
func (w World) duplicates() []Row {
	h, c := Header(Ours()), w.Claims()
	var rows []Row
	for name, rawToken := range map[string]string{
		"alg twice":                    w.headed(h.Add("alg", `"RS256"`)),
		"alg none, then RS256":         w.headed(append(Object{{"alg", `"none"`}}, h...)),
		"typ twice":                    w.headed(h.Add("typ", `"JWT"`)),
		"kid twice":                    w.headed(h.Add("kid", quote(Foreign().ID()))),
		"kid twice, once with escapes": w.headed(h.Add(`k\u0069d`, quote(Foreign().ID()))),
		"exp twice":                    signed(c.Add("exp", w.at(0))),
		"aud twice":                    signed(c.Add("aud", `"https://other.example"`)),
		"sub twice, once with escapes": signed(c.Add(`s\u0075b`, `"u_ada"`)),
		"roles twice":                  signed(c.Add("roles", `["admin"]`)),
		"an unknown claim, too":        signed(c.Add("x", "1").Add("x", "1")),
	} {
		rows = append(rows, Row{name, rawToken, token.ReasonDuplicate})
	}
	return rows
}

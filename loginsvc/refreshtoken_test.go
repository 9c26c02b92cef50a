package loginsvc

import (
	"strings"
	"testing"
)

func TestParseRefreshToken(t *testing.T) {
	good := refreshToken{"u_abc", newFamilyID(), newSecret()}
	if got, ok := parseRefreshToken(good.text()); !ok || got != good {
		t.Errorf("%+v became %+v", good, got)
	}
	// Whoever knows the format can make the check right.
	for _, bad := range []refreshToken{
		{"", good.family, good.secret}, {"u_a\x00", good.family, good.secret}, {"u_a#b", good.family, good.secret}, {"u.a", good.family, good.secret},
		{"u_a", good.family[1:], good.secret}, {"u_a", good.family + "A", good.secret}, {"u_a", good.family[1:] + "#", good.secret},
		{"u_a", good.family, good.secret[1:]}, {"u_a", good.family, good.secret + "A"}, {"u_a", good.family, good.secret[2:] + "é"},
		{strings.Repeat("a", 300), good.family, good.secret},
	} {
		if _, ok := parseRefreshToken(bad.text()); ok {
			t.Errorf("accepted %q", bad.text())
		}
	}
}

// FuzzParseRefreshToken holds that what is accepted is the one text of a token.
func FuzzParseRefreshToken(f *testing.F) {
	f.Add(refreshToken{"u_abc", newFamilyID(), newSecret()}.text())
	f.Add("ghr_..")
	f.Fuzz(func(t *testing.T, text string) {
		if token, ok := parseRefreshToken(text); ok && token.text() != text {
			t.Errorf("%q is %q", text, token.text())
		}
	})
}

func TestSecretsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		s := newSecret()
		if len(s) != secretLen || seen[s] {
			t.Fatalf("secret %q", s)
		}
		seen[s] = true
	}
}

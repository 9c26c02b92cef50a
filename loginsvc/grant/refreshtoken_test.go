package grant

import (
	"strings"
	"testing"
)

func TestParseRefreshToken(t *testing.T) {
	t.Parallel()
	good := RefreshToken{"u_abc", newFamilyID(), NewSecret()}
	if got, ok := ParseRefreshToken(good.Text()); !ok || got != good {
		t.Errorf("%+v became %+v", good, got)
	}
	// Whoever knows the format can make the check right.
	for _, bad := range []RefreshToken{
		{"", good.Family, good.secret}, {"u_a\x00", good.Family, good.secret}, {"u_a#b", good.Family, good.secret}, {"u.a", good.Family, good.secret},
		{"u_a", good.Family[1:], good.secret}, {"u_a", good.Family + "A", good.secret}, {"u_a", good.Family[1:] + "#", good.secret},
		{"u_a", good.Family, good.secret[1:]}, {"u_a", good.Family, good.secret + "A"}, {"u_a", good.Family, good.secret[2:] + "é"},
		{strings.Repeat("a", 300), good.Family, good.secret},
	} {
		if _, ok := ParseRefreshToken(bad.Text()); ok {
			t.Errorf("accepted %q", bad.Text())
		}
	}
}

// FuzzParseRefreshToken holds that what is accepted is the one text of a token.
func FuzzParseRefreshToken(f *testing.F) {
	f.Add(RefreshToken{"u_abc", newFamilyID(), NewSecret()}.Text())
	f.Add("ghr_..")
	f.Fuzz(func(t *testing.T, text string) {
		if token, ok := ParseRefreshToken(text); ok && token.Text() != text {
			t.Errorf("%q is %q", text, token.Text())
		}
	})
}

func TestSecretsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 10_000 {
		s := NewSecret()
		if len(s) != secretLen || seen[s] {
			t.Fatalf("secret %q", s)
		}
		seen[s] = true
	}
}

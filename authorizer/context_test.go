package authorizer

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/identity"
)

func TestContextOf(t *testing.T) {
	same := func(t *testing.T, who identity.Identity) {
		t.Helper()
		want, err := json.Marshal(who.Map())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := contextOf(who); err != nil || string(got) != string(want) {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	t.Run("nobody", func(t *testing.T) { same(t, identity.Identity{}) })
	t.Run("everything", func(t *testing.T) {
		same(t, identity.Identity{Subject: "u_1", Email: "lin@example.com", Name: "Lin", Roles: []string{"a", "b"}, Scopes: []string{"c:d"},
			ClientID: "spa", SessionID: "s_1", AuthTime: time.Unix(1, 0), ExpiresAt: time.Unix(1_800_000_000, 0)})
	})
	t.Run("every character and every byte", func(t *testing.T) {
		for r := range rune(0x2100) {
			same(t, identity.Identity{Subject: "u" + string(r), Name: string(r) + "x"})
		}
		for c := range 256 {
			same(t, identity.Identity{Subject: "u" + string([]byte{byte(c)}), Name: strings.Repeat(string([]byte{byte(c)}), 3)})
		}
	})
}

package usersvc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// TestHiddenCharacters sends them wherever text enters, and looks for them in
// every row that the user has.
func TestHiddenCharacters(t *testing.T) {
	t.Parallel()
	for _, hidden := range []string{"\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u200b", "\u200c", "\u200d", "\ufeff", "\u061c", "\u00ad", "\u2060", "\u3164", "\U000e0041", "\x00", "\u2028"} {
		t.Run(fmt.Sprintf("%+q", hidden), func(t *testing.T) {
			t.Parallel()
			h := userstest.OpenBolt(t)
			p := userstest.Profile("lin")
			p.Name = hidden + "L" + hidden + "in" + hidden
			info := usersvc.SignInInfo{UserAgent: "fire" + hidden + "fox", SourceIP: "192.0.2.7"}
			user, s, _, err := h.SignIn(t.Context(), p, info)
			if err != nil || user.Name != "Lin" || s.UserAgent != "firefox" {
				t.Errorf("%+q, %+q, %v", user.Name, s.UserAgent, err)
			}
			by := usersvc.By{UserID: user.ID, UserAgent: "cu" + hidden + "rl"}
			if user, err = h.Rename(t.Context(), by, user.ID, "Linn"+hidden+"éa", 0); err != nil || user.Name != "Linnéa" {
				t.Errorf("%+q, %v", user.Name, err)
			}
			if _, err := h.Suspend(t.Context(), usersvc.By{Operator: "o" + hidden + "p"}, user.ID); err != nil {
				t.Error(err)
			}
			rows := h.Rows(t, schema.UserPartition(user.ID)) + h.Rows(t, schema.Identity(p.Issuer, p.Subject).PK)
			if strings.Contains(rows, hidden) {
				t.Errorf("a row has it: %+q", rows)
			}
			w := table.Update(schema.User(user.ID), map[string]any{"name": "O" + hidden + "ld"})
			if err := h.Table.Write(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if user, err = h.Get(t.Context(), user.ID); err != nil || user.Name != "Old" || plaintext.HasHidden(user.Name) {
				t.Errorf("a row of an older version: %+q, %v", user.Name, err)
			}
		})
	}
}

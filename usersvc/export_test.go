package usersvc_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/usersvc"
)

func TestExportOfWhatOthersDid(t *testing.T) { onEngines(t, testExportOfWhatOthersDid) }

func testExportOfWhatOthersDid(t *testing.T, open engine) {
	h := open(t)
	ada, lin := h.signIn(t, profile("ada")), h.signIn(t, profile("lin"))
	admin := usersvc.By{UserID: ada.user.ID, SourceIP: "192.0.2.99", UserAgent: "Ada's browser"}
	if err := h.EndSessions(t.Context(), admin, lin.user.ID, ""); err != nil {
		t.Fatal(err)
	}
	own := usersvc.By{UserID: lin.user.ID, SourceIP: "192.0.2.5", UserAgent: "Lin's browser"}
	if _, err := h.Rename(t.Context(), own, lin.user.ID, "Linus", 0); err != nil {
		t.Fatal(err)
	}
	export, err := h.Export(t.Context(), lin.user.ID)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(export)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	if strings.Contains(text, admin.SourceIP) || strings.Contains(text, admin.UserAgent) {
		t.Error("it tells from where an admin acted", text)
	}
	for _, want := range []string{string(usersvc.SessionsEnded), ada.user.ID, own.SourceIP, own.UserAgent} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q", want)
		}
	}
}

package usersvc_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/usersvc"
	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

func TestExportOfWhatOthersDid(t *testing.T) { onEngines(t, testExportOfWhatOthersDid) }

func testExportOfWhatOthersDid(t *testing.T, open userstest.Engine) {
	h := open(t)
	ada, lin := h.MustSignIn(t, userstest.Profile("ada")), h.MustSignIn(t, userstest.Profile("lin"))
	admin := usersvc.By{UserID: ada.User.ID, SourceIP: "192.0.2.99", UserAgent: "Ada's browser"}
	if err := h.EndSessions(t.Context(), admin, lin.User.ID, ""); err != nil {
		t.Fatal(err)
	}
	own := usersvc.By{UserID: lin.User.ID, SourceIP: "192.0.2.5", UserAgent: "Lin's browser"}
	if _, err := h.Rename(t.Context(), own, lin.User.ID, "Linus", 0); err != nil {
		t.Fatal(err)
	}
	export, err := h.Export(t.Context(), lin.User.ID)
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
	for _, want := range []string{string(usersvc.SessionsEnded), ada.User.ID, own.SourceIP, own.UserAgent} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q", want)
		}
	}
}

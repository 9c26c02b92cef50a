package keyring_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys"
)

func TestView(t *testing.T) {
	r := newRig(t)
	k := r.ready()
	if _, err := k.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	view, err := k.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := start.Add(3 * time.Hour)
	if !view.ReadyAt.Equal(now.Add(lead)) || !view.DueAt.Equal(now.Add(30*day)) || len(view.Keys) != 3 {
		t.Errorf("%+v", view)
	}
	retiring := view.Keys[0]
	if retiring.State != keys.Retiring || retiring.ID != r.key(keys.Retiring).ID || !retiring.PublishedAt.Equal(start) || !retiring.RetiringAt.Equal(now) {
		t.Errorf("%+v", retiring)
	}
	text, err := json.Marshal(view)
	if err != nil || strings.Contains(string(text), "arn:") || strings.Contains(string(text), "0001-01-01") {
		t.Errorf("S70 %s, %v", text, err)
	}
	if view, err := newRig(t).process().View(t.Context()); err != nil || len(view.Keys) != 0 || !view.ReadyAt.IsZero() {
		t.Errorf("an empty ring: %+v, %v", view, err)
	}
}

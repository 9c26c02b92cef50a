package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

// ring tells the states of the keys in an answer.
func ring(answer map[string]any) string {
	var states []string
	list, _ := answer["keys"].([]any)
	for _, key := range list {
		states = append(states, fmt.Sprint(key.(map[string]any)["state"]))
	}
	return strings.Join(states, " ")
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	s := running(t, server.Options{})
	ada, lin := tokens(t, s, "ada").AccessToken, tokens(t, s, "lin").AccessToken
	if got := ask(t, "POST", s.Issuer+"/demo/keys/rotate", lin); got.status != 403 {
		t.Errorf("Lin rotates: %d", got.status)
	}
	if got := ring(ask(t, "GET", s.Issuer+"/demo/keys", ada).json(t)); got != "current next" {
		t.Errorf("at first: %q", got)
	}
	if got := ring(ask(t, "POST", s.Issuer+"/demo/keys/rotate", ada).json(t)); got != "retiring current next" {
		t.Errorf("after a rotation: %q", got)
	}
	for name, rawToken := range map[string]string{"the old key": lin, "the new key": tokens(t, s, "lin").AccessToken} {
		if got := ask(t, "GET", s.Issuer+"/me", rawToken); got.status != 200 {
			t.Errorf("a token of %s: %d", name, got.status)
		}
	}
	if got := ask(t, "POST", s.Issuer+"/demo/keys/rotate", ada); got.status != 409 {
		t.Errorf("S99 again at once: %d", got.status)
	}
	if got := ask(t, "POST", s.Issuer+"/demo/keys/nobody/compromise", ada); got.status != 409 {
		t.Errorf("a key that is not there: %d", got.status)
	}
	keys := ask(t, "GET", s.Issuer+"/demo/keys", ada).json(t)["keys"].([]any)
	old := keys[0].(map[string]any)["kid"].(string)
	if got := ring(ask(t, "POST", s.Issuer+"/demo/keys/"+old+"/compromise", ada).json(t)); got != "compromised current next" {
		t.Errorf("after the old key was compromised: %q", got)
	}
}

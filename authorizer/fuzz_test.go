package authorizer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authorizer"
)

// FuzzBearer puts anything into the Authorization header; TOKEN stands for a
// genuine token. One spelling is accepted, in every case of the scheme.
func FuzzBearer(f *testing.F) {
	for _, header := range []string{"", "Bearer TOKEN", "bearer TOKEN", "TOKEN", "Bearer  TOKEN", "Bearer TOKEN ", "Bearer TOKEN,TOKEN", "Bearer TOKEN, Bearer TOKEN",
		"Basic TOKEN", "Bearer\tTOKEN", "Bearer \u212aTOKEN", "bea\u212aer TOKEN", "Bearer TOKEN\x00", "Bearer .TOKEN", "Bearer TOKEN.", "BEARER", ", Bearer TOKEN"} {
		f.Add(header)
	}
	w := newWorld(f, nil, func(c *authorizer.Config) { c.Log = silent })
	good := w.rawToken(f, "u_lin", "user")
	f.Fuzz(func(t *testing.T, header string) {
		scheme, rest, _ := strings.Cut(header, " ")
		want := len(scheme) == 6 && strings.ToLower(scheme) == "bearer" && strings.TrimLeft(rest, " ") == "TOKEN"
		header = strings.ReplaceAll(header, "TOKEN", good)
		for _, kind := range kinds {
			if kind.iam || kind.name == "WebSocket, subprotocol" {
				continue
			}
			e := kind.event(header)
			answer, err := w.ask(t, e)
			if got := outcomeOf(t, e, answer, err); (got == allowed) != want || got != allowed && got != kind.bad {
				t.Errorf("%s: %q: %d", kind.name, header, got)
			}
		}
	})
}

// FuzzEvent hands anything to the authorizer. Without a genuine token nothing is
// allowed, and nothing makes it panic.
func FuzzEvent(f *testing.F) {
	for _, kind := range kinds {
		f.Add(marshal(f, kind.event("Bearer a.b.c")))
	}
	f.Add([]byte(`{"version":"2.0","type":"REQUEST","routeKey":"$default","routeArn":"arn","headers":{"authorization":null}}`))
	w := newWorld(f, nil, func(c *authorizer.Config) { c.Log = silent })
	f.Fuzz(func(t *testing.T, payload []byte) {
		out, err := w.Handle(t.Context(), payload)
		if err == nil && string(out) != `{}` && !strings.Contains(string(out), `"isAuthorized":false`) && !strings.Contains(string(out), `"principalId":"nobody"`) {
			t.Errorf("%s: %s", payload, out)
		}
		if err != nil && out != nil || errors.Is(err, authorizer.ErrUnauthorized) && err.Error() != "Unauthorized" {
			t.Errorf("%s, %v", out, err)
		}
	})
}

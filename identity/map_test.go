package identity_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/identity"
)

func ada() identity.Identity {
	return identity.Identity{
		Subject: "u_ada", Email: "ada@example.com", Name: "Ada Löwe",
		Roles: []string{"user", "admin"}, Scopes: []string{"openid", "notes:write"},
		ClientID: "shop-spa", SessionID: "s_1",
		AuthTime:  time.Unix(1_700_000_000, 0).UTC(),
		ExpiresAt: time.Unix(1_700_000_600, 0).UTC(),
	}
}

func TestMap(t *testing.T) {
	t.Run("the keys are the documented ones", func(t *testing.T) {
		want := map[string]any{
			"sub": "u_ada", "email": "ada@example.com", "name": "Ada Löwe",
			"roles": "user admin", "scope": "openid notes:write",
			"client_id": "shop-spa", "sid": "s_1", "first_party": "true",
			"auth_time": int64(1_700_000_000), "exp": int64(1_700_000_600),
		}
		if diff := cmp.Diff(want, ada().Map()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("what is empty is there, so that a header mapped from it overwrites a client's", func(t *testing.T) {
		want := map[string]any{"sub": "u_1", "email": "", "name": "", "roles": "", "scope": "", "client_id": "", "sid": "",
			"first_party": "false", "auth_time": "", "exp": ""}
		if diff := cmp.Diff(want, identity.Identity{Subject: "u_1"}.Map()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a user without roles is not a machine", func(t *testing.T) {
		user := identity.Identity{Subject: "u_1", Roles: []string{}}
		if m := user.Map(); m["roles"] != "" || m["first_party"] != "true" {
			t.Error(m)
		}
		equalAfter(t, user, map[string]any{"sub": "u_1", "roles": ""}) // of an earlier version
		equalAfter(t, user, user.Map())
		equalAfter(t, identity.Identity{Subject: "m_1"}, identity.Identity{Subject: "m_1"}.Map())
	})
	t.Run("S123 line breaks never leave, and no value becomes two", func(t *testing.T) {
		who := identity.Identity{
			Subject: "u_1", Email: "a@example.com\r\nroles: admin", Name: "Ada\r\n\x00Löwe",
			Roles: []string{"user admin", "user\u00a0admin", "a\nb", "", "user"}, Scopes: []string{"\x7f", "\xff"},
		}
		want := map[string]any{"sub": "u_1", "name": "AdaLöwe", "roles": "user", "first_party": "true",
			"email": "", "scope": "", "client_id": "", "sid": "", "auth_time": "", "exp": ""}
		if diff := cmp.Diff(want, who.Map()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a damaged subject is nobody, not somebody else", func(t *testing.T) {
		_, err := identity.FromMap(identity.Identity{Subject: "u_a\nda"}.Map())
		if !errors.Is(err, identity.ErrNone) {
			t.Errorf("err = %v, want ErrNone", err)
		}
	})
}

func TestFromMap(t *testing.T) {
	t.Run("numbers come in every form", func(t *testing.T) {
		for name, n := range map[string]any{
			"int64": int64(1_700_000_600), "int": 1_700_000_600, "float64": 1_700_000_600.0,
			"string": "1700000600", "json.Number": json.Number("1700000600"), "exponent": "1.7000006E9",
		} {
			who, err := identity.FromMap(map[string]any{"sub": "u_1", "exp": n})
			if err != nil || who.ExpiresAt.Unix() != 1_700_000_600 {
				t.Errorf("%s: %v, %v", name, who.ExpiresAt, err)
			}
		}
	})
	t.Run("null is absent, and other keys are left alone", func(t *testing.T) {
		who, err := identity.FromMap(map[string]any{"sub": "u_1", "email": nil, "exp": nil, "roles": "  user  admin ",
			"principalId": "u_2", "integrationLatency": 12.0, "claims": map[string]any{"sub": "u_2"}})
		want := identity.Identity{Subject: "u_1", Roles: []string{"user", "admin"}}
		if diff := cmp.Diff(want, who); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		for _, m := range []map[string]any{nil, {}, {"sub": ""}, {"sub": nil}, {"principalId": "u_1"}, {"Sub": "u_1"}} {
			if _, err := identity.FromMap(m); !errors.Is(err, identity.ErrNone) {
				t.Errorf("%v: err = %v, want ErrNone", m, err)
			}
		}
	})
	t.Run("damaged", func(t *testing.T) {
		for _, m := range []map[string]any{
			{"sub": 7.0}, {"sub": []any{"u_1"}}, {"sub": "u 1"}, {"sub": "u\n1"}, {"sub": true},
			{"sub": "u_1", "roles": []any{"admin"}}, {"sub": "u_1", "roles": "user\tadmin"},
			{"sub": "u_1", "first_party": "false", "roles": "admin"}, {"sub": "u_1", "first_party": "yes"}, {"sub": "u_1", "first_party": true},
			{"sub": "u_1", "name": 1.0}, {"sub": "u_1", "sid": "a b"},
			{"sub": "u_1", "exp": true}, {"sub": "u_1", "exp": "soon"}, {"sub": "u_1", "exp": 1.5},
			{"sub": "u_1", "exp": -1.0}, {"sub": "u_1", "exp": math.NaN()}, {"sub": "u_1", "exp": math.Inf(1)},
			{"sub": "u_1", "exp": 1e300}, {"sub": "u_1", "exp": "9223372036854775808"}, {"sub": "u_1", "exp": int64(math.MaxInt64)},
		} {
			if who, err := identity.FromMap(m); err == nil || errors.Is(err, identity.ErrNone) {
				t.Errorf("%v: %v, %v, want an error", m, who, err)
			}
		}
	})
}

// What the authorizer writes is what the function reads, whatever the user's
// profile holds and however the gateway spells it on the way.
func FuzzMap(f *testing.F) {
	f.Add("u_ada", "ada@example.com", "Ada", "user admin", "openid", "spa", "s_1", int64(1), int64(1_700_000_000))
	f.Add("u\r", "\xff", "\u2028", " a  b ", "\u00a0", "\n", "", int64(-1), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, sub, email, name, roles, scopes, client, sid string, authTime, exp int64) {
		m := map[string]any{"sub": sub, "email": email, "name": name, "roles": roles, "scope": scopes,
			"client_id": client, "sid": sid, "auth_time": authTime, "exp": exp}
		if who, err := identity.FromMap(m); err == nil {
			equalAfter(t, who, who.Map())
			equalAfter(t, who, viaJSON(t, who.Map()))
		}
		// An identity of any strings becomes at most less than it was.
		who := identity.Identity{Subject: sub, Email: email, Name: name, Roles: strings.Split(roles, ","),
			Scopes: []string{scopes}, ClientID: client, SessionID: sid, ExpiresAt: time.Unix(exp, 0)}
		back, err := identity.FromMap(who.Map())
		if err != nil {
			return
		}
		if back.Subject != who.Subject {
			t.Errorf("subject %q became %q", who.Subject, back.Subject)
		}
		for _, role := range back.Roles {
			if !who.HasRole(role) {
				t.Errorf("role %q came from nowhere", role)
			}
		}
		equalAfter(t, back, back.Map())
	})
}

func equalAfter(t *testing.T, want identity.Identity, m map[string]any) {
	t.Helper()
	got, err := identity.FromMap(m)
	if err != nil {
		t.Fatalf("reading %v: %v", m, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func viaJSON(t *testing.T, m map[string]any) map[string]any {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]any
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

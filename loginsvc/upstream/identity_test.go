package upstream_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
)

func TestEmailVerified(t *testing.T) {
	h := open(t, nil)
	for _, value := range []any{false, "true", "false", "", 1, 0, nil, []bool{true}, map[string]bool{"true": true}, true} {
		want := value == true
		t.Run(fmt.Sprintf("S36 email_verified %T %v", value, value), func(t *testing.T) {
			for _, behaviour := range []demoidp.Behaviour{
				claim("email_verified", value),
				{EmailAtUserInfo: true, UserInfo: func(c map[string]any) { c["email_verified"] = value }},
			} {
				h.demo.Behave(behaviour)
				who, err := h.signIn(lin)
				// go-oidc cannot read a userinfo answer whose email_verified is
				// no boolean in any spelling: then nobody is signed in.
				if err != nil && (!behaviour.EmailAtUserInfo || want) {
					t.Fatal(err)
				}
				if who.EmailVerified != want {
					t.Errorf("verified: %v", who.EmailVerified)
				}
			}
		})
	}
	t.Run("S36 email_verified absent", func(t *testing.T) {
		h.demo.Behave(without("email_verified"))
		if who, err := h.signIn(lin); err != nil || who.EmailVerified || who.Email != "lin@example.com" {
			t.Errorf("%+v, %v", who, err)
		}
	})
	t.Run("S36 email_verified in another case", func(t *testing.T) {
		h.demo.Behave(demoidp.Behaviour{Claims: func(c map[string]any) {
			delete(c, "email_verified")
			c["Email_Verified"] = true
		}})
		if who, err := h.signIn(lin); err != nil || who.EmailVerified {
			t.Errorf("%+v, %v", who, err)
		}
	})
}

func TestIdentityIsIssuerAndSubject(t *testing.T) {
	t.Run("S35 the same e-mail with another subject is another identity", func(t *testing.T) {
		h := open(t, nil)
		first, err := h.signIn(lin)
		if err != nil {
			t.Fatal(err)
		}
		h.demo.Behave(claim("sub", "another"))
		second, err := h.signIn(lin)
		if err != nil {
			t.Fatal(err)
		}
		if first.Subject == second.Subject || first.Email != second.Email || second.Issuer != h.issuer {
			t.Errorf("%+v, %+v", first, second)
		}
	})
}

func TestHostedDomain(t *testing.T) {
	h := open(t, func(c *upstream.Config) { c.HostedDomain = "good.test" })
	with := func(hd, email any) demoidp.Behaviour {
		return demoidp.Behaviour{Claims: func(c map[string]any) { c["hd"], c["email"] = hd, email }}
	}
	for _, c := range []struct {
		name      string
		hd, email any
		want      string // the canonical e-mail; "": not let in
	}{
		{"the domain", "good.test", "a@good.test", "a@good.test"},
		{"an e-mail in capitals", "good.test", "a@GOOD.test", "a@good.test"},
		{"another domain", "evil.test", "a@good.test", ""},
		{"the domain in capitals", "GOOD.test", "a@good.test", ""},
		{"the domain with a dot", "good.test.", "a@good.test", ""},
		{"a longer domain", "good.test.evil.test", "a@good.test", ""},
		{"a domain above", "test", "a@good.test", ""},
		{"no domain", nil, "a@good.test", ""},
		{"a list of domains", []string{"good.test"}, "a@good.test", ""},
		{"two @", "good.test", "a@evil.test@good.test", ""},
		{"an e-mail with a dot at the end", "good.test", "a@good.test.", ""},
		{"a look-alike", "good.test", "a@gооd.test", ""},
		{"full-width letters", "good.test", "a@ｇood.test", ""},
		{"a quoted local part", "good.test", `"a@evil.test"@good.test`, ""},
	} {
		t.Run("S37 "+c.name, func(t *testing.T) {
			h.demo.Behave(with(c.hd, c.email))
			who, err := h.signIn(lin)
			if c.want == "" {
				wantErr(t, err, upstream.ErrNotAllowed)
			} else if err != nil || who.Email != c.want || who.HostedDomain != "good.test" {
				t.Errorf("%+v, %v", who, err)
			}
		})
	}
	t.Run("S37 without the rule an e-mail that cannot be compared is no e-mail", func(t *testing.T) {
		h := open(t, nil)
		h.demo.Behave(claim("email", "a@evil.test@good.test"))
		if who, err := h.signIn(lin); err != nil || who.Email != "" || who.EmailVerified {
			t.Errorf("%+v, %v", who, err)
		}
	})
}

func TestUserInfo(t *testing.T) {
	t.Run("it is asked only if something is missing", func(t *testing.T) {
		h := open(t, nil)
		h.demo.Behave(claim("picture", "https://demo.test/lin.png"))
		if _, err := h.signIn(lin); err != nil {
			t.Fatal(err)
		}
		if n := h.called("/userinfo"); n != 0 {
			t.Errorf("asked %d times", n)
		}
		h.demo.Behave(demoidp.Behaviour{EmailAtUserInfo: true})
		who, err := h.signIn(lin)
		if err != nil || who.Email != "lin@example.com" || !who.EmailVerified || who.Name != "Lin" {
			t.Errorf("%+v, %v", who, err)
		}
	})
	for name, sub := range map[string]any{"another subject": "demo-ada", "no subject": nil, "an empty subject": "", "a subject in another case": "DEMO-LIN"} {
		t.Run("S41 userinfo of "+name, func(t *testing.T) {
			h := open(t, nil)
			h.demo.Behave(demoidp.Behaviour{EmailAtUserInfo: true, UserInfo: func(c map[string]any) { c["sub"] = sub }})
			_, err := h.signIn(lin)
			wantErr(t, err, upstream.ErrRefused)
		})
	}
	t.Run("userinfo cannot change what the ID token says", func(t *testing.T) {
		h := open(t, nil)
		h.demo.Behave(demoidp.Behaviour{
			Claims: func(c map[string]any) {
				delete(c, "email")
				c["name"] = "Lin of the token"
				c["email_verified"] = false
			},
		})
		who, err := h.signIn(lin)
		if err != nil || who.Name != "Lin of the token" || who.Email != "lin@example.com" || who.EmailVerified {
			t.Errorf("%+v, %v", who, err)
		}
	})
	t.Run("userinfo that fails", func(t *testing.T) {
		h := open(t, nil)
		h.demo.Behave(demoidp.Behaviour{EmailAtUserInfo: true, Instead: map[string]http.HandlerFunc{"/userinfo": status(500)}})
		_, err := h.signIn(lin)
		wantErr(t, err, upstream.ErrUnavailable)
	})
}

package email_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/usersvc/email"
)

func TestCanonical(t *testing.T) {
	t.Run("equal addresses", func(t *testing.T) {
		for _, s := range []string{"ada@good.test", "ADA@good.test", "ada@GOOD.test", "Ada@Good.Test"} {
			if got, ok := email.Canonical(s); got != "ada@good.test" || !ok {
				t.Errorf("%q: %q, %v", s, got, ok)
			}
		}
	})
	t.Run("S37 one parser, and what it cannot compare is no address", func(t *testing.T) {
		for _, s := range []string{
			"", "@", "ada", "ada@", "@good.test", "a@evil.test@good.test", `"a@evil.test"@good.test`, "a@good.test.",
			"a@.good.test", "a@good..test", "a@good", "a@[127.0.0.1]", "a@good.test\n", "\ta@good.test", " a@good.test",
			"a b@good.test", "a@good.test,b@evil.test", "a@good.test\x00", "a@gооd.test" /* Cyrillic */, "а@good.test",
			"a@ｇood.test" /* full width */, "a@good。test", "a@İstanbul.test", "a@good_.test", "a@-good.test", "a@good-.test",
			".a@good.test", "a.@good.test", "a..b@good.test", "<a@good.test>", "Ada <a@good.test>", "a(x)@good.test", "a@good.test(x)",
			strings.Repeat("a", 65) + "@good.test", "a@" + strings.Repeat("a", 64) + ".test", "a@" + strings.Repeat("good.", 60) + "test",
		} {
			if got, ok := email.Canonical(s); ok {
				t.Errorf("%q became %q", s, got)
			}
		}
	})
	t.Run("what people really have", func(t *testing.T) {
		for _, s := range []string{"a.b+tag@mail.good.test", "o'neil@good.test", "x@xn--bcher-kva.test", "1@2.test"} {
			if _, ok := email.Canonical(s); !ok {
				t.Errorf("%q refused", s)
			}
		}
	})
}

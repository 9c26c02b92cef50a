package authorizer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
)

var benchRules = []policy.Rule{
	{Route: "GET /notes/{id}", Scopes: []string{"notes:read"}},
	{Route: "POST /notes", Scopes: []string{"notes:write"}},
	{Route: "ANY /admin/{proxy+}", Roles: []string{"admin"}},
}

// BenchmarkVerifyAgain is a token that was seen before.
func BenchmarkVerifyAgain(b *testing.B) {
	w := newWorld(b, benchRules, func(c *authorizer.Config) { c.Now = nil })
	rawToken := liveToken(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Verify(context.Background(), rawToken); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandle is 256 tokens in turn, each seen before, and each new.
func BenchmarkHandle(b *testing.B) {
	for _, kind := range kinds[:5] {
		for _, seen := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/seen=%v", kind.name, seen), func(b *testing.B) {
				w := newWorld(b, benchRules, func(c *authorizer.Config) { c.Now, c.IAM = nil, kind.iam })
				var events [][]byte
				for range 256 {
					events = append(events, marshal(b, kind.event("Bearer "+liveToken(b))))
				}
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					if !seen {
						w.Forget()
					}
					if _, err := w.Handle(context.Background(), events[i%256]); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
		}
	}
}

// liveToken is a token for the real clock.
func liveToken(b *testing.B) string {
	w := &world{clock: fake.At(time.Now())}
	return w.rawToken(b, "u_0123456789abcdef", "user editor|openid profile notes:read")
}

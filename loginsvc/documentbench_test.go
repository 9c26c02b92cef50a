package loginsvc_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// nowhere is an answer that nobody reads.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// BenchmarkDocument is what a public document takes beside net/http, with its log
// line.
func BenchmarkDocument(b *testing.B) {
	look, err := pages.New(pages.Brand{})
	if err != nil {
		b.Fatal(err)
	}
	tab := &bolttable.Table{} // which no document asks
	service, err := loginsvc.New(loginsvc.Config{
		Issuer: issuer, Audience: audience, Clients: defaultClients.Lookup, Users: &usersvc.Users{Table: tab}, Table: tab,
		Keys: keys.Static(signer()), Pages: look, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/jwks.json"} {
		b.Run(path[len("/.well-known/"):], func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, issuer+path, nil)
			b.ReportAllocs()
			for b.Loop() {
				service.ServeHTTP(nowhere{http.Header{}}, r)
			}
		})
	}
}

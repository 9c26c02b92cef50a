package loginsvc_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/memtable"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/loginsvc"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// stopwatch adds up the time that passes in what it measures.
type stopwatch struct{ total time.Duration }

// lap returns the total and begins anew.
func (s *stopwatch) lap() time.Duration {
	total := s.total
	s.total = 0
	return total
}

func (s *stopwatch) since(began time.Time) { s.total += time.Since(began) }

type timedTable struct {
	table.Table
	stopwatch
}

func (t *timedTable) Get(ctx context.Context, key table.Key) (table.Item, error) {
	defer t.since(time.Now())
	return t.Table.Get(ctx, key)
}

func (t *timedTable) Write(ctx context.Context, writes ...table.Write) error {
	defer t.since(time.Now())
	return t.Table.Write(ctx, writes...)
}

type timedSigner struct {
	keys.Signer
	stopwatch
}

func (s *timedSigner) SignDigest(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	defer s.since(time.Now())
	return s.Signer.SignDigest(ctx, digest)
}

// BenchmarkRenew reports what a renewal takes beside key and table: the handler
// with its log line, and the verification of what was signed. median-beside-ns
// leaves out what others on the machine did meanwhile, and the collection of
// garbage; mean-beside-ns has both.
func BenchmarkRenew(b *testing.B) {
	look, err := pages.New(pages.Brand{})
	if err != nil {
		b.Fatal(err)
	}
	tab, key := &timedTable{Table: &memtable.Table{}}, &timedSigner{Signer: signer()}
	users := &usersvc.Users{Table: tab}
	service, err := loginsvc.New(loginsvc.Config{
		Issuer: issuer, Audience: audience, Clients: defaultClients.Lookup, Origins: defaultClients.AllowsOrigin,
		Users: users, Table: tab, Keys: keys.Static(key), Pages: look, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	_, _, cookie, err := users.SignIn(b.Context(), usersvc.Profile{
		Issuer: demo, Subject: "lin", Provider: "demo", Email: "lin@example.com", EmailVerified: true, Name: "Lin",
	}, usersvc.SignInInfo{UserAgent: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	asked := httptest.NewRequest(http.MethodGet, issuer+"/authorize?"+authorize("scope", offline).Encode(), nil)
	asked.AddCookie(&http.Cookie{Name: "__Host-gatehouse_session", Value: cookie})
	back := httptest.NewRecorder()
	service.ServeHTTP(back, asked)
	to, err := back.Result().Location()
	if err != nil {
		b.Fatal(err)
	}
	var whole stopwatch
	refreshToken := benchToken(b, service, &whole, redemption(to.Query().Get("code")))
	tab.lap()
	key.lap()
	whole.lap()
	var beside, inKey []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		refreshToken = benchToken(b, service, &whole, renewal(refreshToken))
		signing := key.lap()
		beside, inKey = append(beside, whole.lap()-tab.lap()-signing), append(inKey, signing)
	}
	report := func(name string, times []time.Duration) {
		var sum time.Duration
		for _, t := range times {
			sum += t
		}
		slices.Sort(times)
		b.ReportMetric(float64(sum)/float64(len(times)), "mean-"+name+"-ns")
		b.ReportMetric(float64(times[len(times)/2]), "median-"+name+"-ns")
	}
	report("beside", beside)
	report("key", inKey)
}

// benchToken posts form to /token and returns the refresh token of the answer.
// What the handler takes goes to whole.
func benchToken(b *testing.B, service http.Handler, whole *stopwatch, form url.Values) string {
	r := httptest.NewRequest(http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	began := time.Now()
	service.ServeHTTP(rec, r)
	whole.since(began)
	var answer struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || answer.RefreshToken == "" {
		b.Fatalf("/token: %d %s", rec.Code, rec.Body)
	}
	return answer.RefreshToken
}

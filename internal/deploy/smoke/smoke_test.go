package smoke_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/smoke"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
)

func start(t *testing.T, changes ...func(*server.Options)) *server.Server {
	t.Helper()
	o := server.Options{Config: "../../../gatehouse.yml", Template: "../../../serverless.yml"}
	for _, change := range changes {
		change(&o)
	}
	s, err := server.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func tokenOf(t *testing.T, url, user string) string {
	t.Helper()
	got, err := signin.Do(t.Context(), signin.Request{URL: url, User: user, ClientID: "demo-spa"})
	if err != nil {
		t.Fatal(err)
	}
	return got.AccessToken
}

func outcome(steps []smoke.Step) (failed, skipped []string) {
	for _, s := range steps {
		switch {
		case s.Skipped:
			skipped = append(skipped, s.Name)
		case s.Failure != "":
			failed = append(failed, s.String())
		}
	}
	return failed, skipped
}

func TestRun(t *testing.T) {
	s := start(t)
	lin := tokenOf(t, s.Issuer, "lin")
	t.Run("a sound stack", func(t *testing.T) {
		if failed, skipped := outcome(smoke.Run(t.Context(), smoke.Config{URL: s.Issuer, Token: lin})); len(failed)+len(skipped) > 0 {
			t.Errorf("failed %q, skipped %q", failed, skipped)
		}
	})
	t.Run("without a token, what needs none", func(t *testing.T) {
		if failed, skipped := outcome(smoke.Run(t.Context(), smoke.Config{URL: s.Issuer})); len(failed) > 0 || len(skipped) != 6 {
			t.Errorf("failed %q, skipped %q", failed, skipped)
		}
	})
	for name, c := range map[string]struct {
		config smoke.Config
		want   string
	}{
		"an admin's token proves no refusal": {smoke.Config{URL: s.Issuer, Token: tokenOf(t, s.Issuer, "ada")}, "without the role, GET /users is 403: answers 200"},
		"a token of another audience":        {smoke.Config{URL: s.Issuer, Token: lin, Audience: "other"}, "verifies against the published keys"},
		"no token at all":                    {smoke.Config{URL: s.Issuer, Token: "none"}, "with a token, GET /me is 200: answers 403"},
		"nothing there":                      {smoke.Config{URL: "http://127.0.0.1:1"}, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			failed, _ := outcome(smoke.Run(t.Context(), c.config))
			if !strings.Contains(strings.Join(failed, "\n"), c.want) {
				t.Errorf("failed %q", failed)
			}
		})
	}
}

// TestRunBehindUpstream tries a dev that sends to an API which answers everything.
func TestRunBehindUpstream(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(api.Close)
	s := start(t, func(o *server.Options) { o.Upstream = api.URL })
	if failed, skipped := outcome(smoke.Run(t.Context(), smoke.Config{URL: s.Issuer, Token: tokenOf(t, s.Issuer, "lin")})); len(failed)+len(skipped) > 0 {
		t.Errorf("failed %q, skipped %q", failed, skipped)
	}
}

// TestRefusals finds out what a client sees of a refused token.
func TestRefusals(t *testing.T) {
	t.Parallel()
	found := func(url string) (refusal string, failed []string) {
		steps := smoke.Run(t.Context(), smoke.Config{URL: url})
		for _, step := range steps {
			if step.Found != "" {
				refusal = step.String()
			}
		}
		failed, _ = outcome(steps)
		return refusal, failed
	}
	t.Run("a refusal", func(t *testing.T) {
		t.Parallel()
		if got, failed := found(start(t).Issuer); !strings.HasPrefix(got, "known a refused token is answered: 403 without WWW-Authenticate") || len(failed) > 0 {
			t.Errorf("%q %q", got, failed)
		}
	})
	t.Run("an error that the gateway makes 500 of", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile("../../../serverless.yml")
		if err != nil {
			t.Fatal(err)
		}
		const setting = "      GOMAXPROCS: '1'   # a quarter"
		template := filepath.Join(t.TempDir(), "serverless.yml")
		if err := os.WriteFile(template, []byte(strings.Replace(string(text), setting, "      GATEHOUSE_REFUSAL: unauthorized\n"+setting, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		got, failed := found(start(t, func(o *server.Options) { o.Template = template }).Issuer)
		if !strings.HasPrefix(got, "known a refused token is answered: 500") || !strings.Contains(strings.Join(failed, "\n"), "has GATEHOUSE_REFUSAL=unauthorized and this API makes no 401 of it") {
			t.Errorf("%q %q", got, failed)
		}
	})
	t.Run("an error that the gateway makes 401 of", func(t *testing.T) {
		t.Parallel()
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Remapped-Www-Authenticate", "Bearer")
			w.WriteHeader(401)
		}))
		t.Cleanup(api.Close)
		if got, _ := found(api.URL); !strings.Contains(got, "401 with X-Amzn-Remapped-Www-Authenticate, as with GATEHOUSE_REFUSAL=unauthorized") {
			t.Errorf("%q", got)
		}
	})
}

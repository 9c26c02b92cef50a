package smoke_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/smoke"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
)

func start(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.Start(t.Context(), server.Options{Config: "../../../gatehouse.yml", Template: "../../../serverless.yml"})
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

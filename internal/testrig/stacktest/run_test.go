package stacktest_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/metric/metrictest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/stacktest"
)

func TestStackOnThisMachine(t *testing.T) {
	w := start(t, stacktest.Config{})
	tokens := map[string]string{"ada": w.tokens(t, "ada").AccessToken, "lin": w.tokens(t, "lin").AccessToken}
	tampered := tokens["lin"][:len(tokens["lin"])-4] + "AAAA"
	for _, tc := range []struct {
		name, method, path, rawToken, body string
		status                             int
		want                               string
	}{
		{"no token", "GET", "/me", "", "", 401, `{"message":"Unauthorized"}`},
		{"one's own account", "GET", "/me", tokens["lin"], "", 200, "lin@example.com"},
		{"a changed token", "GET", "/me", tampered, "", 403, `{"message":"Forbidden"}`},
		{"users, as a user", "GET", "/users", tokens["lin"], "", 403, `{"message":"Forbidden"}`},
		{"users, as an admin", "GET", "/users", tokens["ada"], "", 200, "lin@example.com"},
		{"a note", "POST", "/notes", tokens["lin"], `{"text":"buy milk"}`, 201, "buy milk"},
		{"others' notes", "GET", "/notes", tokens["ada"], "", 200, "[]"},
		{"who a token is of", "GET", "/userinfo", tokens["lin"], "", 200, `"sub":"u_`},
		{"no route", "GET", "/no/such", tokens["ada"], "", 404, `{"message":"Not Found"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.path == "/notes" && w.Functions["notes"] == nil {
				t.Skip("this stack has no notes")
			}
			if status, body := w.ask(t, tc.method, tc.path, tc.rawToken, tc.body); status != tc.status || !strings.Contains(body, tc.want) {
				t.Errorf("got %d %s", status, body)
			}
		})
	}
	t.Run("the rotator makes the next key", func(t *testing.T) {
		if _, err := w.Functions["rotator"].Invoke(t.Context(), []byte(`{}`)); err != nil || w.KMS.Calls()["CreateKey"] != 2 {
			t.Errorf("%v\n%s", err, w.Log)
		}
	})
	t.Run("S101 keys are served while KMS is down", func(t *testing.T) {
		w.KMS.SetFaults(kmstest.Faults{Throttled: true})
		if status, body := w.ask(t, "GET", "/.well-known/jwks.json", "", ""); status != 200 || !strings.Contains(body, `"kid"`) {
			t.Errorf("got %d %s", status, body)
		}
	})
	for _, f := range w.Functions {
		f.Close()
	}
	t.Run("CloudWatch finds the metrics in the log", func(t *testing.T) {
		found := metrictest.Log(t, w.Log.String())
		for _, d := range found {
			if d.Dimensions[metric.Stack] != "gatehouse-prod" {
				t.Errorf("%+v", d)
			}
		}
		for _, tc := range []struct {
			want   float64 // at least
			metric metric.Metric
			labels []string
		}{
			{2, metric.SignIns, []string{"provider", "demo", "sign_in", "success"}},
			{1, metric.Allowed, nil},
			{1, metric.Refused, []string{"reason", "signature"}},
			{1, metric.Refused, []string{"reason", "role"}},
			{0.001, metric.SignTime, nil},
			{0.001, metric.OperationTime("GetItem"), nil},
			{0.001, metric.OperationTime("TransactWriteItems"), nil},
			{1, metric.RingTended, nil},
		} {
			if got := metrictest.Sum(found, tc.metric, tc.labels...); got < tc.want {
				t.Errorf("%s %v: %v, want %v or more\n%s", tc.metric.Name, tc.labels, got, tc.want, w.Log)
			}
		}
		for _, never := range []metric.Metric{metric.TableFailures, metric.FeedFailures, metric.Undecided, metric.KeyFailures, metric.RingUnhealthy} {
			if got := metrictest.Sum(found, never); got != 0 {
				t.Errorf("%s: %v in quiet times", never.Name, got)
			}
		}
	})
	t.Run("S124 no log has a token, a secret or an address", func(t *testing.T) {
		for _, secret := range []string{tokens["lin"], tokens["ada"], "secret-of-the-demo-provider", "lin@example.com", "code=", "state="} {
			if strings.Contains(w.Log.String(), secret) {
				t.Errorf("the log holds %.20q", secret)
			}
		}
	})
}

package lambdahttp_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
)

// alb is the event of a load balancer; members replaces its own.
func alb(members string) string {
	return `{"httpMethod":"GET","path":"/a%2Fb",` + members + `"requestContext":{"elb":{"targetGroupArn":"arn"},"authorizer":{"sub":"u_eve","lambda":{"sub":"u_eve"}}},"isBase64Encoded":false,"body":""}`
}

func TestLoadBalancer(t *testing.T) {
	for _, test := range []struct{ name, event, uri string }{
		{"one value of each", alb(`"headers":{"accept":"b","host":"h"},"queryStringParameters":{"b":"1%202","a":"x%26y"},`), "/a%2Fb?a=x%26y&b=1%202"},
		{"all values", alb(`"multiValueHeaders":{"accept":["b"],"host":["h"]},"multiValueQueryStringParameters":{"q":["1","2%2B"]},`), "/a%2Fb?q=1&q=2%2B"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, status := look(t, test.event)
			want := seen{Method: "GET", URI: test.uri, Path: "/a/b", Host: "h", From: ":0", Accept: []string{"b"}}
			if diff := cmp.Diff(want, got); diff != "" || status != 200 {
				t.Error(diff, status)
			}
		})
	}
}

func TestLoadBalancerResponse(t *testing.T) {
	cookies := func(n int) lambdahttp.Function {
		return lambdahttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for i := range n {
				http.SetCookie(w, &http.Cookie{Name: string(rune('a' + i)), Value: "1"})
			}
			w.WriteHeader(http.StatusAccepted)
		}))
	}
	single, multi := alb(`"headers":{"host":"h"},`), alb(`"multiValueHeaders":{"host":["h"]},`)
	for _, test := range []struct {
		event   string
		cookies int
		want    string
	}{
		{single, 0, `{"statusCode":202,"headers":{},"body":"","isBase64Encoded":false}`},
		{single, 1, `{"statusCode":202,"headers":{"Set-Cookie":"a=1"},"body":"","isBase64Encoded":false}`},
		{multi, 2, `{"statusCode":202,"multiValueHeaders":{"Set-Cookie":["a=1","b=1"]},"body":"","isBase64Encoded":false}`},
	} {
		out, err := cookies(test.cookies)(t.Context(), []byte(test.event))
		if diff := cmp.Diff(test.want, string(out)); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	if out, err := cookies(2)(t.Context(), []byte(single)); err == nil {
		t.Errorf("a cookie was lost: %s", out)
	}
}

// callerOf returns who a handler sees.
func callerOf(t *testing.T, wrap func(http.Handler) lambdahttp.Function, event string) string {
	t.Helper()
	caller := "?"
	_, err := wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who, _ := identity.FromContext(r.Context())
		caller = who.Subject
	}))(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return caller
}

func TestCaller(t *testing.T) {
	v2 := func(domain, authorizer string) string {
		return `{"version":"2.0","routeKey":"GET /me","rawPath":"/me","requestContext":{"domainName":"` + domain + `","http":{"method":"GET"},"authorizer":` + authorizer + `}}`
	}
	v1 := func(authorizer string) string {
		return `{"version":"1.0","resource":"/me","path":"/me","httpMethod":"GET","requestContext":{"authorizer":` + authorizer + `}}`
	}
	const api, url = "api.example.com", "x.lambda-url.eu-west-1.on.aws"
	for _, test := range []struct{ name, event, handler, strict string }{
		{"Gatehouse's authorizer, 2.0", v2(api, `{"lambda":{"sub":"u_ada"}}`), "u_ada", "u_ada"},
		{"Gatehouse's authorizer, 1.0", v1(`{"lambda":{"sub":"u_ada"}}`), "u_ada", "u_ada"},
		{"Gatehouse's authorizer, REST", v1(`{"sub":"u_ada","principalId":"u_ada"}`), "u_ada", "u_ada"},
		{"JWT authorizer, 2.0", v2(api, `{"jwt":{"claims":{"sub":"u_ada","roles":"[admin]"},"scopes":null}}`), "u_ada", ""},
		{"JWT authorizer, 1.0", v1(`{"claims":{"sub":"u_ada"},"scopes":null}`), "u_ada", ""},
		{"a function URL", v2(url, `{"lambda":{"sub":"u_eve"},"iam":{"userId":"u_eve"}}`), "", ""},
		{"a load balancer", alb(`"headers":{"host":"h"},`), "", ""},
		{"two authorizers", v1(`{"claims":{"sub":"u_eve"},"lambda":{"sub":"u_ada"}}`), "", "u_ada"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if who := callerOf(t, lambdahttp.Handler, test.event); who != test.handler {
				t.Errorf("Handler: called as %q, want %q", who, test.handler)
			}
			if who := callerOf(t, lambdahttp.Strict, test.event); who != test.strict {
				t.Errorf("Strict: called as %q, want %q", who, test.strict)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	var id string
	_, err := lambdahttp.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { id = lambdahttp.RequestID(r.Context()) }))(
		t.Context(), []byte(`{"version":"2.0","routeKey":"$default","rawPath":"/","requestContext":{"requestId":"r1","http":{"method":"GET"}}}`))
	if err != nil || id != "r1" {
		t.Error(id, err)
	}
}

package loginsvc_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/pathtest"
)

func TestPathsStayOnTheirRoute(t *testing.T) {
	template, err := gateway.ReadTemplate("../serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, r := range template.Routes {
		if r.Function != "loginsvc" {
			continue
		}
		method, path, _ := strings.Cut(r.Key, " ")
		if method != "ANY" {
			t.Errorf("%s: the service answers every method itself", r.Key)
		}
		for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS", "DELETE"} {
			routes = append(routes, method+" "+path)
		}
	}
	pathtest.Check(t, newWorld(t).service, routes, func(r *http.Request) *http.Request { return r })
}

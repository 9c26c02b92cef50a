package loginsvc_test

import (
	"net/http"
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
		if r.Function == "loginsvc" {
			routes = append(routes, r.Key)
		}
	}
	pathtest.Check(t, newWorld(t).service, routes, func(r *http.Request) *http.Request { return r })
}

package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// TestRoutes holds serverless.yml against the document of the API, which in turn
// is held against the handlers.
func TestRoutes(t *testing.T) {
	template, err := gateway.ReadTemplate("../../serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	var deployed []string
	heads := 0
	for _, r := range template.Routes {
		if r.Function != "usersvc" || r.Key == "ANY /openapi.json" || strings.HasPrefix(r.Key, "OPTIONS ") {
			continue
		}
		if r.Authorizer == "" {
			t.Errorf("%s is public", r.Key)
		}
		if path, ok := strings.CutPrefix(r.Key, "HEAD "); ok { // is guarded as GET is
			if !slices.ContainsFunc(template.Routes, func(get gateway.Route) bool { return get.Key == "GET "+path && get.Authorizer == r.Authorizer }) {
				t.Errorf("%s: no GET has its authorizer", r.Key)
			}
			heads++
			continue
		}
		deployed = append(deployed, r.Key)
	}
	for _, key := range deployed { // browsers ask before each
		_, path, _ := strings.Cut(key, " ")
		whole, below := "OPTIONS "+path, "OPTIONS /"+strings.Split(path, "/")[1]+"/{proxy+}"
		if !slices.ContainsFunc(template.Routes, func(r gateway.Route) bool {
			return r.Function == "usersvc" && r.Authorizer == "" && (r.Key == whole || r.Key == below)
		}) {
			t.Errorf("no route answers the preflights of %s", key)
		}
	}
	raw, err := os.ReadFile("../../usersvc/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(raw, &api); err != nil {
		t.Fatal(err)
	}
	var described []string
	for path, operations := range api.Paths {
		for method := range operations {
			if slices.Contains([]string{"get", "post", "put", "patch", "delete"}, method) {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
	}
	if gets := len(slices.DeleteFunc(slices.Clone(described), func(key string) bool { return !strings.HasPrefix(key, "GET ") })); heads != gets {
		t.Errorf("%d routes for HEAD, and %d for GET", heads, gets)
	}
	slices.Sort(deployed)
	slices.Sort(described)
	if diff := cmp.Diff(described, deployed); diff != "" {
		t.Error(diff)
	}
}

package template_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/osls"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRoutesAreDescribed holds docs/HTTP.md against serverless.yml. Of a path that
// takes every method, it wants one that the function serves. HEAD and OPTIONS are
// described for all paths together.
func TestRoutesAreDescribed(t *testing.T) {
	api, err := gateway.ReadTemplate(source)
	if err != nil {
		t.Fatal(err)
	}
	text, routes := read(t, "../../../docs/HTTP.md"), make(map[string]bool)
	for _, r := range api.Routes {
		routes[r.Key] = true
		method, path, _ := strings.Cut(r.Key, " ")
		described := method == "HEAD" || method == "OPTIONS" || strings.Contains(text, "`"+r.Key+"`")
		if method == "ANY" {
			described = strings.Contains(text, "`GET "+path+"`") || strings.Contains(text, "`POST "+path+"`")
		}
		if !described {
			t.Errorf("docs/HTTP.md does not describe %s", r.Key)
		}
	}
	for _, found := range regexp.MustCompile("`((?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) /[^`]*)`").FindAllStringSubmatch(text, -1) {
		if _, path, _ := strings.Cut(found[1], " "); !routes[found[1]] && !routes["ANY "+path] {
			t.Errorf("docs/HTTP.md describes %s, which is no route", found[1])
		}
	}
}

// TestAlarmsAreDescribed holds docs/OPERATING.md against the alarms.
func TestAlarmsAreDescribed(t *testing.T) {
	template, err := template.Parse(osls.Packaged(t, os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	text, n := read(t, "../../../docs/OPERATING.md"), 0
	for _, r := range template.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		n++
		if name := strings.TrimPrefix(r.Properties.At("AlarmName").String(), "gatehouse-prod-"); !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/OPERATING.md has no paragraph for %s", name)
		}
	}
	if n < 17 {
		t.Errorf("%d alarms", n)
	}
}

// TestFilesOfThreats wants every file that docs/THREATS.md names to be there.
func TestFilesOfThreats(t *testing.T) {
	for _, found := range regexp.MustCompile("`((?:[a-z]+/)+[a-z.]+)`").FindAllStringSubmatch(read(t, "../../../docs/THREATS.md"), -1) {
		if _, err := os.Stat("../../../" + found[1]); err != nil {
			t.Error(err)
		}
	}
}

// TestPackagesRunNoScripts wants npm to run no scripts of packages, in each folder
// that installs some: deploy credentials are beside them.
func TestPackagesRunNoScripts(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"", "e2e/clients/", "bench/authorizer/node/", "bench/provider/node/"} {
		if text := read(t, "../../../"+folder+".npmrc"); !strings.Contains(text, "\nignore-scripts=true\n") {
			t.Errorf("%s.npmrc does not say ignore-scripts=true", folder)
		}
	}
}

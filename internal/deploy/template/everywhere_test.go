package template_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/osls"
)

// packageWith packages serverless.yml with these variables in .env.
func packageWith(t *testing.T, variables ...string) []byte {
	t.Helper()
	return packageText(t, read(t, source), variables...)
}

// packageText is packageWith for the text of another serverless.yml.
func packageText(t *testing.T, text string, variables ...string) []byte {
	t.Helper()
	return madeAt.ReplaceAll(osls.Package(t, os.Getenv, input(t, text, variables...)), []byte("TIME"))
}

func input(t *testing.T, text string, variables ...string) osls.Input {
	t.Helper()
	return osls.Input{
		Files: map[string]string{
			"serverless.yml": text,
			"gatehouse.yml":  read(t, "../../../gatehouse.yml"),
			"node.js":        "exports.handler = async () => ({statusCode: 200})\n",
		},
		Variables: variables,
	}
}

var madeAt = regexp.MustCompile(`\d{13}-\d{4}-\d\d-\d\dT[0-9:.]+Z`)

// TestEverywhere packages for regions of two partitions, and for none.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	var templates [2]string
	t.Run("regions", func(t *testing.T) {
		for i, region := range []string{"AWS_REGION=us-gov-west-1", "AWS_DEFAULT_REGION=cn-north-1"} {
			t.Run(region, func(t *testing.T) {
				t.Parallel()
				templates[i] = string(packageWith(t, region))
			})
		}
		t.Run("none", func(t *testing.T) {
			t.Parallel()
			osls.Refuses(t, os.Getenv, input(t, read(t, source)), `"provider.region"`)
		})
	})
	if t.Failed() || templates[0] == "" { // or skipped
		return
	}
	if templates[0] != templates[1] {
		t.Error("the template depends on the region")
	}
	if err := check(t, []byte(templates[0])); err != nil {
		t.Error(err)
	}
}

// TestCustomDomain packages with the one setting that makes a custom domain.
func TestCustomDomain(t *testing.T) {
	t.Parallel()
	const certificate = "arn:aws-cn:acm:cn-north-1:000000000000:certificate/x"
	for _, tc := range []struct{ issuer, host, key string }{
		{"https://auth.example.com", "auth.example.com", ""},
		{"https://example.com/auth", "example.com", "auth"},
	} {
		t.Run(tc.issuer, func(t *testing.T) {
			t.Parallel()
			raw := packageWith(t, "AWS_REGION=cn-north-1", "GATEHOUSE_CERTIFICATE="+certificate, "GATEHOUSE_ISSUER="+tc.issuer)
			if err := check(t, raw); err != nil {
				t.Error(err)
			}
			template, err := template.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			if host := selected(template.Resources["Domain"].Properties.At("DomainName")); host != tc.host {
				t.Errorf("%s: the domain is %q", tc.issuer, host)
			}
			key := template.Resources["DomainMapping"].Properties.At("ApiMappingKey", "Fn::If").List()
			if len(key) != 3 || selected(key[1]) != tc.key || !key[0].Is("HasPath") || !key[2].Refers("AWS::NoValue") {
				t.Errorf("%s: it is mapped under %v", tc.issuer, key)
			}
			if got := template.Outputs["Issuer"].Value.String(); got != tc.issuer {
				t.Errorf("the output Issuer is %q", got)
			}
			if got := template.Outputs["RedirectURI"].Value.Resolve(nil); got != tc.issuer+"/callback/" {
				t.Errorf("the output RedirectURI is %q", got)
			}
			for fault, want := range map[string]string{
				strings.ReplaceAll(string(raw), tc.issuer, "https://example.com/a/b"): "path of several segments",
				strings.ReplaceAll(string(raw), `"`+tc.issuer+`"`, `{"Ref":"X"}`):     "set GATEHOUSE_ISSUER",
				strings.ReplaceAll(string(raw), `"DisableExecuteApiEndpoint"`, `"X"`): "open beside the domain",
			} {
				if err := check(t, []byte(fault)); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v", want, err)
				}
			}
		})
	}
}

// selected is what a Fn::Select takes out of a Fn::Split.
func selected(v template.Value) string {
	list := v.At("Fn::Select").List()
	split := list[1].At("Fn::Split").Strings()
	return strings.Split(split[1], split[0])[int(list[0].Number())]
}

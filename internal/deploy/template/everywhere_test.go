package template_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
)

// packageWith packages serverless.yml in a folder of its own, with these variables
// in .env and empty zips, and returns the template, or what the tool says instead.
func packageWith(t *testing.T, variables ...string) (template []byte, said string) {
	t.Helper()
	return packageText(t, read(t, source), variables...)
}

// packageText is packageWith for the text of another serverless.yml.
func packageText(t *testing.T, text string, variables ...string) (template []byte, said string) {
	t.Helper()
	tool, err := filepath.Abs("../../../node_modules/.bin/osls")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tool); errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("osls is not installed: npm ci")
	}
	folder := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "dist"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("serverless.yml", []byte(text))
	write("gatehouse.yml", []byte(read(t, "../../../gatehouse.yml")))
	for _, zip := range regexp.MustCompile(`artifact: (dist/[a-z]+\.zip)`).FindAllStringSubmatch(text, -1) {
		write(zip[1], []byte("PK\x05\x06"+strings.Repeat("\x00", 18)))
	}
	write(".env", []byte(strings.Join(variables, "\n")))
	write("node.js", []byte("exports.handler = async () => ({statusCode: 200})\n"))
	cmd := exec.CommandContext(t.Context(), tool, "package")
	cmd.Dir = folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "SLS_TELEMETRY_DISABLED=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, string(out)
	}
	raw, err := os.ReadFile(filepath.Join(folder, ".serverless", "cloudformation-template-update-stack.json"))
	if err != nil {
		t.Fatal(err)
	}
	return madeAt.ReplaceAll(raw, []byte("TIME")), ""
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
				template, said := packageWith(t, region)
				if said != "" {
					t.Fatalf("%s: %s", region, said)
				}
				templates[i] = string(template)
			})
		}
		t.Run("none", func(t *testing.T) {
			t.Parallel()
			if _, said := packageWith(t); !strings.Contains(said, `"provider.region"`) {
				t.Errorf("without a region it says %q", said)
			}
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
			raw, said := packageWith(t, "AWS_REGION=cn-north-1", "GATEHOUSE_CERTIFICATE="+certificate, "GATEHOUSE_ISSUER="+tc.issuer)
			if said != "" {
				t.Fatal(said)
			}
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

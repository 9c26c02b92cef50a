package authorizer_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authorizer"
)

var update = flag.Bool("update", false, "write the golden files")

// samples is where aws-lambda-go keeps its sample events.
func samples(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-lambda-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "events", "testdata")
}

// TestGoldenAnswers answers every sample event of API Gateway: as it is, and
// with a genuine token in it. What is no authorizer event is trouble of the
// deployment, and never an answer; nor is the old sample whose ARN is for every
// stage.
func TestGoldenAnswers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(samples(t), "apigw-*.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d sample events, %v", len(files), err)
	}
	var golden bytes.Buffer
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, iam := range []bool{false, true} {
			if iam && !strings.Contains(file, "authorizer-v2") {
				continue // nothing would be different
			}
			w := newWorld(t, notesRules, func(c *authorizer.Config) { c.IAM = iam })
			var sample map[string]any
			if err := json.Unmarshal(text, &sample); err != nil {
				t.Fatal(err)
			}
			for _, authorization := range []string{"", "Bearer " + w.rawToken(t, "u_lin", "user")} {
				if authorization != "" {
					sample["authorizationToken"] = authorization
					object(sample, "headers")["Authorization"] = authorization
					object(sample, "multiValueHeaders")["Authorization"] = []string{authorization}
				}
				out, err := w.Handle(t.Context(), marshal(t, sample))
				if err != nil {
					out = []byte("error: " + err.Error())
				} else {
					fits(t, out)
				}
				golden.WriteString(filepath.Base(file))
				if iam {
					golden.WriteString(", IAM answers")
				}
				if authorization != "" {
					golden.WriteString(", with a token")
				}
				golden.WriteString("\n  " + string(out) + "\n")
			}
		}
	}
	path := filepath.Join("testdata", "answers.golden")
	if *update {
		if err := os.WriteFile(path, golden.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), golden.String()); diff != "" {
		t.Error(diff)
	}
}

// fits fails the test if AWS's own types of answers do not take in all of out.
func fits(t *testing.T, out []byte) {
	t.Helper()
	simple := json.NewDecoder(bytes.NewReader(out))
	simple.DisallowUnknownFields()
	iam := json.NewDecoder(bytes.NewReader(out))
	iam.DisallowUnknownFields()
	if simple.Decode(&events.APIGatewayV2CustomAuthorizerSimpleResponse{}) != nil && iam.Decode(&events.APIGatewayCustomAuthorizerResponse{}) != nil {
		t.Errorf("an answer of no kind: %s", out)
	}
}

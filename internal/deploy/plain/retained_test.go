package plain_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/plain"
)

var referred = regexp.MustCompile(`"(?:Ref|Condition)": "(\w+)"|\$\{(\w+)\}`)

// What is retained can be imported: it is whole, and CloudFormation deletes it only when a
// first deployment fails.
func TestRetained(t *testing.T) {
	t.Parallel()
	text, err := plain.Retained()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Parameters map[string]any
		Resources  map[string]struct{ Type, DeletionPolicy, UpdateReplacePolicy string }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{"Table": "AWS::DynamoDB::Table", "SigningKey": "AWS::KMS::Key"} {
		if r := got.Resources[name]; r.Type != kind || r.DeletionPolicy != "RetainExceptOnCreate" || r.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	for _, m := range referred.FindAllStringSubmatch(string(text), -1) {
		name := m[1] + m[2]
		if _, ok := got.Parameters[name]; !ok && !slices.Contains([]string{"ProtectsTable"}, name) {
			t.Errorf("%s is not in the template", m[0])
		}
	}
}

package template_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/osls"
)

// Each mistake names its resource, also the second of one, and says what mends it.
func TestMistakesNameTheirResource(t *testing.T) {
	var template object
	if err := json.Unmarshal(osls.Packaged(t, os.Getenv), &template); err != nil {
		t.Fatal(err)
	}
	resources := template["Resources"].(object)
	table := properties(resources["Table"].(object))
	table["DeletionProtectionEnabled"] = false
	table["TimeToLiveSpecification"].(object)["Enabled"] = false
	resources["IamRoleLambdaExecution"] = object{"Type": "AWS::IAM::Role", "Properties": object{}}
	properties(resources["UsersvcLambdaFunction"].(object))["Role"] = object{"Fn::GetAtt": []any{"IamRoleLambdaExecution", "Arn"}}
	changed, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	said := "\n" + check(t, changed).Error() + "\n"
	for _, want := range []string{
		"\nTable: deletion protection is off: set DeletionProtectionEnabled: true\n",
		"\nTable: rows do not end by ttl: enable TimeToLiveSpecification for the attribute ttl\n",
		"\nUsersvcLambdaFunction: has the role that functions without a role share: give it one of its own\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:%s", want, said)
		}
	}
}

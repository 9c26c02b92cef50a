package doctor_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/doctor"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/osls"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/watch"
)

type object = map[string]any

// seed is a fault as people make them: a resource, the way to a value in it, and
// what they write there. nil deletes.
type seed struct {
	name, resource string
	way            []any // keys and indexes
	value          any
}

var seeds = []seed{
	{"a route opened for a demonstration", "HttpApiRouteGetAudit", []any{"Properties", "AuthorizationType"}, "NONE"},
	{"a guarded route that loses its authorizer", "HttpApiRouteGetMeExport", []any{"Properties", "AuthorizerId"}, nil},
	{"a path widened to all", "HttpApiRouteAnyLogin", []any{"Properties", "RouteKey"}, "$default"},
	{"kept answers on a fresh route", "HttpApiRoutePutUsersIdVarRoles", []any{"Properties", "AuthorizerId"}, object{"Ref": "HttpApiAuthorizerGatehouse"}},
	{"answers kept for five minutes", "HttpApiAuthorizerGatehouse", []any{"Properties", "AuthorizerResultTtlInSeconds"}, 300.0},
	{"answers kept whatever the route", "HttpApiAuthorizerGatehouse", []any{"Properties", "IdentitySource"}, []any{"$request.header.Authorization"}},
	{"an integration of payload 1.0", "HttpApiIntegrationLoginsvc", []any{"Properties", "PayloadFormatVersion"}, "1.0"},
	{"an integration of a type that is not", "HttpApiIntegrationLoginsvc", []any{"Properties", "IntegrationType"}, "AWS_LAMBDA"},
	{"the runtime that AWS took away", "LoginsvcLambdaFunction", []any{"Properties", "Runtime"}, "go1.x"},
	{"too little memory", "LoginsvcLambdaFunction", []any{"Properties", "MemorySize"}, 64.0},
	{"a role shared", "UsersvcLambdaFunction", []any{"Properties", "Role"}, object{"Fn::GetAtt": []any{"LoginsvcRole", "Arn"}}},
	{"a role that is not there", "UsersvcLambdaFunction", []any{"Properties", "Role"}, object{"Fn::GetAtt": []any{"UserRole", "Arn"}}},
	{"a client secret in the open", "LoginsvcLambdaFunction", []any{"Properties", "Environment", "Variables", "GOOGLE_CLIENT_SECRET"}, "abc"},
	{"a table name that is a guess", "UsersvcLambdaFunction", []any{"Properties", "Environment", "Variables", "GATEHOUSE_TABLE"}, "gatehouse"},
	{"an issuer with a slash", "AuthorizerLambdaFunction", []any{"Properties", "Environment", "Variables", "GATEHOUSE_ISSUER"}, "https://auth.example.com/"},
	{"dynamodb:*", "UsersvcRole", []any{"Properties", "Policies", 1, "PolicyDocument", "Statement", 0, "Action"}, "dynamodb:*"},
	{"an action misspelt", "LoginsvcRole", []any{"Properties", "Policies", 2, "PolicyDocument", "Statement", 1, "Action"}, "kms:SignDigest"},
	{"an action that is not", "UsersvcRole", []any{"Properties", "Policies", 1, "PolicyDocument", "Statement", 0, "Action"}, "dynamodb:TransactWriteItems"},
	{"any key may sign", "LoginsvcRole", []any{"Properties", "Policies", 2, "PolicyDocument", "Statement", 1, "Condition"}, nil},
	{"a rotator that can take another stage's key", "RotatorRole", []any{"Properties", "Policies", 2, "PolicyDocument", "Statement", 1, "Condition", "Null"}, nil},
	{"a rotator that can tag keys of every kind", "RotatorRole", []any{"Properties", "Policies", 2, "PolicyDocument", "Statement", 1, "Condition", "StringEquals", "kms:KeySpec"}, nil},
	{"signing with the keys of another stage", "LoginsvcRole", []any{"Properties", "Policies", 2, "PolicyDocument", "Statement", 1, "Condition", "StringEquals", "aws:ResourceTag/gatehouse"}, "gatehouse-staging"},
	{"a user API that may write the key ring", "UsersvcRole", []any{"Properties", "Policies", 1, "PolicyDocument", "Statement", 0, "Condition"}, nil},
	{"a feed that shares its throttle", "HttpApiStage", []any{"Properties", "RouteSettings", "ANY /revocations"}, nil},
	{"a variable of REST APIs in the access log", "HttpApiStage", []any{"Properties", "AccessLogSettings", "Format"}, "$context.requestId $context.authorizer.status"},
	{"a table that goes with the stack", "Table", []any{"DeletionPolicy"}, nil},
	{"no way back in time", "Table", []any{"Properties", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"}, false},
	{"rows for ever", "Table", []any{"Properties", "TimeToLiveSpecification"}, nil},
	{"a key schema of an attribute that is not defined", "Table", []any{"Properties", "KeySchema", 0, "AttributeName"}, "id"},
	{"a key for ciphers", "SigningKey", []any{"Properties", "KeyUsage"}, "ENCRYPT_DECRYPT"},
	{"a key that nobody can delete or change", "SigningKey", []any{"Properties", "KeyPolicy", "Statement", 0, "Action"}, "kms:Sign"},
	{"queries in the access log", "HttpApiStage", []any{"Properties", "AccessLogSettings", "Format"}, "$context.requestId $context.path $context.identity.sourceIp"},
	{"settings before routes", "HttpApiStage", []any{"DependsOn"}, nil},
	{"an alarm that tells nobody", "FeedFailuresAlarm", []any{"Properties", "AlarmActions"}, nil},
	{"an alarm with a comparison that is not", "ServerErrorsAlarm", []any{"Properties", "ComparisonOperator"}, "GreaterThan"},
	{"an alarm that needs a thousand", "ServerErrorsAlarm", []any{"Properties", "Threshold"}, 100000.0},
	{"a log that stays for a hundred days", "LoginsvcLogGroup", []any{"Properties", "RetentionInDays"}, 100.0},
	{"a rotator that nobody runs", "RotatorEventsRuleSchedule1", []any{"Properties", "State"}, "DISABLED"},
	{"an alarm on a metric misspelt", "KeyFailuresAlarm", []any{"Properties", "MetricName"}, "KeyFailure"},
	{"an alarm in a namespace of its own", "FeedFailuresAlarm", []any{"Properties", "Namespace"}, "Gatehouse/prod"},
	{"an alarm on another stage", "TableFailuresAlarm", []any{"Properties", "Dimensions"}, []any{object{"Name": "stack", "Value": "gatehouse-staging"}}},
	{"an alarm that forgets what it counts", "RefreshReuseAlarm", []any{"Properties", "Dimensions"}, []any{object{"Name": "stack", "Value": "gatehouse-prod"}}},
	{"an alarm on ages added up", "FeedStaleAlarm", []any{"Properties", "Statistic"}, "Sum"},
	{"an alarm that a silent rotator never rings", "RotatorSilentAlarm", []any{"Properties", "TreatMissingData"}, "notBreaching"},
	{"functions that count under another name", "LoginsvcLambdaFunction", []any{"Properties", "Environment", "Variables", "GATEHOUSE_NAME"}, "gatehouse"},
	{"a dashboard of metrics that are gone", "Dashboard", []any{"Properties", "DashboardBody"},
		`{"widgets":[{"type":"metric","properties":{"title":"Trouble","stat":"Sum","metrics":[["Gatehouse","gatehouse-prod-KeyFailures"]]}}]}`},
}

// How many of the seeds must be found by our checks (doctor's, and those of our
// own alarms), and together with the validator. The validator takes seconds for
// each seed: CI runs it.
const (
	byChecks = 43
	together = 46
)

func TestSeededFaults(t *testing.T) {
	raw := osls.Packaged(t, os.Getenv)
	if faults := judge(t, string(raw)); faults.Wrong() != 0 {
		t.Fatalf("the template is not sound before anything is planted: %v", faults.Findings)
	}
	found, wanted, validates := 0, byChecks, os.Getenv("CI") == "true"
	if validates {
		wanted = together
	}
	for _, s := range seeds {
		text := s.plant(t, raw)
		switch r := judge(t, text); {
		case r.Wrong() > 0:
			found++
			t.Logf("doctor     %s: %s", s.name, r.Findings[0].Text)
		case unwatched(t, text) != nil:
			found++
			t.Logf("alarms     %s: %v", s.name, unwatched(t, text))
		case validates && refusedByValidator(t, text):
			found++
			t.Logf("validator  %s", s.name)
		default:
			t.Logf("NOT FOUND  %s", s.name)
		}
	}
	t.Logf("%d of %d found", found, len(seeds))
	if found < wanted {
		t.Errorf("%d of %d found, want %d", found, len(seeds), wanted)
	}
}

// judge examines a packaged template with our own two files.
func judge(t *testing.T, text string) *doctor.Report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "template.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all := doctor.Files(doctor.Inputs{Config: "../../../gatehouse.yml", Template: "../../../serverless.yml", Packaged: path, Dist: "../../../dist"})
	r := &doctor.Report{}
	for _, f := range all.Findings {
		if f.Where == path && !f.Remark { // not the zips, which other tests make
			r.Findings = append(r.Findings, f)
		}
	}
	return r
}

// unwatched returns what is wrong with the alarms and the dashboard.
func unwatched(t *testing.T, text string) error {
	t.Helper()
	parsed, err := template.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return watch.Check(parsed)
}

func (s seed) plant(t *testing.T, raw []byte) string {
	t.Helper()
	var template object
	if err := json.Unmarshal(raw, &template); err != nil {
		t.Fatal(err)
	}
	var at any = template["Resources"].(object)[s.resource]
	for _, step := range s.way[:len(s.way)-1] {
		switch step := step.(type) {
		case string:
			at = at.(object)[step]
		case int:
			at = at.([]any)[step]
		}
	}
	last := s.way[len(s.way)-1].(string)
	if s.value == nil {
		delete(at.(object), last)
	} else {
		at.(object)[last] = s.value
	}
	text, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(text)) == strings.TrimSpace(string(raw)) {
		t.Fatalf("%s: nothing was planted", s.name)
	}
	return string(text)
}

func refusedByValidator(t *testing.T, text string) bool {
	t.Helper()
	valid, _ := osls.Valid(t, os.Getenv, []byte(text))
	return !valid
}

package watch_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/osls"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/watch"
)

type object = map[string]any

func properties(r object) object { return r["Properties"].(object) }

func check(t *testing.T, raw []byte) error {
	t.Helper()
	parsed, err := template.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return watch.Check(parsed)
}

func TestOurTemplate(t *testing.T) {
	t.Parallel()
	if err := check(t, osls.Packaged(t, os.Getenv)); err != nil {
		t.Error(err)
	}
}

func TestEmptyTemplate(t *testing.T) {
	t.Parallel()
	if err := check(t, []byte("{}")); err == nil || !strings.Contains(err.Error(), "no resource is a AWS::CloudWatch::Dashboard") {
		t.Errorf("got %v", err)
	}
}

// TestFindsFaults plants each fault into the packaged template.
func TestFindsFaults(t *testing.T) {
	t.Parallel()
	raw := osls.Packaged(t, os.Getenv)
	for _, tc := range []struct {
		name, resource string
		plant          func(r object)
		want           string
	}{
		{"an alarm less", "RefreshReuseAlarm", func(r object) { properties(r)["MetricName"] = "Invocations" }, "no alarm watches Refreshes"},
		{"an alarm of another function", "RotatorErrorsAlarm", func(r object) { properties(r)["Dimensions"] = []any{} }, "no alarm watches Errors RotatorLambdaFunction"},
		{"an alarm in silence", "ServerErrorsAlarm", func(r object) { delete(properties(r), "AlarmActions") }, "it notifies no one"},
		{"an alarm that is off", "ServerErrorsAlarm", func(r object) { properties(r)["ActionsEnabled"] = false }, "its actions are off"},
		{"an alarm that always rings", "ServerErrorsAlarm", func(r object) { properties(r)["Threshold"] = 0 }, "threshold"},
		{"an alarm that needs a thousand", "ServerErrorsAlarm", func(r object) { properties(r)["Threshold"] = 1000 }, "its threshold is 1000 events"},
		{"an alarm slower than its function", "AuthorizerSlowAlarm", func(r object) { properties(r)["Threshold"] = 3000 }, "the function is ended before"},
		{"an alarm on a feed that nobody uses", "FeedStaleAlarm", func(r object) { properties(r)["Threshold"] = 60000 }, "a feed that is a minute old"},
		{"no data, no alarm", "RotatorSilentAlarm", func(r object) { properties(r)["TreatMissingData"] = "notBreaching" }, "TreatMissingData"},
		{"no data, an alarm", "KeyFailuresAlarm", func(r object) { properties(r)["TreatMissingData"] = "breaching" }, "TreatMissingData"},
		{"a metric that nobody writes", "FeedFailuresAlarm", func(r object) { properties(r)["MetricName"] = "FeedErrors" }, "nothing writes the metric FeedErrors"},
		{"a namespace that nobody writes", "FeedFailuresAlarm", func(r object) { properties(r)["Namespace"] = "gatehouse" }, "nothing writes the metric FeedFailures of gatehouse"},
		{"a metric that AWS does not write", "ServerErrorsAlarm", func(r object) { properties(r)["MetricName"] = "5XXError" }, "nothing writes the metric 5XXError"},
		{"a function that is not", "LoginsvcErrorsAlarm", func(r object) {
			properties(r)["Dimensions"] = []any{object{"Name": "FunctionName", "Value": "loginsvc"}}
		}, "naming one of this template"},
		{"metrics of every stack", "KeyFailuresAlarm", func(r object) { delete(properties(r), "Dimensions") }, "want all dimensions of KeyFailures: stack"},
		{"metrics of another stack", "KeyFailuresAlarm", func(r object) {
			properties(r)["Dimensions"] = []any{object{"Name": "stack", "Value": "gatehouse"}}
		}, `the dimension stack of KeyFailures is never "gatehouse"`},
		{"a dimension that is forgotten", "RefreshReuseAlarm", func(r object) {
			properties(r)["Dimensions"] = properties(r)["Dimensions"].([]any)[:1]
		}, "want all dimensions of Refreshes: refresh, stack"},
		{"a value that never is", "RefreshReuseAlarm", func(r object) {
			properties(r)["Dimensions"].([]any)[1].(object)["Value"] = "stolen"
		}, `the dimension refresh of Refreshes is never "stolen"`},
		{"a dimension that is not", "KeyFailuresAlarm", func(r object) {
			properties(r)["Dimensions"].([]any)[0].(object)["Name"] = "Stack"
		}, "KeyFailures has no dimension Stack"},
		{"another unit", "FeedStaleAlarm", func(r object) { properties(r)["Unit"] = "Seconds" }, "is written in Milliseconds"},
		{"a sum of ages", "FeedStaleAlarm", func(r object) { properties(r)["Statistic"] = "Sum" }, `"Sum" says nothing of it`},
		{"a dashboard in pieces", "Dashboard", func(r object) { properties(r)["DashboardBody"] = "{" }, "no JSON"},
		{"an empty dashboard", "Dashboard", func(r object) { properties(r)["DashboardBody"] = "{}" }, "it shows nothing"},
		{"a line of nothing", "Dashboard", redraw(`"SignTime"`, `"SignTimes"`), "Signing with KMS (ms): nothing writes the metric SignTimes"},
		{"a line of another stack", "Dashboard", redraw(`"FeedAge", "stack", "gatehouse-prod"`, `"FeedAge", "stack", "prod"`), `never "prod"`},
		{"a line without its dimensions", "Dashboard", redraw(`, "refresh", "renewed"`, ``), "want all dimensions of Refreshes"},
		{"a line of half a dimension", "Dashboard", redraw(`, "renewed"`, ``), "dimensions with their values"},
		{"a line that is no name", "Dashboard", redraw(`"QueryTime"`, `7`), "neither a name nor options"},
		{"a line of a function that is not", "Dashboard", redraw("${UsersvcLambdaFunction}", "usersvc"), "naming one of this template"},
		{"a search by other dimensions", "Dashboard", redraw("{Gatehouse,stack,reason}", "{Gatehouse,reason}"), "the search finds nothing: the dimensions of Refused are stack, reason"},
		{"a search in every stack", "Dashboard", redraw(`MetricName=\"Refused\" stack=\"gatehouse-prod\"`, `MetricName=\"Refused\"`), "want all dimensions of Refused"},
		{"another expression", "Dashboard", redraw("SEARCH(", "SEEK("), "want SEARCH("},
		{"another region", "Dashboard", redraw(`"${AWS::Region}"`, `"us-west-2"`), "want the region of the stack"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var template object
			if err := json.Unmarshal(raw, &template); err != nil {
				t.Fatal(err)
			}
			tc.plant(template["Resources"].(object)[tc.resource].(object))
			changed, err := json.Marshal(template)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(t, changed); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// redraw changes the text of the dashboard.
func redraw(old, new string) func(object) {
	return func(r object) {
		body := properties(r)["DashboardBody"].(object)
		body["Fn::Sub"] = strings.Replace(body["Fn::Sub"].(string), old, new, 1)
	}
}

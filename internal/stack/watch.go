package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// alarm is one that must be there.
type alarm struct {
	metric   string
	function string // logical name; "": not of one function
}

var alarms = []alarm{
	{"Errors", "AuthorizerLambdaFunction"}, {"Errors", "LoginsvcLambdaFunction"}, {"Errors", "UsersvcLambdaFunction"}, {"Errors", "RotatorLambdaFunction"},
	{"Duration", "AuthorizerLambdaFunction"}, {"Duration", "LoginsvcLambdaFunction"}, {"Duration", "UsersvcLambdaFunction"},
	{"Throttles", "AuthorizerLambdaFunction"}, {"Throttles", "LoginsvcLambdaFunction"}, {"Throttles", "UsersvcLambdaFunction"},
	{"5xx", ""}, {"KeyFailures", ""}, {"FeedFailures", ""}, {"RefreshReuse", ""},
}

// checkWatch wants an alarm for everything that should wake somebody, each sent
// to the topic, and none on a number that nobody writes.
func (t *Template) checkWatch() error {
	var errs []error
	for _, want := range alarms {
		if !t.hasAlarm(want) {
			errs = append(errs, fmt.Errorf("no alarm watches %s", strings.TrimSpace(want.metric+" "+want.function)))
		}
	}
	errs = append(errs, t.each("AWS::CloudWatch::Alarm", func(_ string, r *Resource) error {
		p := r.Properties
		told := false
		for _, action := range p.At("AlarmActions").List() {
			told = told || t.has(action.At("Ref").text(), "AWS::SNS::Topic")
		}
		switch {
		case !told:
			return errors.New("nobody is told: want AlarmActions with the topic of this template")
		case !p.At("Threshold").positive() || !p.At("Period").positive():
			return errors.New("want a threshold and a period above 0")
		case p.At("ActionsEnabled").Is(false):
			return errors.New("its actions are off")
		case p.At("Namespace").Is("Gatehouse") && !t.counted(p.At("MetricName").text()):
			return fmt.Errorf("nothing writes the metric %s", p.At("MetricName"))
		}
		return nil
	}), t.checkFilters(), t.checkDashboard())
	return errors.Join(errs...)
}

func (t *Template) hasAlarm(want alarm) bool {
	for _, r := range t.Resources {
		p := r.Properties
		name := p.At("MetricName").text()
		if r.Type != "AWS::CloudWatch::Alarm" || name != want.metric && !strings.HasSuffix(name, "-"+want.metric) {
			continue
		}
		if want.function == "" {
			return true
		}
		for _, d := range p.At("Dimensions").List() {
			if d.At("Value").Refers(want.function) {
				return true
			}
		}
	}
	return false
}

// counted tells whether a metric filter writes the metric.
func (t *Template) counted(metric string) bool {
	for _, r := range t.Resources {
		for _, m := range r.Properties.At("MetricTransformations").List() {
			if r.Type == "AWS::Logs::MetricFilter" && m.At("MetricName").Is(metric) && m.At("MetricNamespace").Is("Gatehouse") {
				return true
			}
		}
	}
	return false
}

// checkFilters wants every metric filter to read a log of this template, and to
// wait for it.
func (t *Template) checkFilters() error {
	return t.each("AWS::Logs::MetricFilter", func(_ string, r *Resource) error {
		for _, name := range r.DependsOn.Strings() {
			if t.has(name, "AWS::Logs::LogGroup") && t.Resources[name].Properties.At("LogGroupName").String() == r.Properties.At("LogGroupName").String() {
				return nil
			}
		}
		return errors.New("want it to depend on the log group that it reads")
	})
}

// checkDashboard refuses one that CloudWatch cannot read.
func (t *Template) checkDashboard() error {
	return t.each("AWS::CloudWatch::Dashboard", func(_ string, r *Resource) error {
		body := r.Properties.At("DashboardBody").Resolve(func(name, attribute string) string { return "x" })
		if !json.Valid([]byte(body)) {
			return errors.New("its body is no JSON")
		}
		return nil
	})
}

package template

import (
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
	{"5xx", ""}, {"KeyFailures", ""}, {"TableFailures", ""}, {"FeedFailures", ""}, {"FeedAge", ""}, {"Refreshes", ""}, {"RingTended", ""},
}

// checkWatch wants an alarm for everything that should wake somebody, each sent
// to the topic, and none on a number that nobody writes or that it never reaches.
func (t *Template) checkWatch() error {
	var errs []error
	for _, want := range alarms {
		if !t.hasAlarm(want) {
			errs = append(errs, fmt.Errorf("no alarm watches %s", strings.TrimSpace(want.metric+" "+want.function)))
		}
	}
	return errors.Join(append(errs, t.each("AWS::CloudWatch::Alarm", t.checkAlarm), t.checkDashboard())...)
}

func (t *Template) checkAlarm(_ string, r *Resource) error {
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
	}
	return errors.Join(t.checkNumber(numberOf(p)), t.checkReach(p))
}

// checkReach wants an alarm to ring while somebody can still do something.
func (t *Template) checkReach(p Value) error {
	threshold, missing := p.At("Threshold").Number(), p.At("TreatMissingData").text()
	switch {
	case p.At("ComparisonOperator").Is("LessThanThreshold") != (missing == "breaching"):
		return errors.New("no data is the worst of too little, and nothing of too much: TreatMissingData")
	case p.At("MetricName").Is("FeedAge") && threshold >= 60000:
		return errors.New("its threshold is never reached: nothing is decided by a feed that is a minute old")
	case p.At("MetricName").Is("Duration"):
		for _, d := range p.At("Dimensions").List() {
			if f := t.Resources[d.At("Value", "Ref").text()]; f != nil && threshold >= 1000*f.Properties.At("Timeout").Number() {
				return errors.New("its threshold is never reached: the function is ended before")
			}
		}
	case p.At("Statistic").Is("Sum") && threshold > mostEvents:
		return fmt.Errorf("its threshold is %v events: that many are over before somebody hears of it: want %d at the most", threshold, mostEvents)
	}
	return nil
}

// mostEvents is how much trouble may pass unheard of in one period.
const mostEvents = 100

func (t *Template) hasAlarm(want alarm) bool {
	for _, r := range t.Resources {
		p := r.Properties
		if r.Type != "AWS::CloudWatch::Alarm" || !p.At("MetricName").Is(want.metric) {
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

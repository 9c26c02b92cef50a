package watch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
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

func (a alarm) String() string { return strings.TrimSpace(a.metric + " " + a.function) }

// checkAlarm wants an alarm that notifies the topic, watches a metric that is
// written, and can ring.
func (s stack) checkAlarm(p template.Value) error {
	told := false
	for _, action := range p.At("AlarmActions").List() {
		told = told || s.has(text(action.At("Ref")), "AWS::SNS::Topic")
	}
	switch {
	case !told:
		return errors.New("it notifies no one: want AlarmActions with the topic of this template")
	case p.At("Threshold").Number() <= 0 || p.At("Period").Number() <= 0:
		return errors.New("want a threshold and a period above 0")
	case p.At("ActionsEnabled").Is(false):
		return errors.New("its actions are off")
	}
	return errors.Join(s.checkNumber(numberOf(p)), s.checkReach(p))
}

// checkReach wants an alarm to ring while somebody can still do something.
func (s stack) checkReach(p template.Value) error {
	threshold, missing := p.At("Threshold").Number(), text(p.At("TreatMissingData"))
	switch {
	case p.At("ComparisonOperator").Is("LessThanThreshold") != (missing == "breaching"):
		return errors.New("no data is the worst of too little, and nothing of too much: TreatMissingData")
	case p.At("MetricName").Is("FeedAge") && threshold >= 60000:
		return errors.New("its threshold is never reached: nothing is decided by a feed that is a minute old")
	case p.At("MetricName").Is("Duration"):
		for _, d := range p.At("Dimensions").List() {
			if f := s.Resources[text(d.At("Value", "Ref"))]; f != nil && threshold >= 1000*f.Properties.At("Timeout").Number() {
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

func (s stack) hasAlarm(want alarm) bool {
	for _, r := range s.Resources {
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

// Package watch judges the alarms and the dashboard of our own template. It is
// for tests: a team's template has alarms of its own, which doctor leaves alone.
package watch

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
)

// stack is the template whose alarms are judged.
type stack struct{ *template.Template }

// Check returns what is wrong with the alarms and the dashboard of a template: an
// alarm that is missing, that notifies no topic or that cannot ring, and a line
// of the dashboard that stays empty.
func Check(t *template.Template) error {
	s := stack{t}
	var errs []error
	for _, want := range alarms {
		if !s.hasAlarm(want) {
			errs = append(errs, fmt.Errorf("no alarm watches %s", want))
		}
	}
	return errors.Join(append(errs, s.each("AWS::CloudWatch::Alarm", s.checkAlarm), s.each("AWS::CloudWatch::Dashboard", s.checkDashboard))...)
}

// each calls f for every resource of a type and joins the errors.
func (s stack) each(kind string, f func(properties template.Value) error) error {
	var errs []error
	found := false
	for _, name := range slices.Sorted(maps.Keys(s.Resources)) {
		if r := s.Resources[name]; r.Type == kind {
			found = true
			if err := f(r.Properties); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	if !found {
		errs = append(errs, fmt.Errorf("no resource is a %s", kind))
	}
	return errors.Join(errs...)
}

func (s stack) has(name, kind string) bool {
	r := s.Resources[name]
	return r != nil && r.Type == kind
}

// text returns the string that v is, and "" for anything else.
func text(v template.Value) string {
	if s := v.String(); v.Is(s) {
		return s
	}
	return ""
}

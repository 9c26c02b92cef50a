package watch

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

// number is what an alarm or a line of the dashboard looks at.
type number struct {
	namespace, metric, stat, unit string
	dimensions                    map[string]string // values as placeholder has them
	anyLabels                     bool              // a search: of the dimensions, only some have to be said
}

// placeholder is what a reference becomes in a text: as Fn::Sub writes it.
func placeholder(name, attribute string) string {
	return "${" + strings.TrimSuffix(name+"."+attribute, ".") + "}"
}

// numberOf is what an alarm looks at.
func numberOf(alarm template.Value) number {
	n := number{
		namespace: text(alarm.At("Namespace")), metric: text(alarm.At("MetricName")), unit: text(alarm.At("Unit")),
		stat: text(alarm.At("Statistic")) + text(alarm.At("ExtendedStatistic")), dimensions: make(map[string]string),
	}
	for _, d := range alarm.At("Dimensions").List() {
		n.dimensions[text(d.At("Name"))] = d.At("Value").Resolve(placeholder)
	}
	return n
}

// ofAWS are the numbers that AWS writes and that are looked at, with the
// dimension that each has and what it must name.
var ofAWS = map[string]struct {
	metrics         []string
	dimension, kind string
}{
	"AWS/Lambda":     {[]string{"Errors", "Duration", "Throttles", "Invocations"}, "FunctionName", "AWS::Lambda::Function"},
	"AWS/ApiGateway": {[]string{"Count", "4xx", "5xx", "Latency"}, "ApiId", "AWS::ApiGatewayV2::Api"},
}

// checkNumber refuses a number that nobody writes.
func (s stack) checkNumber(n number) error {
	if n.namespace == metric.Namespace {
		return s.checkOurs(n)
	}
	known, ok := ofAWS[n.namespace]
	if !ok || !slices.Contains(known.metrics, n.metric) {
		return fmt.Errorf("nothing writes the metric %s of %s", n.metric, n.namespace)
	}
	name := strings.TrimSuffix(strings.TrimPrefix(n.dimensions[known.dimension], "${"), "}")
	if len(n.dimensions) != 1 || !s.has(name, known.kind) {
		return fmt.Errorf("%s: want the dimension %s and nothing else, naming one of this template", n.metric, known.dimension)
	}
	return nil
}

// checkOurs holds a number against those that the functions write: same name,
// same dimensions, and values that they can have.
func (s stack) checkOurs(n number) error {
	m, ok := metric.Lookup(n.metric)
	if !ok {
		return fmt.Errorf("nothing writes the metric %s", n.metric)
	}
	labels := map[string][]string{metric.Stack: {s.stackName()}}
	for _, l := range m.Labels {
		labels[l.Name] = l.Values
	}
	for name, value := range n.dimensions {
		values, ok := labels[name]
		if !ok {
			return fmt.Errorf("%s has no dimension %s", n.metric, name)
		}
		if values != nil && !slices.Contains(values, value) {
			return fmt.Errorf("the dimension %s of %s is never %q", name, n.metric, value)
		}
	}
	if len(n.dimensions) != len(labels) && !n.anyLabels || n.dimensions[metric.Stack] == "" {
		return fmt.Errorf("want all dimensions of %s: %s", n.metric, strings.Join(slices.Sorted(maps.Keys(labels)), ", "))
	}
	if n.unit != "" && n.unit != string(m.Unit) {
		return fmt.Errorf("%s is written in %s, not in %s", n.metric, m.Unit, n.unit)
	}
	if counts := m.Unit == metric.Count; counts != (n.stat == "Sum") {
		return fmt.Errorf("%s is in %s: %q says nothing of it", n.metric, m.Unit, n.stat)
	}
	return nil
}

// stackName is with what name the functions count.
func (s stack) stackName() string {
	for _, f := range s.Functions() {
		if f.Name == "authorizer" {
			return f.Env["GATEHOUSE_NAME"].Resolve(placeholder)
		}
	}
	return ""
}

package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

// widget is a part of a dashboard.
type widget struct {
	Type       string
	Properties struct {
		Title, Stat, Region string
		Metrics             [][]json.RawMessage
	}
}

// checkDashboard refuses one that CloudWatch cannot read, and lines of it that
// would stay empty.
func (s stack) checkDashboard(p template.Value) error {
	var body struct{ Widgets []widget }
	if err := json.Unmarshal([]byte(p.At("DashboardBody").Resolve(placeholder)), &body); err != nil {
		return fmt.Errorf("its body is no JSON: %w", err)
	}
	var errs []error
	for _, w := range body.Widgets {
		if w.Properties.Region != "${AWS::Region}" {
			errs = append(errs, fmt.Errorf("%s: want the region of the stack: ${AWS::Region}", w.Properties.Title))
		}
		if err := s.checkWidget(w); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", w.Properties.Title, err))
		}
	}
	if len(body.Widgets) == 0 {
		errs = append(errs, errors.New("it shows nothing"))
	}
	return errors.Join(errs...)
}

func (s stack) checkWidget(w widget) error {
	var before []string
	for _, row := range w.Properties.Metrics {
		n := number{stat: w.Properties.Stat}
		var words []string
		for _, cell := range row {
			var word string
			var options struct{ Stat, Expression string }
			switch {
			case json.Unmarshal(cell, &word) == nil:
				words = append(words, word)
			case json.Unmarshal(cell, &options) != nil:
				return fmt.Errorf("%s: neither a name nor options", cell)
			case options.Expression != "":
				var err error
				if n, err = search(options.Expression); err != nil {
					return err
				}
			case options.Stat != "":
				n.stat = options.Stat
			}
		}
		if len(words) > 0 {
			before = spellOut(words, before)
			if len(before)%2 != 0 || len(before) == 0 {
				return fmt.Errorf("%v: want namespace, metric, and dimensions with their values", words)
			}
			n.namespace, n.metric, n.dimensions = before[0], before[1], make(map[string]string)
			for pair := range slices.Chunk(before[2:], 2) {
				n.dimensions[pair[0]] = pair[1]
			}
		}
		if err := s.checkNumber(n); err != nil {
			return err
		}
	}
	return nil
}

// spellOut replaces "." by what stands above it, and "..." by all that does.
func spellOut(words, above []string) []string {
	out := slices.Clone(words)
	if len(words) > 0 && words[0] == "..." && len(above) >= len(words)-1 {
		out = append(slices.Clone(above[:len(above)-len(words)+1]), words[1:]...)
	}
	for i, word := range out {
		if word == "." && i < len(above) {
			out[i] = above[i]
		}
	}
	return out
}

var (
	searches = regexp.MustCompile(`^SEARCH\('\{([A-Za-z_,]+)\}((?: [A-Za-z_]+="[^"]*")+)', '([A-Za-z0-9]+)', [0-9]+\)$`)
	equals   = regexp.MustCompile(`([A-Za-z_]+)="([^"]*)"`)
)

// search reads the one form of expression that is used: all metrics of a name,
// by those of their dimensions that are not said.
func search(expression string) (number, error) {
	parts := searches.FindStringSubmatch(expression)
	if parts == nil {
		return number{}, fmt.Errorf("%s: want SEARCH('{Namespace,dimension} MetricName=\"…\" stack=\"…\"', 'Sum', 300)", expression)
	}
	schema := strings.Split(parts[1], ",")
	n := number{namespace: schema[0], stat: parts[3], dimensions: make(map[string]string), anyLabels: true}
	for _, pair := range equals.FindAllStringSubmatch(parts[2], -1) {
		if pair[1] == "MetricName" {
			n.metric = pair[2]
			continue
		}
		n.dimensions[pair[1]] = pair[2]
	}
	want := []string{metric.Stack}
	if m, ok := metric.Lookup(n.metric); ok {
		for _, l := range m.Labels {
			want = append(want, l.Name)
		}
	}
	if got := schema[1:]; !sameSet(got, want) {
		return number{}, fmt.Errorf("the search finds nothing: the dimensions of %s are %s", n.metric, strings.Join(want, ", "))
	}
	return n, nil
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// Package metrictest reads log lines as CloudWatch does: by the specification of
// the embedded metric format.
package metrictest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

// Datum is a metric as CloudWatch would have it.
type Datum struct {
	Name       string
	Unit       string
	Dimensions map[string]string
	Values     []float64
	Timestamp  int64 // milliseconds
}

// Sum adds the values.
func (d Datum) Sum() float64 {
	sum := 0.0
	for _, v := range d.Values {
		sum += v
	}
	return sum
}

// document is the specification's root node.
type document struct {
	Metadata *struct {
		Timestamp         *int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// Read returns the metrics of one line of a log: none, if it has no metadata. An
// error says where the line breaks the specification, or which metric is not in
// the catalogue as it stands there.
func Read(line []byte) ([]Datum, error) {
	var doc document
	root := map[string]json.RawMessage{}
	if err := json.Unmarshal(line, &root); err != nil {
		return nil, fmt.Errorf("no JSON object: %w", err)
	}
	if root["_aws"] == nil {
		return nil, nil
	}
	strict := json.NewDecoder(bytes.NewReader(root["_aws"]))
	strict.DisallowUnknownFields() // "objects […] MUST NOT contain any additional members"
	if err := strict.Decode(&doc.Metadata); err != nil {
		return nil, fmt.Errorf("_aws: %w", err)
	}
	if doc.Metadata.Timestamp == nil || *doc.Metadata.Timestamp < 1e12 || len(line) > 256<<10 {
		return nil, errors.New("no timestamp in milliseconds, or too large")
	}
	var found []Datum
	for _, d := range doc.Metadata.CloudWatchMetrics {
		if d.Namespace != metric.Namespace || len(d.Dimensions) == 0 || len(d.Metrics) == 0 || len(d.Metrics) > 100 {
			return nil, fmt.Errorf("namespace %q, %d dimension sets, %d metrics", d.Namespace, len(d.Dimensions), len(d.Metrics))
		}
		for _, names := range d.Dimensions {
			dimensions, err := dimensions(root, names)
			if err != nil {
				return nil, err
			}
			for _, m := range d.Metrics {
				values, err := values(root[m.Name])
				if err != nil {
					return nil, fmt.Errorf("%s: %w", m.Name, err)
				}
				datum := Datum{m.Name, m.Unit, dimensions, values, *doc.Metadata.Timestamp}
				if err := datum.known(); err != nil {
					return nil, fmt.Errorf("%s: %w", m.Name, err)
				}
				if slices.ContainsFunc(found, func(other Datum) bool { return other.Name == m.Name }) {
					return nil, fmt.Errorf("%s would be counted twice", m.Name)
				}
				found = append(found, datum)
			}
		}
	}
	return found, nil
}

// dimensions are the target members of a dimension set. "The target member MUST
// have a string value."
func dimensions(root map[string]json.RawMessage, names []string) (map[string]string, error) {
	out := make(map[string]string)
	for _, name := range names {
		var value string
		if err := json.Unmarshal(root[name], &value); err != nil || value == "" || len(value) > 1024 {
			return nil, fmt.Errorf("dimension %s: no text at the root: %s", name, root[name])
		}
		out[name] = value
	}
	if len(names) > 9 || len(out) != len(names) {
		return nil, fmt.Errorf("dimensions %v", names)
	}
	return out, nil
}

// values are those of a metric. "Numeric array metric targets MUST NOT have more
// than 100 members."
func values(raw json.RawMessage) ([]float64, error) {
	var one float64
	if json.Unmarshal(raw, &one) == nil && string(raw) != "null" {
		return []float64{one}, nil
	}
	var several []float64
	if err := json.Unmarshal(raw, &several); err != nil || len(several) == 0 || len(several) > 100 {
		return nil, fmt.Errorf("neither a number nor up to a hundred: %.40q", raw)
	}
	return several, nil
}

// known holds a datum against the catalogue.
func (d Datum) known() error {
	m, ok := metric.Lookup(d.Name)
	if !ok {
		return errors.New("is not in the catalogue")
	}
	if d.Unit != string(m.Unit) || len(d.Dimensions) != len(m.Labels)+1 || d.Dimensions[metric.Stack] == "" {
		return fmt.Errorf("unit %s, dimensions %v", d.Unit, d.Dimensions)
	}
	for _, l := range m.Labels {
		if value, there := d.Dimensions[l.Name]; !there || l.Values != nil && !slices.Contains(l.Values, value) {
			return fmt.Errorf("label %s is %q", l.Name, value)
		}
	}
	return nil
}

// Log returns the metrics of a whole log, and fails the test for each line that
// CloudWatch would not read. Lines that are no JSON are not ours.
func Log(t testing.TB, log string) []Datum {
	t.Helper()
	var all []Datum
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		found, err := Read([]byte(line))
		if err != nil {
			t.Errorf("%v: %s", err, line)
		}
		all = append(all, found...)
	}
	return all
}

// Sum adds the values of a metric whose labels are these: name, value, name,
// value. No labels: whatever they are.
func Sum(all []Datum, m metric.Metric, labels ...string) float64 {
	sum := 0.0
	for _, d := range all {
		matches := d.Name == m.Name
		for pair := range slices.Chunk(labels, 2) {
			matches = matches && d.Dimensions[pair[0]] == pair[1]
		}
		if matches {
			sum += d.Sum()
		}
	}
	return sum
}

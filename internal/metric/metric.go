// Package metric names everything that the functions count, and makes CloudWatch
// read it out of the log lines that they write anyway (the embedded metric
// format): no second line, no call, no goroutine.
//
// An attribute of a log line that has the name of a metric is its value.
// [Embed] makes a log handler that tells CloudWatch so; with any other handler it
// is an attribute like others. What is counted tells nobody apart: labels are
// words of closed sets, and providers as the configuration names them.
package metric

import (
	"log/slog"
	"slices"
	"time"
)

// Namespace is where CloudWatch has the metrics.
const Namespace = "Gatehouse"

// Stack is the dimension that every metric has: the name of the stack.
const Stack = "stack"

// Unit is one of CloudWatch's.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
)

// Metric is something that is counted or measured. Each set of values of its
// labels is a number of its own, and is billed as one.
type Metric struct {
	Name   string
	Unit   Unit
	Labels []Label // its dimensions beside [Stack]
}

// Label is a dimension of a metric.
type Label struct {
	Name   string
	Values []string // all it can be; nil: what the configuration names
}

// other is the value of a label for what it should not be.
const other = "other"

// Is returns the label with a value, for a log line.
func (l Label) Is(value string) slog.Attr {
	if l.Values != nil && !slices.Contains(l.Values, value) {
		value = other
	}
	return slog.String(l.Name, value)
}

// Of returns n of the metric, for a log line. The line needs its labels too.
func (m Metric) Of(n int) slog.Attr { return slog.Int(m.Name, n) }

// Lasting returns a duration as the metric's value, for a log line.
func (m Metric) Lasting(d time.Duration) slog.Attr {
	return slog.Float64(m.Name, milliseconds(d))
}

// milliseconds keeps the microseconds.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

package client

import "log/slog"

// Secret is a string that does not print.
type Secret string

// String returns a placeholder.
func (Secret) String() string { return "[redacted]" }

// GoString returns a placeholder.
func (Secret) GoString() string { return "[redacted]" }

// LogValue returns a placeholder.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

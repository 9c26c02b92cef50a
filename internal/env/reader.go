// Package env reads the settings of a process from its environment once, at the
// start, and tells all mistakes together.
package env

import (
	"errors"
	"fmt"
	"time"
)

// Reader reads settings one by one and remembers what is wrong with them. Its
// methods return the zero value for a setting that is missing or wrong, so that
// the caller reads everything first and asks [Reader.Err] once.
type Reader struct {
	Get func(string) string // os.Getenv, or a test's own

	mistakes []error
}

// String returns the setting under name, which must not be empty.
func (r *Reader) String(name string) string {
	value := r.Get(name)
	if value == "" {
		r.refuse(name, "not set")
	}
	return value
}

// Optional returns the setting under name, or otherwise where it is not set.
func (r *Reader) Optional(name, otherwise string) string {
	if value := r.Get(name); value != "" {
		return value
	}
	return otherwise
}

// URL returns the setting under name, an address that [CheckURL] accepts.
func (r *Reader) URL(name string) string {
	value := r.String(name)
	if value == "" {
		return ""
	}
	if err := CheckURL(value); err != nil {
		r.refuse(name, err.Error())
		return ""
	}
	return value
}

// Duration returns the setting under name, a positive span such as "10m", or
// otherwise where it is not set.
func (r *Reader) Duration(name string, otherwise time.Duration) time.Duration {
	value := r.Get(name)
	if value == "" {
		return otherwise
	}
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		r.refuse(name, fmt.Sprintf("want a span of time such as 10m or 90s, not %q", value))
		return 0
	}
	return d
}

// Err returns every mistake made so far, one a line, or nil.
func (r *Reader) Err() error { return errors.Join(r.mistakes...) }

func (r *Reader) refuse(name, why string) {
	r.mistakes = append(r.mistakes, fmt.Errorf("%s: %s", name, why))
}

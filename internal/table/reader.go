package table

import (
	"errors"
	"fmt"
	"time"
)

// ErrDamaged says that an item is not what its writer makes: it was damaged, or
// written by another version. It must not pass for an item that is not there.
var ErrDamaged = errors.New("damaged item")

// Reader reads the attributes of an item that has a known shape. Each method
// returns the zero value for an attribute that is missing or of another type, and
// then Err tells of the first such, so that it is looked at once, at the end.
type Reader struct {
	Item Item
	Err  error // wraps [ErrDamaged]; nil: all that was read was there
}

// Text returns a string.
func (r *Reader) Text(name string) string { return attribute[string](r, name) }

// Number returns a number.
func (r *Reader) Number(name string) int64 { return attribute[int64](r, name) }

// Flag returns a truth value.
func (r *Reader) Flag(name string) bool { return attribute[bool](r, name) }

// Bytes returns a binary value.
func (r *Reader) Bytes(name string) []byte { return attribute[[]byte](r, name) }

// List returns a list of strings.
func (r *Reader) List(name string) []string { return attribute[[]string](r, name) }

// Seconds returns the time that a number of Unix seconds is, in UTC.
func (r *Reader) Seconds(name string) time.Time { return time.Unix(r.Number(name), 0).UTC() }

// Milli returns the time that a number of Unix milliseconds is, in UTC.
func (r *Reader) Milli(name string) time.Time { return time.UnixMilli(r.Number(name)).UTC() }

// Span returns the duration that a number of milliseconds is.
func (r *Reader) Span(name string) time.Duration {
	return time.Duration(r.Number(name)) * time.Millisecond
}

// Fail says that an attribute, or what several say together, cannot be.
func (r *Reader) Fail(what string) {
	if r.Err == nil {
		r.Err = fmt.Errorf("%w: %s: %s", ErrDamaged, r.Item.Key().SK, what)
	}
}

func attribute[T any](r *Reader, name string) T {
	v, ok := r.Item[name].(T)
	if !ok {
		r.Fail(name)
	}
	return v
}

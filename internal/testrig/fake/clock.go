// Package fake holds the stand-ins that tests of many packages share.
package fake

import (
	"sync/atomic"
	"time"
)

// Start is the time of a [Clock] that no test has moved.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Clock is a clock that only the test moves. The zero value shows [Start]. It is
// safe for concurrent use.
type Clock struct {
	moved atomic.Int64 // nanoseconds since Start
}

// At returns a clock that shows t.
func At(t time.Time) *Clock {
	c := new(Clock)
	c.Set(t)
	return c
}

// Now returns the time, in UTC.
func (c *Clock) Now() time.Time { return Start.Add(time.Duration(c.moved.Load())) }

// Pass moves the clock by d; a negative d turns it back.
func (c *Clock) Pass(d time.Duration) { c.moved.Add(int64(d)) }

// Set makes the clock show t.
func (c *Clock) Set(t time.Time) { c.moved.Store(int64(t.Sub(Start))) }

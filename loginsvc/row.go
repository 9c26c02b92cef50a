package loginsvc

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// row reads the attributes of an item of ours. One that is missing or of another
// type is an error, which stays: a damaged row must not pass for an empty one.
type row struct {
	item table.Item
	err  error
}

func (r *row) text(name string) string { return attribute[string](r, name) }

// words is a list that is missing where it is empty.
func (r *row) words(name string) []string {
	if _, ok := r.item[name]; !ok {
		return nil
	}
	return strings.Fields(r.text(name))
}

func (r *row) number(name string) int64 { return attribute[int64](r, name) }

func (r *row) flag(name string) bool { return attribute[bool](r, name) }

func (r *row) instant(name string) time.Time { return time.Unix(r.number(name), 0) }

func (r *row) milli(name string) time.Time { return time.UnixMilli(r.number(name)) }

func attribute[T any](r *row, name string) T {
	v, ok := r.item[name].(T)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("row %s: attribute %s is damaged", r.item.Key().SK, name)
	}
	return v
}

// skew is how far apart the clocks of two instances may be.
const skew = time.Minute

// within tells whether now lies in the life of something. The beginning counts
// too: a clock that was set back does not bring it back to life.
func within(now, createdAt, expiresAt time.Time) bool {
	return now.Before(expiresAt) && now.After(createdAt.Add(-skew))
}

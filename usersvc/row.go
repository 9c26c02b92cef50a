package usersvc

import (
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// row reads the attributes of an item and keeps the first mistake.
type row struct {
	item table.Item
	err  error
}

func (r *row) text(name string) string       { return attribute[string](r, name) }
func (r *row) flag(name string) bool         { return attribute[bool](r, name) }
func (r *row) number(name string) int64      { return attribute[int64](r, name) }
func (r *row) bytes(name string) []byte      { return attribute[[]byte](r, name) }
func (r *row) list(name string) []string     { return attribute[[]string](r, name) }
func (r *row) instant(name string) time.Time { return time.UnixMilli(r.number(name)).UTC() }

func attribute[T any](r *row, name string) T {
	v, ok := r.item[name].(T)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%w: attribute %s of %s", ErrCorrupt, name, r.item.Key().SK)
	}
	return v
}

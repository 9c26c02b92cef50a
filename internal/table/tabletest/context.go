package tabletest

import (
	"context"
	"errors"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

func testContext(t *testing.T, tab table.Table) {
	pk := partition("context")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want := func(t *testing.T, err error) {
		t.Helper()
		wantErr(t, err, table.ErrUnavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v does not wrap its cause", err)
		}
	}
	t.Run("get", func(t *testing.T) {
		_, err := tab.Get(ctx, table.Key{PK: pk, SK: "a"})
		want(t, err)
	})
	t.Run("one write", func(t *testing.T) {
		want(t, tab.Write(ctx, table.Put(item(pk, "a"))))
		wantItem(t, tab, table.Key{PK: pk, SK: "a"}, nil)
	})
	t.Run("a transaction", func(t *testing.T) {
		want(t, tab.Write(ctx, table.Put(item(pk, "a")), table.Put(item(pk, "b"))))
		wantItem(t, tab, table.Key{PK: pk, SK: "a"}, nil)
	})
	t.Run("query", func(t *testing.T) {
		_, err := tab.Query(ctx, table.Query{PK: pk, Limit: 1})
		want(t, err)
	})
}

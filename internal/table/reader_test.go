package table_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

func TestReader(t *testing.T) {
	item := table.Item{
		table.PK: "email#lin@example.com", table.SK: "user",
		"text": "a", "number": int64(1500), "flag": true, "bytes": []byte{1}, "list": []string{"b"},
	}
	r := table.Reader{Item: item}
	if r.Text("text") != "a" || r.Number("number") != 1500 || !r.Flag("flag") || r.Bytes("bytes")[0] != 1 || r.List("list")[0] != "b" {
		t.Error("an attribute is not what it was")
	}
	if r.Seconds("number") != time.Date(1970, 1, 1, 0, 25, 0, 0, time.UTC) || r.Milli("number") != time.Date(1970, 1, 1, 0, 0, 1, 5e8, time.UTC) ||
		r.Span("number") != 1500*time.Millisecond {
		t.Error("a time is not what it was")
	}
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	if r.Text("number") != "" || r.Number("missing") != 0 || r.Text("text") != "a" {
		t.Error("what cannot be read is not zero, or the rest is")
	}
	if !errors.Is(r.Err, table.ErrDamaged) || !strings.Contains(r.Err.Error(), "number") || strings.Contains(r.Err.Error(), "lin@") {
		t.Errorf("got %v, want the first mistake, and no partition key", r.Err)
	}
}

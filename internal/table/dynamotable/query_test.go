package dynamotable_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
)

func TestRequestsOfQueries(t *testing.T) {
	faults := &dynamotest.Faults{}
	tab := dynamotest.OpenThrough(t, os.Getenv, faults)
	for n := range 200 {
		i := item(table.Key{PK: "users", SK: fmt.Sprintf("%03d", n)}, "early", n < 20, "even", n%2 == 0)
		if err := tab.Write(t.Context(), table.Put(i)); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		query    table.Query
		items    int
		requests int
	}{
		"a page":               {table.Query{Limit: 50}, 50, 1},
		"the last page":        {table.Query{Limit: 200}, 200, 1},
		"a prefix":             {table.Query{Prefix: "00", Limit: 50}, 10, 1},
		"a filter, full":       {table.Query{Limit: 20, Filter: table.Equal{Name: "early", Value: true}}, 20, 1},
		"a filter of a half":   {table.Query{Limit: 50, Filter: table.Equal{Name: "even", Value: true}}, 50, 2},
		"a filter of nothing":  {table.Query{Limit: 50, Filter: table.Has{Name: "missing"}}, 0, 3},
		"a prefix not UTF-8":   {table.Query{Prefix: "\xff", Limit: 50}, 0, 0},
		"a prefix beyond keys": {table.Query{Prefix: strings.Repeat("0", 2000), Limit: 50}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			test.query.PK = "users"
			before := len(faults.Requests())
			page, err := tab.Query(t.Context(), test.query)
			if n := len(faults.Requests()) - before; err != nil || len(page.Items) != test.items || n != test.requests {
				t.Errorf("%d items by %d requests, error %v; want %d by %d", len(page.Items), n, err, test.items, test.requests)
			}
		})
	}
}

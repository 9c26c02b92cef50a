package bolttable

import (
	"encoding/json"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// value is an attribute on the disk: one field is set, named by its type as in
// DynamoDB, so that the file reads like a table there.
type value struct {
	S    *string   `json:",omitempty"`
	N    *int64    `json:",omitempty"`
	BOOL *bool     `json:",omitempty"`
	B    *[]byte   `json:",omitempty"`
	L    *[]string `json:",omitempty"`
}

func encode(item table.Item) ([]byte, error) {
	values := make(map[string]value, len(item))
	for name, attribute := range item {
		switch a := attribute.(type) {
		case string:
			values[name] = value{S: &a}
		case int64:
			values[name] = value{N: &a}
		case bool:
			values[name] = value{BOOL: &a}
		case []byte:
			a = append([]byte{}, a...) // nil is stored as empty
			values[name] = value{B: &a}
		case []string:
			a = append([]string{}, a...)
			values[name] = value{L: &a}
		default:
			return nil, fmt.Errorf("attribute %q has the type %T", name, attribute)
		}
	}
	return json.Marshal(values)
}

func decode(b []byte) (table.Item, error) {
	var values map[string]value
	if err := json.Unmarshal(b, &values); err != nil {
		return nil, fmt.Errorf("reading an item: %w", err)
	}
	item := make(table.Item, len(values))
	for name, v := range values {
		switch {
		case v.S != nil:
			item[name] = *v.S
		case v.N != nil:
			item[name] = *v.N
		case v.BOOL != nil:
			item[name] = *v.BOOL
		case v.B != nil:
			item[name] = *v.B
		case v.L != nil:
			item[name] = *v.L
		default:
			return nil, fmt.Errorf("reading an item: attribute %q has no known type", name)
		}
	}
	return item, nil
}

package dynamotable

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// mark is the attribute that holds the number of the last conditional write. It
// is never shown.
const mark = "_w"

func encodeKey(k table.Key) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{table.PK: encode(k.PK), table.SK: encode(k.SK)}
}

func encodeItem(item table.Item) map[string]types.AttributeValue {
	attributes := make(map[string]types.AttributeValue, len(item)+1)
	for name, value := range item {
		attributes[name] = encode(value)
	}
	return attributes
}

// encode takes the values that package table lets pass.
func encode(value any) types.AttributeValue {
	switch v := value.(type) {
	case int64:
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []byte:
		return &types.AttributeValueMemberB{Value: append([]byte{}, v...)} // nil is stored as empty
	case []string:
		list := make([]types.AttributeValue, len(v))
		for i, s := range v {
			list[i] = encode(s)
		}
		return &types.AttributeValueMemberL{Value: list} // a set would lose order, repeats and emptiness
	default:
		s, _ := v.(string)
		return &types.AttributeValueMemberS{Value: s}
	}
}

// decode refuses an item that no version of this program has written. The error
// does not show what the item holds.
func decode(attributes map[string]types.AttributeValue) (table.Item, error) {
	item := make(table.Item, len(attributes))
	for name, attribute := range attributes {
		if name == mark {
			continue
		}
		value, err := decodeValue(attribute)
		if err != nil {
			return nil, fmt.Errorf("%w: reading attribute %q: %w", table.ErrUnavailable, name, err)
		}
		item[name] = value
	}
	return item, nil
}

func decodeValue(attribute types.AttributeValue) (any, error) {
	switch a := attribute.(type) {
	case *types.AttributeValueMemberS:
		return a.Value, nil
	case *types.AttributeValueMemberN:
		n, err := strconv.ParseInt(a.Value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("it is not an int64")
		}
		return n, nil
	case *types.AttributeValueMemberBOOL:
		return a.Value, nil
	case *types.AttributeValueMemberB:
		return append([]byte{}, a.Value...), nil
	case *types.AttributeValueMemberL:
		list := make([]string, len(a.Value))
		for i, element := range a.Value {
			s, ok := element.(*types.AttributeValueMemberS)
			if !ok {
				return nil, fmt.Errorf("it is not a list of strings")
			}
			list[i] = s.Value
		}
		return list, nil
	}
	return nil, fmt.Errorf("it is a %T", attribute)
}

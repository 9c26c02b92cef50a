package dynamotable

import (
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// always holds for every item and for an absent one. DynamoDB has no word for
// it; the mark may be named in filters too, where a key may not.
var always = expression.Or(attribute(mark).AttributeExists(), attribute(mark).AttributeNotExists())

// attribute takes name as it is, dots included.
func attribute(name string) expression.NameBuilder { return expression.NameNoDotSplit(name) }

func operand(value any) expression.ValueBuilder { return expression.Value(encode(value)) }

// writeCondition translates a condition of a write.
func writeCondition(cond table.Cond) expression.ConditionBuilder {
	return translate(cond, attribute(table.PK).AttributeExists())
}

// filterCondition translates a filter: whatever a query finds exists.
func filterCondition(cond table.Cond) expression.ConditionBuilder { return translate(cond, always) }

// translate translates cond, with exists in the place of [table.Exists].
func translate(cond table.Cond, exists expression.ConditionBuilder) expression.ConditionBuilder {
	switch c := cond.(type) {
	case table.Exists:
		return exists
	case table.NotExists:
		return expression.Not(exists)
	case table.Has:
		return attribute(c.Name).AttributeExists()
	case table.Equal:
		return attribute(c.Name).Equal(operand(c.Value))
	case table.Less:
		return attribute(c.Name).LessThan(operand(c.Value))
	case table.Begins:
		if c.Prefix == "" { // which begins_with does not take
			return attribute(c.Name).AttributeType(expression.String)
		}
		return attribute(c.Name).BeginsWith(c.Prefix)
	case table.Contains: // which in DynamoDB holds for a part of a string too
		return attribute(c.Name).AttributeType(expression.List).And(attribute(c.Name).Contains(encode(c.Element)))
	case table.Not:
		return expression.Not(translate(c.Cond, exists))
	case table.All:
		return join(c, exists, expression.And, always)
	case table.Any:
		return join(c, exists, expression.Or, expression.Not(always))
	}
	return expression.Not(always) // package table lets no other condition pass
}

// join joins the translations of conds; none of them make empty.
func join(conds []table.Cond, exists expression.ConditionBuilder,
	with func(a, b expression.ConditionBuilder, more ...expression.ConditionBuilder) expression.ConditionBuilder,
	empty expression.ConditionBuilder,
) expression.ConditionBuilder {
	if len(conds) == 0 {
		return empty
	}
	joined := translate(conds[0], exists)
	for _, c := range conds[1:] {
		joined = with(joined, translate(c, exists))
	}
	return joined
}

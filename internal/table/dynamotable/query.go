package dynamotable

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Query implements [table.Table]. Without a filter it is one request, unless
// the page is of more than a megabyte.
func (t *Table) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if err := table.CheckQuery(q); err != nil {
		return table.Page{}, err
	}
	in, err := t.queryInput(q)
	if err != nil || !q.Matchable() {
		return table.Page{}, err
	}
	var page table.Page
	var looked int32
	for {
		out, err := t.queryOnce(ctx, in)
		if err != nil {
			return table.Page{}, err
		}
		for _, attributes := range out.Items {
			if len(page.Items) == q.Limit { // this one is for the next page
				page.Cursor = q.CursorAfter(page.Items[q.Limit-1])
				return page, nil
			}
			item, err := decode(attributes)
			if err != nil {
				return table.Page{}, err
			}
			page.Items = append(page.Items, item)
		}
		if out.LastEvaluatedKey == nil {
			return page, nil
		}
		if q.Filter != nil && len(page.Items) == q.Limit { // it may be a long way to the next one, if any
			page.Cursor = q.CursorAfter(page.Items[q.Limit-1])
			return page, nil
		}
		if looked += out.ScannedCount; q.Filter != nil && looked >= table.MaxLooked {
			last, err := decode(out.LastEvaluatedKey)
			page.Cursor = q.CursorAfter(last)
			return page, err
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
		if q.Filter != nil {
			in.Limit = aws.Int32(min(2**in.Limit, table.MaxLooked-looked))
		} else {
			in.Limit = aws.Int32(int32(q.Limit + 1 - len(page.Items)))
		}
	}
}

func (t *Table) queryOnce(ctx context.Context, in *dynamodb.QueryInput) (out *dynamodb.QueryOutput, err error) {
	_, err = attempt(ctx, func(ctx context.Context) (err error) {
		out, err = t.client.Query(ctx, in)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("querying: %w", err)
	}
	return out, nil
}

// queryInput returns the first request of q. It asks for one item more than the
// page holds, to know whether another page follows.
func (t *Table) queryInput(q table.Query) (*dynamodb.QueryInput, error) {
	after, ok, err := q.Start()
	if err != nil {
		return nil, err
	}
	pk, sk := q.Keys()
	key := expression.Key(pk).Equal(operand(q.PK))
	if q.Prefix != "" {
		key = key.And(expression.Key(sk).BeginsWith(q.Prefix))
	}
	builder := expression.NewBuilder().WithKeyCondition(key)
	if q.Filter != nil {
		builder = builder.WithFilter(filterCondition(q.Filter))
	}
	expr, err := builder.Build()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", table.ErrInvalid, err)
	}
	in := &dynamodb.QueryInput{
		TableName:                 &t.name,
		ConsistentRead:            aws.Bool(q.Index == ""), // an index has only the other kind
		KeyConditionExpression:    expr.KeyCondition(),
		FilterExpression:          expr.Filter(),
		ExpressionAttributeNames:  expr.Names(),
		ExpressionAttributeValues: expr.Values(),
		ScanIndexForward:          aws.Bool(!q.Descending),
		Limit:                     aws.Int32(int32(q.Limit + 1)),
	}
	if q.Index != "" {
		in.IndexName = &q.Index
	}
	if ok {
		in.ExclusiveStartKey = startKey(q, after)
	}
	return in, nil
}

func startKey(q table.Query, p table.Position) map[string]types.AttributeValue {
	key := encodeKey(p.Key)
	if q.Index != "" {
		pk, sk := q.Keys()
		key[pk], key[sk] = encode(q.PK), encode(p.IndexSK)
	}
	return key
}

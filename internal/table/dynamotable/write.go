package dynamotable

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Write implements [table.Table].
func (t *Table) Write(ctx context.Context, writes ...table.Write) error {
	if err := table.CheckWrites(writes); err != nil {
		return err
	}
	if len(writes) > 1 || needsToken(writes[0]) {
		return t.transact(ctx, writes)
	}
	return t.writeOne(ctx, writes[0])
}

// needsToken tells whether a write alone must be a transaction, because it
// would not recognise its own effect; or because DynamoDB knows it only there.
func needsToken(w table.Write) bool {
	switch w.Op {
	case table.OpUpdate:
		return len(w.Add) > 0
	case table.OpDelete:
		return w.Cond != nil
	}
	return w.Op == table.OpCheck
}

// writeOne does a put, an update or an unconditional delete.
func (t *Table) writeOne(ctx context.Context, w table.Write) error {
	var number string // of this write; "" if it needs none
	if w.Cond != nil {
		number = rand.Text()
	}
	request, err := t.request(w, number)
	if err != nil {
		return err
	}
	lost, err := attempt(ctx, request)
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	switch {
	case ok && isMarked(failed.Item, number):
		return nil // the condition fails because this very write has taken effect
	case ok && lost:
		return fmt.Errorf("%w: the condition fails, perhaps by the attempt that got no answer", table.ErrUnavailable)
	case ok:
		return table.ConditionFailed([]table.Write{w}, 0)
	case err != nil:
		return fmt.Errorf("writing an item: %w", err)
	}
	return nil
}

func isMarked(item map[string]types.AttributeValue, number string) bool {
	s, ok := item[mark].(*types.AttributeValueMemberS)
	return ok && s.Value == number
}

// request returns the call that does w.
func (t *Table) request(w table.Write, number string) (func(context.Context) error, error) {
	expr, err := expressions(w, number)
	if err != nil {
		return nil, err
	}
	const returnOld = types.ReturnValuesOnConditionCheckFailureAllOld
	switch w.Op {
	case table.OpPut:
		in := &dynamodb.PutItemInput{
			TableName: &t.name, Item: encodeItem(w.Item),
			ConditionExpression: expr.Condition(), ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
			ReturnValuesOnConditionCheckFailure: returnOld,
		}
		if number != "" {
			in.Item[mark] = encode(number)
		}
		return func(ctx context.Context) error { _, err := t.client.PutItem(ctx, in); return err }, nil
	case table.OpUpdate:
		in := &dynamodb.UpdateItemInput{
			TableName: &t.name, Key: encodeKey(w.Key), UpdateExpression: expr.Update(),
			ConditionExpression: expr.Condition(), ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
			ReturnValuesOnConditionCheckFailure: returnOld,
		}
		return func(ctx context.Context) error { _, err := t.client.UpdateItem(ctx, in); return err }, nil
	}
	in := &dynamodb.DeleteItemInput{TableName: &t.name, Key: encodeKey(w.Key)}
	return func(ctx context.Context) error { _, err := t.client.DeleteItem(ctx, in); return err }, nil
}

// transact does writes in one transaction. Its token makes DynamoDB do it once,
// however often it is sent.
func (t *Table) transact(ctx context.Context, writes []table.Write) error {
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String(rand.Text())}
	for _, w := range writes {
		part, err := t.transactItem(w)
		if err != nil {
			return err
		}
		in.TransactItems = append(in.TransactItems, part)
	}
	_, err := attempt(ctx, func(ctx context.Context) error {
		_, err := t.client.TransactWriteItems(ctx, in)
		return err
	})
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		if failed := failedConditions(canceled.CancellationReasons); failed != nil {
			return table.ConditionFailed(writes, failed...)
		}
		err = fmt.Errorf("%w: %w", table.ErrUnavailable, err)
	}
	if err != nil {
		return fmt.Errorf("writing %d items: %w", len(writes), err)
	}
	return nil
}

func failedConditions(reasons []types.CancellationReason) []int {
	var failed []int
	for i, reason := range reasons {
		if code(reason) == "ConditionalCheckFailed" {
			failed = append(failed, i)
		}
	}
	return failed
}

func (t *Table) transactItem(w table.Write) (types.TransactWriteItem, error) {
	expr, err := expressions(w, "")
	if err != nil {
		return types.TransactWriteItem{}, err
	}
	switch w.Op {
	case table.OpPut:
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &t.name, Item: encodeItem(w.Item),
			ConditionExpression: expr.Condition(), ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
		}}, nil
	case table.OpUpdate:
		return types.TransactWriteItem{Update: &types.Update{
			TableName: &t.name, Key: encodeKey(w.Key), UpdateExpression: expr.Update(),
			ConditionExpression: expr.Condition(), ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
		}}, nil
	case table.OpDelete:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &t.name, Key: encodeKey(w.Key),
			ConditionExpression: expr.Condition(), ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
		}}, nil
	}
	return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: &t.name, Key: encodeKey(w.Key),
		ConditionExpression: expr.Condition(), ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
	}}, nil
}

// expressions returns the condition and the update of w, which may have
// neither. An update sets the mark to number if there is one.
func expressions(w table.Write, number string) (expression.Expression, error) {
	builder := expression.NewBuilder()
	if w.Cond == nil && w.Op != table.OpUpdate {
		return expression.Expression{}, nil
	}
	if w.Cond != nil {
		builder = builder.WithCondition(writeCondition(w.Cond))
	}
	if w.Op == table.OpUpdate {
		builder = builder.WithUpdate(update(w, number))
	}
	expr, err := builder.Build()
	if err != nil {
		return expression.Expression{}, fmt.Errorf("%w: %w", table.ErrInvalid, err)
	}
	return expr, nil
}

func update(w table.Write, number string) expression.UpdateBuilder {
	var u expression.UpdateBuilder
	for name, value := range w.Set {
		u = u.Set(attribute(name), operand(value))
	}
	for name, n := range w.Add {
		u = u.Add(attribute(name), operand(n))
	}
	for _, name := range w.Remove {
		u = u.Remove(attribute(name))
	}
	if number != "" {
		u = u.Set(attribute(mark), operand(number))
	}
	return u
}

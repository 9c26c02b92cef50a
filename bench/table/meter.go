package main

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// cost is what DynamoDB was asked and what it says that this takes. A request that
// got no answer at all, because its connection ended, is no part of it: it is
// sent again, which says nothing about what was measured.
type cost struct {
	requests, transactions int
	read, write            float64 // capacity units
}

// meter adds up the cost of all requests of a client.
type meter struct {
	mu  sync.Mutex
	sum cost
}

// during returns the cost of what do does.
func (m *meter) during(do func() error) (cost, error) {
	m.mu.Lock()
	m.sum = cost{}
	m.mu.Unlock()
	err := do()
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sum, err
}

// attach makes every request of a client ask what it consumes.
func (m *meter) attach(o *dynamodb.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", m.measure), middleware.Before)
	})
}

func (m *meter) measure(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	const total = types.ReturnConsumedCapacityTotal
	var c cost
	switch p := in.Parameters.(type) {
	case *dynamodb.GetItemInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.QueryInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.PutItemInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.UpdateItemInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.DeleteItemInput:
		p.ReturnConsumedCapacity = total
	case *dynamodb.TransactWriteItemsInput:
		p.ReturnConsumedCapacity = total
		c.transactions = 1
	default:
		return next.HandleInitialize(ctx, in)
	}
	c.requests = 1
	out, metadata, err := next.HandleInitialize(ctx, in)
	switch r := out.Result.(type) {
	case *dynamodb.GetItemOutput:
		c.read += units(r.ConsumedCapacity)
	case *dynamodb.QueryOutput:
		c.read += units(r.ConsumedCapacity)
	case *dynamodb.PutItemOutput:
		c.write += units(r.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		c.write += units(r.ConsumedCapacity)
	case *dynamodb.DeleteItemOutput:
		c.write += units(r.ConsumedCapacity)
	case *dynamodb.TransactWriteItemsOutput:
		for _, part := range r.ConsumedCapacity {
			c.write += units(&part)
		}
	}
	if _, answered := errors.AsType[smithy.APIError](err); err != nil && !answered {
		return out, metadata, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum.requests += c.requests
	m.sum.transactions += c.transactions
	m.sum.read += c.read
	m.sum.write += c.write
	return out, metadata, err
}

func units(c *types.ConsumedCapacity) float64 {
	if c == nil {
		return 0
	}
	return aws.ToFloat64(c.CapacityUnits)
}

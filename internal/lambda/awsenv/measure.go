package awsenv

import (
	"context"
	"errors"
	"slices"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

// measure has every call counted for the log line of the request it is made for.
func measure(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Measure",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			began := time.Now()
			out, metadata, err := next.HandleInitialize(ctx, in)
			if r := metric.FromContext(ctx); r != nil {
				note(r, awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), time.Since(began), failed(ctx, err))
			}
			return out, metadata, err
		}), middleware.After)
}

func note(r *metric.Recorder, service, operation string, took time.Duration, failed bool) {
	switch {
	case service == "DynamoDB" && slices.Contains(metric.Operations, operation):
		r.Time(metric.OperationTime(operation), took)
		if failed {
			r.Count(metric.TableFailures)
			r.Count(metric.OperationFailures(operation))
		}
	case service == "KMS":
		if operation == "Sign" {
			r.Time(metric.SignTime, took)
		}
		if failed {
			r.Count(metric.KMSFailures)
		}
	}
}

// failed tells whether a call found trouble, as opposed to an answer that its
// caller must expect: a condition that does not hold, or another write that came
// first. A caller who went away is no trouble either.
func failed(ctx context.Context, err error) bool {
	if err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return slices.ContainsFunc(canceled.CancellationReasons, func(reason types.CancellationReason) bool {
			return reason.Code != nil && !slices.Contains([]string{"None", "ConditionalCheckFailed", "TransactionConflict"}, *reason.Code)
		})
	}
	api, ok := errors.AsType[smithy.APIError](err)
	return !ok || !slices.Contains([]string{"ConditionalCheckFailedException", "TransactionConflictException"}, api.ErrorCode())
}

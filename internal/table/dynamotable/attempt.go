package dynamotable

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

const (
	attempts       = 12                     // of one request
	firstPause     = 25 * time.Millisecond  // at most, before the second attempt; then twice as long each time,
	longestPause   = 250 * time.Millisecond // but no longer than this: about a second for all of them together
	attemptTimeout = 3 * time.Second        // until an answer counts as lost
	retryFor       = 5 * time.Second        // no attempt begins later than this after the first
)

// attempt calls request until it is answered for good. It returns lost if the
// answer to an attempt was lost on the way there, so that it may have taken
// effect. The error wraps [table.ErrUnavailable] or [table.ErrInvalid], or is an
// [*types.ConditionalCheckFailedException] or an
// [*types.TransactionCanceledException] as it came.
func attempt(ctx context.Context, request func(context.Context) error) (lost bool, err error) {
	began := time.Now()
	for n := 0; ; n++ {
		err := once(ctx, request)
		answer := judge(err)
		if answer == final {
			return lost, translateError(err)
		}
		lost = lost || answer == unknown
		if n == attempts-1 || time.Since(began) > retryFor {
			return lost, fmt.Errorf("%w after %d attempts: %w", table.ErrUnavailable, n+1, err)
		}
		if pause(ctx, n); ctx.Err() != nil {
			return lost, fmt.Errorf("%w after %d attempts: %w, after: %w", table.ErrUnavailable, n+1, ctx.Err(), err)
		}
	}
}

func once(ctx context.Context, request func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return request(ctx)
}

// pause sleeps before the attempt after the n-th, until ctx ends or for a random
// time, so that those who met once do not meet again.
func pause(ctx context.Context, n int) {
	timer := time.NewTimer(rand.N(min(firstPause<<n, longestPause)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// answer is what is known of an attempt.
type answer int

const (
	final   answer = iota // done, or refused for good
	refused               // it took no effect, and may be tried again
	unknown               // it may have taken effect; it can be tried again
)

func judge(err error) answer {
	if err == nil {
		return final
	}
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return judgeReasons(canceled.CancellationReasons)
	}
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && response.HTTPStatusCode() >= 500 {
		return unknown
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return unknown // the network
	}
	if _, ok := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; ok || api.ErrorCode() == "TransactionConflictException" {
		return refused
	}
	return final
}

// judgeReasons tells whether a canceled transaction may be tried again: not if
// there is any reason that will not pass by itself.
func judgeReasons(reasons []types.CancellationReason) answer {
	passing := false
	for _, reason := range reasons {
		switch code(reason) {
		case "", "None":
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			passing = true
		default:
			return final
		}
	}
	if passing {
		return refused
	}
	return final
}

func code(reason types.CancellationReason) string {
	if reason.Code == nil {
		return ""
	}
	return *reason.Code
}

// translateError gives a final answer the words of package table.
func translateError(err error) error {
	if err == nil {
		return nil
	}
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return failed
	}
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		for _, reason := range canceled.CancellationReasons {
			if code(reason) == "ValidationError" || code(reason) == "ItemCollectionSizeLimitExceeded" {
				return fmt.Errorf("%w: %v", table.ErrInvalid, err)
			}
		}
		return canceled
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "ValidationException" {
		return fmt.Errorf("%w: %w", table.ErrInvalid, err)
	}
	return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
}

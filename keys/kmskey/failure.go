package kmskey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// patience repeats a call that was throttled or lost, twice and soon: a person at
// a login page waits for it.
func patience(o *kms.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.MaxBackoff = 250 * time.Millisecond
	})
}

// lasting are the answers of KMS that stay the same until somebody configures
// another key. All others may pass: throttling, a lost permission, a key that
// is disabled or pending deletion, KMS out of reach.
var lasting = []string{
	"InvalidArnException", "InvalidKeyUsageException", "NotFoundException", "UnsupportedOperationException", "ValidationException",
}

// failure says what went wrong in our words. The SDK's own error names the key
// by its ARN, so it is not wrapped: only the name that AWS gives to the
// kind of error is kept.
func failure(ctx context.Context, activity string, err error) error {
	if ended := ctx.Err(); errors.Is(ended, context.Canceled) {
		return fmt.Errorf("%s: %w", activity, ended)
	} else if ended != nil {
		return fmt.Errorf("%s: %w: %w", activity, keys.ErrUnavailable, ended)
	}
	answer, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Errorf("%s: %w: no answer", activity, keys.ErrUnavailable)
	}
	if slices.Contains(lasting, answer.ErrorCode()) {
		return fmt.Errorf("%s: %s", activity, answer.ErrorCode())
	}
	return fmt.Errorf("%s: %w: %s", activity, keys.ErrUnavailable, answer.ErrorCode())
}

package kmskey

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Maker is what making and discarding keys needs of KMS.
type Maker interface {
	Client
	CreateKey(context.Context, *kms.CreateKeyInput, ...func(*kms.Options)) (*kms.CreateKeyOutput, error)
	ScheduleKeyDeletion(context.Context, *kms.ScheduleKeyDeletionInput, ...func(*kms.Options)) (*kms.ScheduleKeyDeletionOutput, error)
}

var _ Maker = (*kms.Client)(nil)

// Spec is how a new key is labelled in the AWS console.
type Spec struct {
	Description string
	Tags        map[string]string // by which the roles of the stack know that they may use the key
}

// Create makes an RSA key of 2048 bits for signing and opens it. The reference
// is for [Open] and [Discard]; it is an ARN and not for the public. The policy
// of the key is the default one: IAM decides.
func Create(ctx context.Context, client Maker, spec Spec) (reference string, key *Key, err error) {
	var tags []types.Tag
	for _, name := range slices.Sorted(maps.Keys(spec.Tags)) {
		tags = append(tags, types.Tag{TagKey: &name, TagValue: aws.String(spec.Tags[name])})
	}
	created, err := client.CreateKey(ctx, &kms.CreateKeyInput{
		Description: &spec.Description,
		KeySpec:     types.KeySpecRsa2048,
		KeyUsage:    types.KeyUsageTypeSignVerify,
		Tags:        tags,
	}, once)
	if err != nil {
		return "", nil, failure(ctx, "creating KMS key", err)
	}
	reference = aws.ToString(created.KeyMetadata.Arn)
	if key, err = openNew(ctx, client, reference); err != nil {
		// Nobody has heard of the key yet.
		return "", nil, errors.Join(err, Discard(context.WithoutCancel(ctx), client, reference))
	}
	return reference, key, nil
}

// once calls KMS a single time: a repeat of CreateKey, whose first answer was
// lost, would leave a second key behind.
func once(o *kms.Options) { o.Retryer = aws.NopRetryer{} }

// openNew opens a key that KMS may not know everywhere yet: "the change might
// take a few seconds to propagate" (KMS API Reference, CreateKey).
func openNew(ctx context.Context, client Client, reference string) (key *Key, err error) {
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		key, err = Open(ctx, client, reference)
		if err == nil || wait > 3*time.Second {
			return key, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, fmt.Errorf("opening new KMS key: %w", ctx.Err())
		}
	}
}

// Discard ends a key that [Create] has made: from now on it signs nothing, and
// KMS deletes it after 30 days, in which the deletion can be cancelled. A key
// that is pending deletion already, or gone, is no error.
func Discard(ctx context.Context, client Maker, reference string) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	_, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &reference}, patience)
	if _, ok := errors.AsType[*types.KMSInvalidStateException](err); ok {
		return nil
	}
	if _, ok := errors.AsType[*types.NotFoundException](err); ok {
		return nil
	}
	if err != nil {
		return failure(ctx, "scheduling deletion of KMS key", err)
	}
	return nil
}

// Package kmskey is a signing key held by AWS KMS. The private key never leaves
// KMS; nothing that this package prints, and no error it returns, names the key,
// the account or the region.
//
// Internal to Gatehouse: it may change with any release.
package kmskey

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/gatehouse-auth/gatehouse/keys"
)

// Client is what opening a key and signing need of KMS.
type Client interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
	GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error)
	Sign(context.Context, *kms.SignInput, ...func(*kms.Options)) (*kms.SignOutput, error)
}

var _ Client = (*kms.Client)(nil)

// Timeout is the longest that one signature may take, repeats included.
const Timeout = 5 * time.Second

const algorithm = types.SigningAlgorithmSpecRsassaPkcs1V15Sha256

// Key is a [keys.Signer] whose private key is in KMS.
type Key struct {
	public *rsa.PublicKey
	// The client and the name of the key are enclosed here, so that no way of
	// printing a Key reaches them.
	sign func(context.Context, [sha256.Size]byte) ([]byte, error)
}

var _ keys.Signer = (*Key)(nil)

// Open fetches the public key of keyID: a key id, a key ARN, an alias name or
// an alias ARN. An alias is followed once, here; the Key stays with what it
// pointed to. Open refuses a key that is not enabled, is not for signing, or is
// not RSA of 2048 bits or more; the error wraps [keys.ErrUnavailable] if that
// can change without another key.
func Open(ctx context.Context, client Client, keyID string) (*Key, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	described, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &keyID}, patience)
	if err != nil {
		return nil, failure(ctx, "describing KMS key", err)
	}
	if err := check(described.KeyMetadata); err != nil {
		return nil, err
	}
	id := described.KeyMetadata.Arn
	fetched, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: id}, patience)
	if err != nil {
		return nil, failure(ctx, "fetching public key from KMS", err)
	}
	public, err := parse(fetched)
	if err != nil {
		return nil, err
	}
	return &Key{public: public, sign: func(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
		return sign(ctx, client, id, digest)
	}}, nil
}

// check refuses what could never sign for us.
func check(m *types.KeyMetadata) error {
	switch {
	case m == nil || aws.ToString(m.Arn) == "":
		return errors.New("KMS did not describe the key")
	case m.KeyUsage != types.KeyUsageTypeSignVerify:
		return fmt.Errorf("KMS key has usage %s: want %s", m.KeyUsage, types.KeyUsageTypeSignVerify)
	case !slices.Contains([]types.KeySpec{types.KeySpecRsa2048, types.KeySpecRsa3072, types.KeySpecRsa4096}, m.KeySpec):
		return fmt.Errorf("KMS key has spec %s: want %s", m.KeySpec, types.KeySpecRsa2048)
	case m.KeyState != types.KeyStateEnabled:
		return fmt.Errorf("KMS key is in state %s: %w", m.KeyState, keys.ErrUnavailable)
	}
	return nil
}

func parse(fetched *kms.GetPublicKeyOutput) (*rsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(fetched.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("parsing public key from KMS: %w", err)
	}
	public, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("KMS returned %T: want an RSA key", parsed)
	}
	if err := keys.CheckPublic(public); err != nil {
		return nil, fmt.Errorf("key in KMS: %w", err)
	}
	if !slices.Contains(fetched.SigningAlgorithms, algorithm) {
		return nil, fmt.Errorf("KMS key does not sign with %s", algorithm)
	}
	return public, nil
}

// Public returns the public key, without a call to KMS.
func (k *Key) Public() *rsa.PublicKey { return k.public }

// SignDigest has KMS sign digest. It gives up when ctx ends, and after
// [Timeout].
func (k *Key) SignDigest(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	return k.sign(ctx, digest)
}

func sign(ctx context.Context, client Client, id *string, digest [sha256.Size]byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	signed, err := client.Sign(ctx, &kms.SignInput{
		KeyId:   id,
		Message: digest[:],
		// RAW would hash the digest once more, and take at most 4,096 bytes.
		MessageType:      types.MessageTypeDigest,
		SigningAlgorithm: algorithm,
	}, patience)
	if err != nil {
		return nil, failure(ctx, "signing with KMS", err)
	}
	return signed.Signature, nil
}

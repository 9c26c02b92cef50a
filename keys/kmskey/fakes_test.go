package kmskey_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/gatehouse-auth/gatehouse/keys/kmskey"
)

// altered is a KMS whose answers about a key are changed on their way.
type altered struct {
	kmskey.Client
	change func(*kms.DescribeKeyOutput, *kms.GetPublicKeyOutput)
}

func (a altered) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput, opts ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	out, err := a.Client.DescribeKey(ctx, in, opts...)
	if err == nil {
		a.change(out, new(kms.GetPublicKeyOutput))
	}
	return out, err
}

func (a altered) GetPublicKey(ctx context.Context, in *kms.GetPublicKeyInput, opts ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	out, err := a.Client.GetPublicKey(ctx, in, opts...)
	if err == nil {
		a.change(new(kms.DescribeKeyOutput), out)
	}
	return out, err
}

// away is a KMS that is gone when it comes to signing.
type away struct{ kmskey.Client }

func (a away) Sign(ctx context.Context, in *kms.SignInput, opts ...func(*kms.Options)) (*kms.SignOutput, error) {
	return a.Client.Sign(ctx, in, append(opts, func(o *kms.Options) { o.BaseEndpoint = aws.String("http://127.0.0.1:1") })...)
}

// bounded is a KMS that wants every call to have a deadline.
type bounded struct {
	kmskey.Client
	t *testing.T
}

func (b bounded) check(ctx context.Context) {
	if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > kmskey.Timeout {
		b.t.Errorf("a call with deadline %v, %t", deadline, ok)
	}
}

func (b bounded) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput, opts ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	b.check(ctx)
	return b.Client.DescribeKey(ctx, in, opts...)
}

func (b bounded) Sign(ctx context.Context, in *kms.SignInput, opts ...func(*kms.Options)) (*kms.SignOutput, error) {
	b.check(ctx)
	return b.Client.Sign(ctx, in, opts...)
}

func pkix(t *testing.T, key *rsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return der
}

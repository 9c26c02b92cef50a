package kmstest_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
)

var private = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newServer() *kmstest.Server {
	return &kmstest.Server{Generate: func(int) (*rsa.PrivateKey, error) { return private() }}
}

func create(t *testing.T, client *kms.Client, spec types.KeySpec, usage types.KeyUsageType) *types.KeyMetadata {
	t.Helper()
	out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage, Description: aws.String("a key")})
	if err != nil {
		t.Fatal(err)
	}
	return out.KeyMetadata
}

// wantCode checks that err is what AWS calls code.
func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != code {
		t.Errorf("%s: error %v, want %s", what, err, code)
	}
}

func publicKey(t *testing.T, client *kms.Client, id *string) *rsa.PublicKey {
	t.Helper()
	out, err := client.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: id})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.(*rsa.PublicKey)
}

func TestSign(t *testing.T) {
	client := newServer().Client(t)
	id := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify).KeyId
	public := publicKey(t, client, id)
	message := []byte("message")
	sum256, sum384, sum512 := sha256.Sum256(message), sha512.Sum384(message), sha512.Sum512(message)
	for _, c := range []struct {
		algorithm types.SigningAlgorithmSpec
		hash      crypto.Hash
		digest    []byte
	}{
		{types.SigningAlgorithmSpecRsassaPkcs1V15Sha256, crypto.SHA256, sum256[:]},
		{types.SigningAlgorithmSpecRsassaPkcs1V15Sha384, crypto.SHA384, sum384[:]},
		{types.SigningAlgorithmSpecRsassaPkcs1V15Sha512, crypto.SHA512, sum512[:]},
		{types.SigningAlgorithmSpecRsassaPssSha256, crypto.SHA256, sum256[:]},
		{types.SigningAlgorithmSpecRsassaPssSha384, crypto.SHA384, sum384[:]},
		{types.SigningAlgorithmSpecRsassaPssSha512, crypto.SHA512, sum512[:]},
	} {
		for _, in := range []*kms.SignInput{
			{Message: message},
			{Message: message, MessageType: types.MessageTypeRaw},
			{Message: c.digest, MessageType: types.MessageTypeDigest},
		} {
			in.KeyId, in.SigningAlgorithm = id, c.algorithm
			out, err := client.Sign(t.Context(), in)
			if err != nil {
				t.Fatalf("%s %s: %v", c.algorithm, in.MessageType, err)
			}
			if strings.Contains(string(c.algorithm), "PSS") {
				err = rsa.VerifyPSS(public, c.hash, c.digest, out.Signature, nil)
			} else {
				err = rsa.VerifyPKCS1v15(public, c.hash, c.digest, out.Signature)
			}
			if err != nil {
				t.Errorf("%s %s: %v", c.algorithm, in.MessageType, err)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	client := newServer().Client(t)
	id := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify).KeyId
	decrypts := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt).KeyId
	const rs256 = types.SigningAlgorithmSpecRsassaPkcs1V15Sha256
	for _, c := range []struct {
		name string
		in   kms.SignInput
		code string
	}{
		{"S69 RAW of 4,097 bytes", kms.SignInput{KeyId: id, SigningAlgorithm: rs256, Message: make([]byte, 4097)}, "ValidationException"},
		{"DIGEST of 31 bytes", kms.SignInput{KeyId: id, SigningAlgorithm: rs256, MessageType: "DIGEST", Message: make([]byte, 31)}, "ValidationException"},
		{"DIGEST of 64 bytes", kms.SignInput{KeyId: id, SigningAlgorithm: rs256, MessageType: "DIGEST", Message: make([]byte, 64)}, "ValidationException"},
		{"DIGEST of nothing", kms.SignInput{KeyId: id, SigningAlgorithm: rs256, MessageType: "DIGEST", Message: []byte{}}, "ValidationException"},
		{"another message type", kms.SignInput{KeyId: id, SigningAlgorithm: rs256, MessageType: "digest", Message: make([]byte, 32)}, "ValidationException"},
		{"an algorithm of another key type", kms.SignInput{KeyId: id, SigningAlgorithm: "ECDSA_SHA_256", Message: make([]byte, 32)}, "InvalidKeyUsageException"},
		{"a key for encryption", kms.SignInput{KeyId: decrypts, SigningAlgorithm: rs256, Message: make([]byte, 32)}, "InvalidKeyUsageException"},
	} {
		_, err := client.Sign(t.Context(), &c.in)
		wantCode(t, c.name, err, c.code)
	}
	if _, err := client.Sign(t.Context(), &kms.SignInput{KeyId: id, SigningAlgorithm: rs256, Message: make([]byte, 4096)}); err != nil {
		t.Errorf("RAW of 4,096 bytes: %v", err)
	}
}

func TestStates(t *testing.T) {
	client := newServer().Client(t)
	ctx := t.Context()
	id := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify).KeyId
	sign := func() error {
		_, err := client.Sign(ctx, &kms.SignInput{KeyId: id, SigningAlgorithm: types.SigningAlgorithmSpecRsassaPssSha256, Message: []byte("x")})
		return err
	}
	if _, err := client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: id}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a disabled key", sign(), "DisabledException")
	publicKey(t, client, id)
	if _, err := client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id}); err != nil {
		t.Fatal(err)
	}
	if err := sign(); err != nil {
		t.Errorf("enabled again: %v", err)
	}
	_, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(6)})
	wantCode(t, "deletion within 6 days", err, "ValidationException")
	out, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)})
	if err != nil || out.DeletionDate == nil || time.Until(*out.DeletionDate) < 6*24*time.Hour {
		t.Errorf("ScheduleKeyDeletion: %+v, %v", out, err)
	}
	wantCode(t, "a key pending deletion", sign(), "KMSInvalidStateException")
	_, err = client.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id})
	wantCode(t, "enabling it", err, "KMSInvalidStateException")
	_, err = client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: id})
	wantCode(t, "its public key", err, "KMSInvalidStateException")
	if _, err := client.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: id}); err != nil {
		t.Fatal(err)
	}
	described, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
	if err != nil || described.KeyMetadata.KeyState != types.KeyStateDisabled || described.KeyMetadata.DeletionDate != nil {
		t.Errorf("after cancelling: %+v, %v", described, err)
	}
}

func TestNames(t *testing.T) {
	client := newServer().Client(t)
	ctx := t.Context()
	first := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify)
	second := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify)
	alias := aws.String("alias/app")
	if _, err := client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: first.KeyId}); err != nil {
		t.Fatal(err)
	}
	_, err := client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: second.KeyId})
	wantCode(t, "an alias made twice", err, "AlreadyExistsException")
	_, err = client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("app"), TargetKeyId: first.KeyId})
	wantCode(t, "an alias without prefix", err, "InvalidAliasNameException")
	_, err = client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: aws.String("alias/none"), TargetKeyId: first.KeyId})
	wantCode(t, "moving an alias that is not there", err, "NotFoundException")
	_, err = client.DisableKey(ctx, &kms.DisableKeyInput{KeyId: alias})
	wantCode(t, "disabling by alias", err, "NotFoundException")
	if _, err := client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: alias, TargetKeyId: second.Arn}); err != nil {
		t.Fatal(err)
	}
	out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: alias})
	if err != nil || *out.KeyMetadata.KeyId != *second.KeyId {
		t.Errorf("the alias leads to %+v, %v", out, err)
	}
	aliases, err := client.ListAliases(ctx, &kms.ListAliasesInput{KeyId: second.KeyId})
	if err != nil || len(aliases.Aliases) != 1 || *aliases.Aliases[0].AliasName != *alias {
		t.Errorf("aliases %+v, %v", aliases, err)
	}
	if _, err := client.TagResource(ctx, &kms.TagResourceInput{KeyId: first.KeyId, Tags: []types.Tag{{TagKey: aws.String("a"), TagValue: aws.String("b")}}}); err != nil {
		t.Fatal(err)
	}
	_, err = client.TagResource(ctx, &kms.TagResourceInput{KeyId: first.KeyId, Tags: []types.Tag{{TagKey: aws.String("aws:a"), TagValue: aws.String("b")}}})
	wantCode(t, "a tag of AWS's own", err, "TagException")
	tags, err := client.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: first.KeyId})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].TagValue != "b" {
		t.Errorf("tags %+v, %v", tags, err)
	}
}

func TestCreateKeyRefuses(t *testing.T) {
	client := newServer().Client(t)
	for _, c := range []struct {
		spec  types.KeySpec
		usage types.KeyUsageType
	}{
		{"RSA_1024", types.KeyUsageTypeSignVerify},
		{types.KeySpecRsa2048, ""},
		{types.KeySpecSymmetricDefault, types.KeyUsageTypeSignVerify},
		{types.KeySpecEccNistP256, types.KeyUsageTypeEncryptDecrypt},
	} {
		_, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: c.spec, KeyUsage: c.usage})
		wantCode(t, string(c.spec)+" "+string(c.usage), err, "ValidationException")
	}
}

func TestFaults(t *testing.T) {
	server := newServer()
	client := server.Client(t)
	key := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify)
	digest := sha256.Sum256(nil)
	sign := func() ([]byte, error) {
		out, err := client.Sign(t.Context(), &kms.SignInput{KeyId: key.KeyId, SigningAlgorithm: types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
			MessageType: types.MessageTypeDigest, Message: digest[:]}, func(o *kms.Options) { o.Retryer = aws.NopRetryer{} })
		if err != nil {
			return nil, err
		}
		return out.Signature, nil
	}
	for code, faults := range map[string]kmstest.Faults{
		"ThrottlingException":   {Throttled: true},
		"AccessDeniedException": {AccessDenied: true},
		"KMSInternalException":  {Internal: true},
		"NotFoundException":     {NotYet: 1000},
	} {
		server.SetFaults(faults)
		_, err := sign()
		wantCode(t, code, err, code)
	}
	server.SetFaults(kmstest.Faults{Throttled: true, Operations: []string{"CreateKey"}})
	if _, err := sign(); err != nil {
		t.Errorf("a fault of another operation: %v", err)
	}
	server.SetFaults(kmstest.Faults{Latency: 30 * time.Millisecond})
	if start := time.Now(); true {
		if _, err := sign(); err != nil || time.Since(start) < 30*time.Millisecond {
			t.Errorf("latency: %v after %v", err, time.Since(start))
		}
	}
	server.SetFaults(kmstest.Faults{WrongKey: true})
	signature, err := sign()
	if err != nil || rsa.VerifyPKCS1v15(publicKey(t, client, key.KeyId), crypto.SHA256, digest[:], signature) == nil {
		t.Errorf("wrong key: the signature is right (%v)", err)
	}
	if n := server.Calls()["Sign"]; n != 7 {
		t.Errorf("%d calls of Sign counted, want 7", n)
	}
}

func TestWire(t *testing.T) {
	url := newServer().Start(t)
	for _, c := range []struct{ name, method, target, auth, body, want string }{
		{"unsigned", "POST", "TrentService.ListKeys", "", "{}", "MissingAuthenticationTokenException"},
		{"another operation", "POST", "TrentService.Encrypt", "AWS4-HMAC-SHA256 x", "{}", "UnknownOperationException"},
		{"GET", "GET", "TrentService.ListKeys", "AWS4-HMAC-SHA256 x", "{}", "UnknownOperationException"},
		{"no JSON", "POST", "TrentService.ListKeys", "AWS4-HMAC-SHA256 x", "<", "SerializationException"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, url, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", c.target)
		r.Header.Set("Authorization", c.auth)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		body.ReadFrom(response.Body)
		response.Body.Close()
		if response.StatusCode != 400 || !strings.Contains(body.String(), `"__type":"`+c.want+`"`) {
			t.Errorf("%s: %d %s, want %s", c.name, response.StatusCode, body.String(), c.want)
		}
	}
}

package kmskey_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
	"github.com/gatehouse-auth/gatehouse/keys/kmskey"
)

var private = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// newServer returns a KMS with one signing key, its client and the key's ARN.
func newServer(t *testing.T) (*kmstest.Server, *kms.Client, string) {
	t.Helper()
	server := &kmstest.Server{Generate: func(int) (*rsa.PrivateKey, error) { return private() }}
	client := server.Client(t)
	return server, client, create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify)
}

func create(t *testing.T, client *kms.Client, spec types.KeySpec, usage types.KeyUsageType) string {
	t.Helper()
	out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage})
	if err != nil {
		t.Fatal(err)
	}
	return *out.KeyMetadata.Arn
}

func open(t *testing.T, client kmskey.Client, keyID string) *kmskey.Key {
	t.Helper()
	key, err := kmskey.Open(t.Context(), client, keyID)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// reveals tells whether text names the key, the account or the region.
func reveals(text, arn string) bool {
	_, id, _ := strings.Cut(arn, "key/")
	return strings.Contains(text, "arn:") || strings.Contains(text, kmstest.Account) || strings.Contains(text, kmstest.Region) ||
		strings.Contains(text, id)
}

func TestLaws(t *testing.T) {
	_, client, arn := newServer(t)
	keystest.Run(t, func(t *testing.T) keys.Signer { return open(t, client, arn) })
}

func TestOpen(t *testing.T) {
	_, client, arn := newServer(t)
	if _, err := client.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: aws.String("alias/gatehouse"), TargetKeyId: &arn}); err != nil {
		t.Fatal(err)
	}
	_, id, _ := strings.Cut(arn, "key/")
	aliasARN := strings.Replace(arn, "key/"+id, "alias/gatehouse", 1)
	for _, name := range []string{arn, id, "alias/gatehouse", aliasARN} {
		key := open(t, client, name)
		if want, _ := private(); !key.Public().Equal(want.Public()) {
			t.Errorf("%s: another key", name)
		}
	}
}

func TestAliasIsFollowedOnce(t *testing.T) {
	server, client, arn := newServer(t)
	alias := "alias/gatehouse"
	if _, err := client.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: &arn}); err != nil {
		t.Fatal(err)
	}
	key := open(t, client, alias)
	server.Generate = nil // the next key is another one
	other := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify)
	if _, err := client.UpdateAlias(t.Context(), &kms.UpdateAliasInput{AliasName: &alias, TargetKeyId: &other}); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("message"))
	signature, err := key.SignDigest(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(key.Public(), crypto.SHA256, digest[:], signature); err != nil {
		t.Errorf("the key went along with its alias: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	server, client, arn := newServer(t)
	disabled := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify)
	if _, err := client.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &disabled}); err != nil {
		t.Fatal(err)
	}
	doomed := create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeSignVerify)
	if _, err := client.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &doomed}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, keyID, want string
		unavailable       bool
	}{
		{"a key for encryption", create(t, client, types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt), "usage ENCRYPT_DECRYPT", false},
		{"an elliptic curve", create(t, client, types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify), "spec ECC_NIST_P256", false},
		{"a symmetric key", create(t, client, types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt), "usage ENCRYPT_DECRYPT", false},
		{"a disabled key", disabled, "state Disabled", true},
		{"a key pending deletion", doomed, "state PendingDeletion", true},
		{"a key that is not there", strings.Replace(arn, "key/", "key/0", 1), "NotFoundException", false},
		{"an alias that is not there", "alias/nobody", "NotFoundException", false},
		{"no name at all", "", "ValidationException", false},
		{"an ARN of another region", strings.Replace(arn, kmstest.Region, "eu-west-9", 1), "InvalidArnException", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := kmskey.Open(t.Context(), client, c.keyID)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one about %q", err, c.want)
			}
			if got := errors.Is(err, keys.ErrUnavailable); got != c.unavailable {
				t.Errorf("%v: wraps ErrUnavailable is %t", err, got)
			}
			if reveals(err.Error(), arn) {
				t.Errorf("S70 reveals the key: %v", err)
			}
		})
	}
	if n := server.Calls()["Sign"]; n != 0 {
		t.Errorf("%d calls of Sign", n)
	}
}

func TestOpenRefusesShortAnswers(t *testing.T) {
	_, client, arn := newServer(t)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*kms.DescribeKeyOutput, *kms.GetPublicKeyOutput){
		"no metadata":               func(d *kms.DescribeKeyOutput, _ *kms.GetPublicKeyOutput) { d.KeyMetadata = nil },
		"no public key":             func(_ *kms.DescribeKeyOutput, p *kms.GetPublicKeyOutput) { p.PublicKey = nil },
		"a public key of 1024 bits": func(_ *kms.DescribeKeyOutput, p *kms.GetPublicKeyOutput) { p.PublicKey = pkix(t, short) },
		"no RS256":                  func(_ *kms.DescribeKeyOutput, p *kms.GetPublicKeyOutput) { p.SigningAlgorithms = nil },
	} {
		if _, err := kmskey.Open(t.Context(), altered{client, change}, arn); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestSignRefusals(t *testing.T) {
	server, client, arn := newServer(t)
	key := open(t, client, arn)
	for _, c := range []struct {
		name    string
		faults  kmstest.Faults
		prepare func() error
		want    string
	}{
		{"fault 10: throttled", kmstest.Faults{Throttled: true}, nil, "ThrottlingException"},
		{"fault 11: access denied", kmstest.Faults{AccessDenied: true}, nil, "AccessDeniedException"},
		{"KMS fails inside", kmstest.Faults{Internal: true}, nil, "KMSInternalException"},
		{"fault 11: key disabled", kmstest.Faults{}, func() error {
			_, err := client.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &arn})
			return err
		}, "DisabledException"},
		{"fault 11: key pending deletion", kmstest.Faults{}, func() error {
			_, err := client.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &arn})
			return err
		}, "KMSInvalidStateException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.prepare != nil {
				if err := c.prepare(); err != nil {
					t.Fatal(err)
				}
			}
			server.SetFaults(c.faults)
			defer server.SetFaults(kmstest.Faults{})
			start := time.Now()
			signature, err := key.SignDigest(t.Context(), sha256.Sum256(nil))
			if !errors.Is(err, keys.ErrUnavailable) || !strings.Contains(err.Error(), c.want) || signature != nil {
				t.Errorf("error %v, want ErrUnavailable: %s", err, c.want)
			}
			if err != nil && reveals(fmt.Sprintf("%v %+v %#v", err, err, err), arn) {
				t.Errorf("S70 reveals the key: %v", err)
			}
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestThrottlingPasses(t *testing.T) {
	server, client, arn := newServer(t)
	key := open(t, client, arn)
	server.SetFaults(kmstest.Faults{Throttled: true})
	if _, err := key.SignDigest(t.Context(), sha256.Sum256(nil)); err == nil {
		t.Fatal("signed while throttled")
	}
	if n := server.Calls()["Sign"]; n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
	server.SetFaults(kmstest.Faults{})
	if _, err := key.SignDigest(t.Context(), sha256.Sum256(nil)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestDeadline(t *testing.T) {
	t.Run("fault 13: KMS latency 3 s", func(t *testing.T) {
		server, client, arn := newServer(t)
		key := open(t, client, arn)
		server.SetFaults(kmstest.Faults{Latency: 3 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := key.SignDigest(ctx, sha256.Sum256(nil))
		if !errors.Is(err, keys.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want ErrUnavailable and DeadlineExceeded", err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("took %v", d)
		}
	})
	t.Run("no call goes on for ever", func(t *testing.T) {
		_, client, arn := newServer(t)
		key := open(t, bounded{client, t}, arn)
		if _, err := key.SignDigest(t.Context(), sha256.Sum256(nil)); err != nil {
			t.Error(err)
		}
	})
	t.Run("KMS out of reach", func(t *testing.T) {
		_, client, arn := newServer(t)
		key := open(t, away{client}, arn)
		_, err := key.SignDigest(t.Context(), sha256.Sum256(nil))
		if !errors.Is(err, keys.ErrUnavailable) || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("error %v, want a plain ErrUnavailable", err)
		}
	})
}

func TestKeyCannotBePrinted(t *testing.T) {
	_, client, arn := newServer(t)
	key := open(t, client, arn)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if reveals(fmt.Sprintf(verb, key), arn) || reveals(fmt.Sprintf(verb, *key), arn) {
			t.Errorf("S70 %s reveals the key", verb)
		}
	}
}

func TestCallsOfKMS(t *testing.T) {
	server, client, arn := newServer(t)
	key := open(t, client, arn)
	for range 3 {
		if _, err := key.SignDigest(t.Context(), sha256.Sum256(nil)); err != nil {
			t.Fatal(err)
		}
		key.Public()
	}
	calls := server.Calls()
	if calls["Sign"] != 3 || calls["GetPublicKey"] != 1 || calls["DescribeKey"] != 1 {
		t.Errorf("calls %v, want one Sign per signature, and one look at the key", calls)
	}
}

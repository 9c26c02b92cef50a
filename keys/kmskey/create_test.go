package kmskey_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/keys/kmskey"
)

var spec = kmskey.Spec{Description: "Gatehouse signing key", Tags: map[string]string{"gatehouse": "demo"}}

func TestCreate(t *testing.T) {
	server, client, _ := newServer(t)
	reference, key, err := kmskey.Create(t.Context(), client, spec)
	if err != nil {
		t.Fatal(err)
	}
	if !open(t, client, reference).Public().Equal(key.Public()) {
		t.Error("the reference leads to another key")
	}
	tags, err := client.ListResourceTags(t.Context(), &kms.ListResourceTagsInput{KeyId: &reference})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].TagKey != "gatehouse" || *tags.Tags[0].TagValue != "demo" {
		t.Errorf("tags %v, %v", tags, err)
	}
	if n := server.Calls()["CreateKey"]; n != 2 { // one by newServer
		t.Errorf("%d keys made", n)
	}
}

func TestCreateWaitsForKMS(t *testing.T) {
	server, client, _ := newServer(t)
	server.SetFaults(kmstest.Faults{NotYet: 2})
	if _, _, err := kmskey.Create(t.Context(), client, spec); err != nil {
		t.Errorf("a key that is known only at the third try: %v", err)
	}
}

func TestCreateLeavesNothingBehind(t *testing.T) {
	t.Run("when no key was made", func(t *testing.T) {
		server, client, _ := newServer(t)
		server.SetFaults(kmstest.Faults{Throttled: true, Operations: []string{"CreateKey"}})
		if _, _, err := kmskey.Create(t.Context(), client, spec); !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
		if n := server.Calls()["CreateKey"]; n != 2 {
			t.Errorf("%d calls of CreateKey: want it tried once", n-1)
		}
	})
	t.Run("when the key cannot be opened", func(t *testing.T) {
		server, client, first := newServer(t)
		server.SetFaults(kmstest.Faults{AccessDenied: true, Operations: []string{"GetPublicKey"}})
		ctx, cancel := context.WithCancel(t.Context())
		reference, _, err := kmskey.Create(ctx, giveUp{client, cancel}, spec)
		if err == nil || reference != "" {
			t.Fatalf("Create = %q, %v", reference, err)
		}
		listed, err := client.ListKeys(t.Context(), &kms.ListKeysInput{})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range listed.Keys {
			described, err := client.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: k.KeyId})
			if err != nil {
				t.Fatal(err)
			}
			if *k.KeyArn != first && described.KeyMetadata.KeyState != types.KeyStatePendingDeletion {
				t.Errorf("the new key is %s", described.KeyMetadata.KeyState)
			}
		}
	})
}

// giveUp ends the caller's context when the public key is asked for.
type giveUp struct {
	*kms.Client
	cancel context.CancelFunc
}

func (g giveUp) GetPublicKey(ctx context.Context, in *kms.GetPublicKeyInput, opts ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	g.cancel()
	return g.Client.GetPublicKey(ctx, in, opts...)
}

func TestDiscard(t *testing.T) {
	server, client, arn := newServer(t)
	for i := range 2 {
		if err := kmskey.Discard(t.Context(), client, arn); err != nil {
			t.Errorf("time %d: %v", i, err)
		}
	}
	if _, err := kmskey.Open(t.Context(), client, arn); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("afterwards: %v", err)
	}
	if err := kmskey.Discard(t.Context(), client, "00000000-0000-4000-8000-000000000000"); err != nil {
		t.Errorf("a key that is gone: %v", err)
	}
	server.SetFaults(kmstest.Faults{Throttled: true})
	if err := kmskey.Discard(t.Context(), client, arn); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("throttled: %v", err)
	}
}

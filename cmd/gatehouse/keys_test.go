package main

import (
	"crypto/rsa"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
	"github.com/gatehouse-auth/gatehouse/keys/kmskey"
)

// keysOfStack runs `gatehouse keys` for a table in AWS.
func keysOfStack(args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = run(append([]string{"keys"}, args...), &process{stdout: &out, stderr: &errs, getenv: os.Getenv, self: "gatehouse"})
	return code, out.String(), errs.String()
}

func TestKeysOfAStack(t *testing.T) {
	tables := dynamotest.Endpoint(t, os.Getenv)
	if err := dynamotable.Create(t.Context(), dynamotest.Client(tables, nil), dynamotest.Definition("stack")); err != nil {
		t.Fatal(err)
	}
	server := &kmstest.Server{Generate: func(int) (*rsa.PrivateKey, error) { return keystest.WeakKey(), nil }}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": tables, "AWS_ENDPOINT_URL_KMS": server.Start(t), "AWS_REGION": kmstest.Region,
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": os.DevNull, "GATEHOUSE_TABLE": "stack",
	} {
		t.Setenv(name, value)
	}
	for _, command := range []string{"list", "rotate", "export"} {
		if code, _, stderr := keysOfStack(command, "--name", "stack"); code != 1 || !strings.Contains(stderr, "the ring is empty") {
			t.Errorf("%s of an empty ring: %d %s", command, code, stderr)
		}
	}
	if n := server.Calls()["CreateKey"]; n != 0 {
		t.Fatalf("%d keys were made for an empty ring", n)
	}
	first := begin(t, server, tables)

	if code, stdout, stderr := keysOfStack("list"); code != 1 || !strings.Contains(stdout, "current") || !strings.Contains(stderr, "there is no next key") {
		t.Errorf("list: %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := keysOfStack("rotate"); code != 1 || !strings.Contains(stderr, "name the stack with --name") {
		t.Errorf("rotate without a name: %d %s", code, stderr)
	}
	if code, stdout, stderr := keysOfStack("rotate", "--name", "stack"); code != 1 || !strings.Contains(stdout, "may sign from") {
		t.Errorf("S99 rotate: %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := keysOfStack("list", "-o", "json"); code != 0 || strings.Count(stdout, `"kid"`) != 2 || strings.Contains(stdout, "arn:") {
		t.Errorf("S70 list: %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, _ := keysOfStack("export"); code != 0 || strings.Count(stdout, first) != 1 {
		t.Errorf("export: %d %s", code, stdout)
	}
	if code, stdout, stderr := keysOfStack("retire", "--compromised", first); code != 0 || !strings.Contains(stdout, "compromised") || !strings.Contains(stdout, "No key signs: nobody can sign in, or renew a token, until 20") {
		t.Errorf("S100 retire needs no name: %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, _ := keysOfStack("export"); code != 0 || strings.Contains(stdout, first) {
		t.Errorf("S100 export afterwards: %d %s", code, stdout)
	}
}

// begin does what the first request to a login service does, and returns the id
// of the key.
func begin(t *testing.T, server *kmstest.Server, tables string) string {
	t.Helper()
	client := server.Client(t)
	key, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	login, err := keyring.New(keyring.Config{
		Table: dynamotable.New(dynamotest.Client(tables, nil), "stack"), Open: kmskey.Store{Client: client}.Open, Adopt: *key.KeyMetadata.Arn,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := login.Set(t.Context()); err != nil {
		t.Fatal(err)
	}
	view, err := login.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return view.Keys[0].ID
}

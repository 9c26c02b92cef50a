package main

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
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

// keysOfStack runs `gatehouse keys` for a deployment in AWS.
func keysOfStack(args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = run(append([]string{"keys"}, args...), &process{stdout: &out, stderr: &errs, getenv: os.Getenv, self: "gatehouse"})
	return code, out.String(), errs.String()
}

// lambdaWith returns the endpoint of AWS Lambda with one function, the rotator of "stack".
func lambdaWith(t *testing.T, ring *keyring.Keyring) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/2015-03-31/functions/stack-rotator/invocations" {
			w.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`{"Message":"Function not found"}`))
			return
		}
		var order keyring.Order
		if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
			t.Error(err)
		}
		outcome, err := ring.Obey(r.Context(), order)
		if err != nil {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			json.NewEncoder(w).Encode(map[string]string{"errorMessage": err.Error()})
			return
		}
		json.NewEncoder(w).Encode(outcome)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestKeysOfAStack(t *testing.T) {
	tables := dynamotest.Endpoint(t, os.Getenv)
	if err := dynamotable.Create(t.Context(), dynamotest.Client(tables, nil), dynamotest.Definition("stack")); err != nil {
		t.Fatal(err)
	}
	server := &kmstest.Server{Generate: func(int) (*rsa.PrivateKey, error) { return keystest.WeakKey(), nil }}
	server.Start(t)
	client := server.Client(t)
	key, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	store := kmskey.Store{Client: client}
	ring, err := keyring.New(keyring.Config{
		Table: dynamotable.New(dynamotest.Client(tables, nil), "stack"), Open: store.Open, Create: store.Create, Discard: store.Discard, Adopt: *key.KeyMetadata.Arn,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_LAMBDA": lambdaWith(t, ring), "AWS_REGION": kmstest.Region,
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": os.DevNull, "GATEHOUSE_NAME": "stack",
	} {
		t.Setenv(name, value)
	}
	const target = "target: function stack-rotator in " + kmstest.Region + "\n"
	if code, _, stderr := keysOfStack("list"); code != 1 || stderr != "gatehouse: the ring is empty: the first request to the login service begins it\n" {
		t.Errorf("list of an empty ring: %d %s", code, stderr)
	}
	if _, err := ring.Set(t.Context()); err != nil { // the first request
		t.Fatal(err)
	}
	view, err := ring.View(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first := view.Keys[0].ID
	if code, stdout, stderr := keysOfStack("list"); code != 1 || !strings.Contains(stdout, "current") || !strings.Contains(stderr, "there is no next key") {
		t.Errorf("list: %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := keysOfStack("rotate"); code != 1 || !strings.Contains(stdout, "may sign from") || !strings.HasPrefix(stderr, target) {
		t.Errorf("S99 rotate: %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := keysOfStack("list", "-o", "json"); code != 0 || strings.Count(stdout, `"kid"`) != 2 || strings.Contains(stdout, "arn:") {
		t.Errorf("S70 list: %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, _ := keysOfStack("export"); code != 0 || strings.Count(stdout, first) != 1 {
		t.Errorf("export: %d %s", code, stdout)
	}
	if code, stdout, stderr := keysOfStack("retire", "--compromised", first); code != 0 || stderr != target || !strings.Contains(stdout, "compromised") || !strings.Contains(stdout, "No key signs: nobody can sign in, or renew a token, until 20") {
		t.Errorf("S100 retire: %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, _ := keysOfStack("export"); code != 0 || strings.Contains(stdout, first) {
		t.Errorf("S100 export afterwards: %d %s", code, stdout)
	}
	if code, _, stderr := keysOfStack("list", "--name", "other"); code != 1 || !strings.Contains(stderr, "there is no function other-rotator in "+kmstest.Region) {
		t.Errorf("another name: %d %s", code, stderr)
	}
	if code, _, stderr := keysOfStack("list", "--url", devURL); code != exitUsage || !strings.Contains(stderr, "which keys?") {
		t.Errorf("a name and a URL: %d %s", code, stderr)
	}
}

package main

import (
	"crypto/rsa"
	"log/slog"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/metric/metrictest"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
)

func environment(more map[string]string) func(string) string {
	variables := map[string]string{
		"AWS_REGION": kmstest.Region, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
		"GATEHOUSE_TABLE": "gatehouse", "GATEHOUSE_KMS_KEY": "none", "GATEHOUSE_NAME": "gatehouse-test",
	}
	maps.Copy(variables, more)
	return func(name string) string { return variables[name] }
}

func TestBuildTellsAllMistakes(t *testing.T) {
	_, err := build(func(name string) string { return map[string]string{"GATEHOUSE_KEY_PERIOD": "a month"}[name] }, slog.New(slog.DiscardHandler))
	for _, name := range []string{"AWS_REGION", "GATEHOUSE_TABLE", "GATEHOUSE_KMS_KEY", "GATEHOUSE_NAME", "GATEHOUSE_KEY_PERIOD"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v does not name %s", err, name)
		}
	}
	_, err = build(environment(map[string]string{"GATEHOUSE_KEY_LEAD": "1m"}), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "lead of 1m") {
		t.Errorf("S99 error %v, want one about the lead", err)
	}
}

func TestRun(t *testing.T) {
	tables := dynamotest.Endpoint(t, os.Getenv)
	if err := dynamotable.Create(t.Context(), dynamotest.Client(tables, nil), dynamotest.Definition("gatehouse")); err != nil {
		t.Fatal(err)
	}
	server := &kmstest.Server{Generate: func(int) (*rsa.PrivateKey, error) { return keystest.WeakKey(), nil }}
	client := server.Client(t)
	first, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	f, err := build(environment(map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": tables, "AWS_ENDPOINT_URL_KMS": server.Start(t), "GATEHOUSE_KMS_KEY": *first.KeyMetadata.Arn,
	}), slog.New(metric.Embed(slog.NewJSONHandler(&log, nil), "gatehouse-test")))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := f(t.Context(), keyring.Order{}); err != nil {
			t.Errorf("%v\n%s", err, &log)
		}
	}
	made, err := client.ListKeys(t.Context(), &kms.ListKeysInput{})
	if err != nil || len(made.Keys) != 2 {
		t.Fatalf("keys %+v, %v; want the stack's and the next one", made, err)
	}
	tags, err := client.ListResourceTags(t.Context(), &kms.ListResourceTagsInput{KeyId: made.Keys[1].KeyId})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].TagKey != "gatehouse" || *tags.Tags[0].TagValue != "gatehouse-test" {
		t.Errorf("tags %+v, %v", tags, err)
	}
	t.Run("orders of an operator", func(t *testing.T) {
		for _, row := range []struct {
			order   keyring.Order
			problem string
		}{
			{keyring.Order{Command: "view"}, ""},
			{keyring.Order{Command: "export"}, ""},
			{keyring.Order{Command: "rotate"}, "not every verifier knows the next key"},
			{keyring.Order{Command: "compromise", KeyID: "none"}, `no key "none" in the ring`},
		} {
			got, err := f(t.Context(), row.order)
			if err != nil || len(got.View.Keys) != 2 || !strings.HasPrefix(got.Problem, row.problem) || (row.problem == "") != (got.Problem == "") {
				t.Errorf("%v: %+v %v", row.order, got, err)
			}
			if (len(got.Keys) > 0) != (row.order.Command == "export") {
				t.Errorf("%v: keys %s", row.order, got.Keys)
			}
		}
		if _, err := f(t.Context(), keyring.Order{Command: "drop"}); err == nil || !strings.Contains(err.Error(), "unknown command") {
			t.Errorf("an unknown command: %v", err)
		}
	})
	t.Run("fault 11: a key that cannot sign fails the run", func(t *testing.T) {
		if _, err := client.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: first.KeyMetadata.KeyId}); err != nil {
			t.Fatal(err)
		}
		if _, err := f(t.Context(), keyring.Order{}); err == nil || !strings.Contains(err.Error(), "the current key") {
			t.Errorf("error %v", err)
		}
		found := metrictest.Log(t, log.String())
		if tended, bad := metrictest.Sum(found, metric.RingTended), metrictest.Sum(found, metric.RingUnhealthy); tended != 3 || bad != 1 {
			t.Errorf("%v runs counted, %v of them bad; want 3 and 1\n%s", tended, bad, &log)
		}
	})
	if strings.Contains(log.String(), kmstest.Account) {
		t.Errorf("S70 the log tells the account: %s", &log)
	}
}

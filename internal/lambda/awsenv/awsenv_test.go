package awsenv_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/env"
	"github.com/gatehouse-auth/gatehouse/internal/lambda/awsenv"
)

func reader(variables map[string]string) *env.Reader {
	return &env.Reader{Get: func(name string) string { return variables[name] }}
}

func TestConfig(t *testing.T) {
	e := reader(map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"})
	cfg := awsenv.Config(e)
	got, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || got.AccessKeyID != "id" || got.SecretAccessKey != "secret" || got.SessionToken != "session" || cfg.Region != "eu-central-1" {
		t.Errorf("got %v, %v", cfg.Region, err)
	}
	if err := e.Err(); err != nil {
		t.Error(err)
	}
}

func TestConfigNamesWhatIsMissing(t *testing.T) {
	e := reader(nil)
	awsenv.Config(e)
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if err := e.Err(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
}

func TestEndpoint(t *testing.T) {
	e := reader(map[string]string{"AWS_ENDPOINT_URL_KMS": "http://kms", "AWS_ENDPOINT_URL": "http://all"})
	if got := awsenv.Endpoint(e, "KMS"); got == nil || *got != "http://kms" {
		t.Errorf("its own: %v", got)
	}
	if got := awsenv.Endpoint(e, "SSM"); got == nil || *got != "http://all" {
		t.Errorf("that of all: %v", got)
	}
	if got := awsenv.Endpoint(reader(nil), "SSM"); got != nil {
		t.Errorf("none: %v", *got)
	}
}

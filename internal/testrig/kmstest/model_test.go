package kmstest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The SDK carries a request, an answer or an error for each shape in AWS's own
// model of the service, every member filled in. What we read and write is
// compared with them.

// sdkFile returns the JSON body of a snapshot in the SDK's module.
func sdkFile(t *testing.T, path string) map[string]any {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/kms").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("the SDK's source is not here: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		t.Fatal(err)
	}
	_, body, ok := strings.Cut(strings.ReplaceAll(string(data), "\r", ""), "\n\n{")
	if !ok {
		return nil // an operation without answer
	}
	var members map[string]any
	if err := json.Unmarshal([]byte("{"+body), &members); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return members
}

func TestMembersAreThoseOfTheModel(t *testing.T) {
	for _, c := range []struct {
		operation string
		in, out   any
	}{
		{"CancelKeyDeletion", keyIn{}, keyIn{}},
		{"CreateAlias", aliasIn{}, nil},
		{"CreateKey", createKeyIn{Tags: []tag{{}}}, metadataOut{}},
		{"DescribeKey", keyIn{}, metadataOut{}},
		{"DisableKey", keyIn{}, nil},
		{"EnableKey", keyIn{}, nil},
		{"GetPublicKey", getPublicKeyIn{}, getPublicKeyOut{}},
		{"ListAliases", keyIn{}, listAliasesOut{Aliases: []listedAlias{{}}}},
		{"ListKeys", listIn{}, listKeysOut{Keys: []listedKey{{}}}},
		{"ListResourceTags", keyIn{}, listResourceTagsOut{Tags: []tag{{}}}},
		{"ScheduleKeyDeletion", scheduleKeyDeletionIn{}, scheduleKeyDeletionOut{}},
		{"Sign", signIn{}, signOut{}},
		{"TagResource", tagResourceIn{Tags: []tag{{}}}, nil},
		{"UpdateAlias", aliasIn{}, nil},
	} {
		if _, ok := operations[c.operation]; !ok {
			t.Errorf("%s is not served", c.operation)
		}
		compare(t, c.operation+" request", reflect.TypeOf(c.in), sdkFile(t, "request_snapshot/"+c.operation+".request.snap"))
		if c.out != nil {
			compare(t, c.operation+" answer", reflect.TypeOf(c.out), sdkFile(t, "response_snapshot/"+c.operation+".response.snap"))
		}
	}
}

// compare checks that each field of ours is a member of the model, of the same
// JSON type.
func compare(t *testing.T, where string, ours reflect.Type, model map[string]any) {
	for _, field := range reflect.VisibleFields(ours) {
		value, ok := model[field.Name]
		if !ok {
			t.Errorf("%s: the model has no %s", where, field.Name)
			continue
		}
		kind := field.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch want := value.(type) {
		case map[string]any:
			compare(t, where+"."+field.Name, kind, want)
		case []any:
			if kind.Elem().Kind() == reflect.Struct {
				compare(t, where+"."+field.Name, kind.Elem(), want[0].(map[string]any))
			}
		case string:
			if kind.Kind() != reflect.String && kind != reflect.TypeFor[[]byte]() {
				t.Errorf("%s.%s is %v, the model has a string", where, field.Name, kind)
			}
		case float64:
			if !slices.Contains([]reflect.Kind{reflect.Int, reflect.Float64}, kind.Kind()) {
				t.Errorf("%s.%s is %v, the model has a number", where, field.Name, kind)
			}
		case bool:
			if kind.Kind() != reflect.Bool {
				t.Errorf("%s.%s is %v, the model has a boolean", where, field.Name, kind)
			}
		}
	}
}

func TestErrorsAreThoseOfTheModel(t *testing.T) {
	// Errors that every AWS service has are not in the model of one.
	for _, name := range []string{
		"AlreadyExistsException", "DisabledException", "InvalidAliasNameException", "InvalidArnException", "InvalidKeyUsageException",
		"KMSInternalException", "KMSInvalidStateException", "LimitExceededException", "NotFoundException", "TagException",
		"UnsupportedOperationException",
	} {
		if members := sdkFile(t, "response_snapshot/"+name+".error.snap"); members["__type"] != name || members["message"] == nil {
			t.Errorf("%s: the model has %v", name, members)
		}
	}
}

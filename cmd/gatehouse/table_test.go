package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
)

// runs calls the command line and returns its output and exit code.
func runs(args ...string) (stdout, stderr string, code int) {
	var out, errs strings.Builder
	code = run(args, &process{stdout: &out, stderr: &errs, self: "gatehouse", getenv: func(string) string { return "" }})
	return out.String(), errs.String(), code
}

func TestTableCreate(t *testing.T) {
	endpoint := dynamotest.Endpoint(t, os.Getenv)
	t.Run("makes a table that serves", func(t *testing.T) {
		out, errs, code := runs("table", "create", "--name", "mine", "--endpoint", endpoint)
		if code != 0 || !strings.Contains(out, "table mine made") {
			t.Fatal(code, out, errs)
		}
		tab := dynamotable.New(dynamotest.Client(endpoint, nil), "mine")
		item := table.Item{table.PK: "a", table.SK: "b", table.GSI1PK: "c", table.GSI1SK: "d"}
		if err := tab.Write(t.Context(), table.Put(item)); err != nil {
			t.Fatal(err)
		}
		if page, err := tab.Query(t.Context(), table.Query{Index: table.GSI1, PK: "c", Limit: 1}); err != nil || len(page.Items) != 1 {
			t.Error(page, err)
		}
	})
	t.Run("leaves one as it is that is there", func(t *testing.T) {
		out, errs, code := runs("table", "create", "--name", "mine", "--endpoint", endpoint, "-o", "json")
		if code != 0 || out != `{"made":false,"table":"mine"}`+"\n" {
			t.Error(code, out, errs)
		}
	})
	t.Run("refuses one that is not the same", func(t *testing.T) {
		text, err := os.ReadFile("../../serverless.yml")
		if err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(t.TempDir(), "serverless.yml")
		changed := strings.Replace(string(text), "Projection: {ProjectionType: ALL}", "Projection: {ProjectionType: KEYS_ONLY}", 1)
		if err := os.WriteFile(other, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		out, errs, code := runs("table", "create", "--name", "mine", "--endpoint", endpoint, "--template", other)
		if code != exitFailed || out != "" || !strings.Contains(errs, "another definition") || !strings.Contains(errs, "KEYS_ONLY") {
			t.Error(code, out, errs)
		}
	})
	t.Run("wants a name", func(t *testing.T) {
		if _, errs, code := runs("table", "create"); code != exitUsage || !strings.Contains(errs, "--name") {
			t.Error(code, errs)
		}
	})
}

func TestOnThisMachine(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"http://localhost:8000": true, "http://127.0.0.1:8000": true, "http://[::1]:8000": true,
		"": false, "https://dynamodb.eu-west-1.amazonaws.com": false, "http://localhost.evil.example": false, "127.0.0.1:8000": false,
	} {
		if onThisMachine(endpoint) != want {
			t.Errorf("%q: %v", endpoint, !want)
		}
	}
}

package stacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
)

// guard stands before DynamoDB for one function. It lets through what the role of
// the function in the packaged template allows, as IAM does: action, resource and
// dynamodb:LeadingKeys of each request, and of each part of a transaction. A test
// in which it refuses something fails.
func (s *Stack) guard(t testing.TB, function string) string {
	t.Helper()
	target, err := url.Parse(s.table)
	if err != nil {
		t.Fatal(err)
	}
	statements := s.statements(function)
	proxy := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	refused := make(map[string]bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the function was frozen or ended
		}
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		for _, a := range accesses(operation, body) {
			if a.allowed(statements, s.ref) {
				continue
			}
			mu.Lock()
			refused[a.String()] = true
			mu.Unlock()
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"not authorized"}`)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		for a := range refused {
			t.Errorf("the role of %s does not allow %s", function, a)
		}
	})
	return server.URL
}

// statements returns what the role of a function says.
func (s *Stack) statements(function string) []template.Value {
	var out []template.Value
	for _, r := range s.template.Resources {
		if r.Type != "AWS::Lambda::Function" || path.Base(r.Properties.At("Code", "S3Key").String()) != function+".zip" {
			continue
		}
		role := s.template.Resources[r.Properties.At("Role", "Fn::GetAtt").Strings()[0]]
		for _, policy := range role.Properties.At("Policies").List() {
			out = append(out, policy.At("PolicyDocument", "Statement").List()...)
		}
	}
	return out
}

// access is one thing that IAM judges.
type access struct {
	action   string
	resource string // as ref names it
	key      string // the partition
}

func (a access) String() string { return fmt.Sprintf("%s of %s in %s", a.action, a.key, a.resource) }

func (a access) allowed(statements []template.Value, ref func(name, attribute string) string) bool {
	for _, s := range statements {
		if contains(s.At("Action").List(), a.action, ref) && contains(s.At("Resource").List(), a.resource, ref) && a.holds(s.At("Condition"), ref) {
			return true
		}
	}
	return false
}

func contains(values []template.Value, s string, ref func(name, attribute string) string) bool {
	for _, v := range values {
		if v.Resolve(ref) == s {
			return true
		}
	}
	return false
}

// holds evaluates the one condition that the template has for tables.
func (a access) holds(condition template.Value, ref func(name, attribute string) string) bool {
	if condition.String() == "null" {
		return true
	}
	for _, v := range condition.At("ForAllValues:StringEquals", "dynamodb:LeadingKeys").List() {
		if v.Resolve(ref) == a.key {
			return true
		}
	}
	for _, v := range condition.At("ForAllValues:StringLike", "dynamodb:LeadingKeys").List() {
		if matched, err := path.Match(v.Resolve(ref), strings.ReplaceAll(a.key, "/", "|")); err == nil && matched {
			return true
		}
	}
	return false
}

type attributes map[string]struct{ S string }

// part is one request, or one element of a transaction.
type part struct {
	IndexName                 string
	Key, Item                 attributes
	KeyConditionExpression    string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues attributes
}

// accesses returns what a request to DynamoDB does.
func accesses(operation string, body []byte) []access {
	var whole struct {
		part
		TransactItems []struct{ Put, Update, Delete, ConditionCheck, Get *part }
	}
	if err := json.Unmarshal(body, &whole); err != nil {
		return []access{{action: operation, key: err.Error()}}
	}
	if len(whole.TransactItems) == 0 {
		return []access{whole.access("dynamodb:" + operation)}
	}
	var out []access
	for _, item := range whole.TransactItems {
		for action, p := range map[string]*part{"PutItem": item.Put, "UpdateItem": item.Update, "DeleteItem": item.Delete, "ConditionCheckItem": item.ConditionCheck, "GetItem": item.Get} {
			if p != nil {
				out = append(out, p.access("dynamodb:"+action))
			}
		}
	}
	return out
}

var equality = regexp.MustCompile(`(#?\w+) = (:\w+)`)

func (p part) access(action string) access {
	a := access{action: action, resource: "Table.Arn", key: p.Key["pk"].S + p.Item["pk"].S}
	if p.IndexName != "" {
		a.resource += "/index/" + p.IndexName
	}
	for _, found := range equality.FindAllStringSubmatch(p.KeyConditionExpression, -1) {
		name := found[1]
		if full, ok := p.ExpressionAttributeNames[name]; ok {
			name = full
		}
		if name == p.IndexName+"pk" {
			a.key = p.ExpressionAttributeValues[found[2]].S
		}
	}
	return a
}

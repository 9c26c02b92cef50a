// Package stacktest is the packaged template as a stack on this machine: its
// routes and authorizers in a gateway, its functions as built programs under a
// Runtime API, frozen between events, an emulated DynamoDB and KMS, and the demo
// provider to sign in at. What is proved here is what was packaged, as far as it
// can be without an account.
package stacktest

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/lambdatest"
)

// Config says which stack. With Getenv alone it is one at http://localhost, without
// a path, with the configuration that every stack has.
type Config struct {
	// Programs is the folder that [Build] wrote; "": they are built for this test.
	Programs string
	// Getenv is os.Getenv: in CI, what is missing fails the test.
	Getenv func(string) string
	// Configuration is a gatehouse.yml. The stack adds the demo provider, the
	// clients demo-spa and demo-web of `gatehouse dev`, and Ada as an admin.
	Configuration string

	// TLS serves https, with a certificate that [Stack.Certificate] vouches for.
	TLS bool
	// Mapping is the key under which the custom domain has the API, and the path
	// of the issuer: "auth". "": neither.
	Mapping string
	// Stage is the name of the stage, which then is the path of the issuer. "":
	// $default.
	Stage string

	Now func() time.Time // of the gateway, which keeps answers; nil: time.Now
}

// Stack runs until the test ends.
type Stack struct {
	Issuer string
	Demo   string // the demo provider

	Functions map[string]*lambdatest.Function // by name
	KMS       *kmstest.Server
	Log       *Log // what the functions wrote, and a line for each request

	// Certificate is a file with the certificate of https, "" without TLS. Go
	// programs trust it with SSL_CERT_FILE, Node with NODE_EXTRA_CA_CERTS.
	Certificate string
	// Transport trusts it.
	Transport http.RoundTripper

	secrets  map[string]string // by the names of their variables
	template *template.Template
	table    string // the address of DynamoDB
	key      string // the ARN of the first signing key
}

const demoSecret = "secret-of-the-demo-provider"

// Start starts a stack. The test is skipped where nothing is packaged, or there
// is no emulator, unless this is CI.
func Start(t testing.TB, c Config) *Stack {
	t.Helper()
	s := &Stack{Functions: make(map[string]*lambdatest.Function), Log: &Log{}, template: load(t, c.Getenv)}
	handler, server := s.listen(t, c.TLS)
	address := strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // cookies ignore ports
	s.Issuer = address
	if path := c.Mapping + c.Stage; path != "" {
		s.Issuer += "/" + path
	}
	s.startDemo(t)
	s.startServices(t, c.Getenv)
	configuration := s.configuration(t, c.Configuration)
	s.seed(t, s.parse(t, configuration))
	if c.Programs == "" {
		c.Programs = t.TempDir()
		if err := Build(t.Context(), c.Programs); err != nil {
			t.Fatal(err)
		}
	}
	s.startFunctions(t, c.Programs, configuration)
	handler.set(s.gateway(t, c))
	return s
}

// load reads the packaged template.
func load(t testing.TB, getenv func(string) string) *template.Template {
	t.Helper()
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, ".serverless", "cloudformation-template-update-stack.json"))
	if os.IsNotExist(err) && getenv("CI") != "true" {
		t.Skip("nothing is packaged: make package, then test again")
	}
	if err != nil {
		t.Fatal(err)
	}
	template, err := template.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// listen serves what is set later: the functions must be told the address first.
func (s *Stack) listen(t testing.TB, overTLS bool) (*late, *httptest.Server) {
	t.Helper()
	handler := &late{}
	server := httptest.NewUnstartedServer(handler)
	s.Transport = http.DefaultTransport
	if overTLS {
		s.certify(t, server)
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return handler, server
}

func (s *Stack) startDemo(t testing.TB) {
	t.Helper()
	handler := &late{}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s.Demo = server.URL
	p, err := demoidp.New(demoidp.Config{
		Issuer: s.Demo, ClientID: "gatehouse", ClientSecret: demoSecret, RedirectURIs: []string{s.Issuer + "/callback/demo"},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler.set(p)
}

// startServices starts DynamoDB with the table, and KMS with the first key.
func (s *Stack) startServices(t testing.TB, getenv func(string) string) {
	t.Helper()
	s.table = dynamotest.Endpoint(t, getenv)
	if err := dynamotable.Create(t.Context(), dynamotest.Client(s.table, nil), dynamotest.Definition(tableName)); err != nil {
		t.Fatal(err)
	}
	s.KMS = &kmstest.Server{Generate: func(bits int) (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, bits) }}
	made, err := s.KMS.Client(t).CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	s.key = *made.KeyMetadata.Arn
}

const tableName = "gatehouse"

// startFunctions puts together what is in each zip, and runs it with the
// variables that the template gives it.
func (s *Stack) startFunctions(t testing.TB, programs string, configuration []byte) {
	t.Helper()
	files := map[string][]byte{"gatehouse.yml": configuration, "policy.json": compiled(t, s.parse(t, configuration))}
	keysAt := s.KMS.Start(t)
	for _, f := range s.template.Functions() {
		folder := t.TempDir()
		if err := os.Link(filepath.Join(programs, f.Name), filepath.Join(folder, "bootstrap")); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		env := map[string]string{}
		for name, value := range f.Env {
			env[name] = value.Resolve(s.ref)
		}
		env["GATEHOUSE_ISSUER"], env["GATEHOUSE_AUDIENCE"] = s.Issuer, s.Issuer+"/api"
		env["AWS_ENDPOINT_URL_DYNAMODB"], env["AWS_ENDPOINT_URL_KMS"] = s.guard(t, f.Name), keysAt
		env["SSL_CERT_FILE"] = s.Certificate
		maps.Copy(env, s.secrets)
		s.Functions[f.Name] = lambdatest.Start(t, lambdatest.Config{
			Name: f.Name, Root: folder, Env: env, Timeout: f.Timeout, Memory: f.Memory, Freeze: true, Log: s.Log,
		})
	}
}

// ref is what CloudFormation would put in for a Ref or a Fn::GetAtt.
func (s *Stack) ref(name, attribute string) string {
	switch name + "." + attribute {
	case "Table.":
		return tableName
	case "SigningKey.Arn":
		return s.key
	}
	return name + "." + attribute
}

func (s *Stack) gateway(t testing.TB, c Config) http.Handler {
	t.Helper()
	api, err := s.template.API()
	if err != nil {
		t.Fatal(err)
	}
	functions := make(map[string]gateway.Function)
	for name, f := range s.Functions {
		functions[name] = f.Invoke
	}
	g, err := gateway.New(gateway.Config{
		Template: api, Functions: functions, Stage: c.Stage, Mapping: c.Mapping, Now: c.Now,
		Observe: func(x gateway.Exchange) { fmt.Fprintln(s.Log, x) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/project"
)

// parse reads a template that stands in a folder with other files.
func parse(t *testing.T, text string, files map[string]string, env map[string]string) (*project.Project, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return project.Parse(filepath.Join(dir, "serverless.yml"), []byte(text),
		project.Options{Getenv: func(name string) string { return env[name] }, Origin: "http://localhost:8787"})
}

func sound(t *testing.T, text string, files map[string]string, env map[string]string) *project.Project {
	t.Helper()
	p, err := parse(t, text, files, env)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOurOwnTemplates(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]struct{ routes, functions int }{"../../../serverless.yml": {60, 5}, "../../../examples/chat/serverless.yml": {0, 2}} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p, err := project.Parse(path, text, project.Options{Getenv: func(name string) string {
			return map[string]string{"GATEHOUSE_ISSUER": "http://localhost:8787"}[name]
		}, Origin: "http://localhost:8787"})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.HTTP.Routes) < want.routes || len(p.Functions) != want.functions {
			t.Errorf("%s: %d routes, %d functions", path, len(p.HTTP.Routes), len(p.Functions))
		}
		for _, f := range p.Functions {
			for name, value := range f.Env {
				if strings.Contains(value, "${") || value == "" {
					t.Errorf("%s: %s: %s=%q", path, f.Name, name, value)
				}
			}
		}
		if chat := p.Function("chat"); chat != nil && (chat.Env["CHAT_CONNECTIONS"] != "http://localhost:8787/prod" || chat.Env["CHAT_TABLE"] != "Connections" || p.WebSocket.Routes["$connect"] != "chat") {
			t.Errorf("%+v %+v", chat, p.WebSocket)
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	p := sound(t, `
service: shop
custom:
  stages: {prod: {size: 512}, dev: {size: 256}}
  name: ${self:service}-${sls:stage}
  deep: ${file(./more.yml):one}
  list: [a, b]
params: {default: {color: green}, prod: {color: blue}}
provider:
  name: aws
  stage: ${opt:stage, env:STAGE, 'prod'}
  runtime: provided.al2023
  memorySize: ${self:custom.stages.${sls:stage}.size}
  httpApi: ${file(./api.json):httpApi}
  environment:
    NAME: ${self:custom.name}
    FROM_ENV: ${env:SHOP_DB}
    DEFAULT: ${env:SHOP_NONE, 'a, b'}
    NUMBER: ${env:SHOP_NONE, 7}
    PARAM: ${param:color}
    DEEP: ${self:custom.deep.two}
    LIST: ${self:custom.list.1}
    MIXED: x-${self:service}-${env:SHOP_NONE, self:custom.list.0}-y
    ACCOUNT: ${aws:accountId}
    SUB: !Sub 'arn:${AWS::Partition}:x:${Table}'
    TEXT: ${file(./note.txt)}
    REMOTE: ${ssm:/shop/key, 'none'}
functions: ${file(./functions.yml)}
resources: {Resources: {Table: {Type: 'AWS::DynamoDB::Table'}}}
`, map[string]string{
		"more.yml": "one: {two: '${self:service}!'}", "note.txt": "hello",
		"api.json":      `{"httpApi": {"payload": "2.0", "cors": {"allowedOrigins": ["https://${self:service}.example"]}}}`,
		"functions.yml": "orders:\n  handler: bootstrap\n  package: {artifact: ../dist/orders.zip}\n  environment: {OWN: !Ref Table}\n  events:\n    - httpApi: {method: get, path: /orders}\n",
	}, map[string]string{"SHOP_DB": "postgres://x"})
	if p.Stage != "prod" || len(p.Functions) != 1 || p.Functions[0].Memory != 512 || p.Functions[0].Artifact != "orders" || p.Functions[0].Timeout != 6*time.Second {
		t.Fatalf("%s %+v", p.Stage, p.Functions)
	}
	want := map[string]string{
		"NAME": "shop-prod", "FROM_ENV": "postgres://x", "DEFAULT": "a, b", "NUMBER": "7", "PARAM": "blue", "DEEP": "shop!", "LIST": "b",
		"MIXED": "x-shop-a-y", "ACCOUNT": "000000000000", "SUB": "arn:aws:x:Table", "TEXT": "hello", "REMOTE": "none", "OWN": "Table",
	}
	if diff := cmp.Diff(want, p.Functions[0].Env); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"https://shop.example"}, p.HTTP.CORS.AllowOrigins); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]gateway.Route{{Key: "GET /orders", Function: "orders"}}, p.HTTP.Routes); diff != "" {
		t.Error(diff)
	}
}

func TestNotUnderstood(t *testing.T) {
	t.Parallel()
	const head = "provider: {name: aws, runtime: provided.al2023}\n"
	env := func(value string) string {
		return head + "functions:\n  f:\n    environment:\n      A: " + value + "\n"
	}
	event := func(text string) string { return head + "functions:\n  f:\n    events:\n      - " + text + "\n" }
	cfn := func(resource string) string { return "Resources:\n  R: " + resource + "\n" }
	for name, tc := range map[string]struct{ text, want string }{
		"an empty file":                        {"", "want a serverless.yml"},
		"a list":                               {"- a", "want a serverless.yml"},
		"another kind of file":                 {"a: 1", "want a serverless.yml"},
		"no YAML":                              {"a: [", "yaml: line 1"},
		"a variable without a value":           {env("${env:NONE}"), "line 5: ${env:NONE} has no value: set it, or give it a default"},
		"a path that leads nowhere":            {env("${self:custom.none}"), "line 5: ${self:custom.none} has no value"},
		"an unknown source":                    {env("${foo:bar}"), "line 5: ${foo:bar}: dev knows self, env"},
		"a file that is not there":             {env("${file(./none.yml):a}"), "line 5: ${file(./none.yml):a} has no value"},
		"a script":                             {env("${file(./vars.js):a}"), "line 5: ${file(./vars.js)}: dev does not run JavaScript"},
		"a variable in a circle":               {"custom: {a: '${self:custom.b}', b: '${self:custom.a}'}\n" + env("${self:custom.a}"), "needs its own value"},
		"a brace too few":                      {env("'${self:service'"), "line 5: ${self:service: the closing brace is missing"},
		"a mapping in a text":                  {"custom: {a: {b: 1}}\n" + env("x${self:custom.a}"), "line 6: ${self:custom.a} is a mapping or a list"},
		"a tag that is none":                   {env("!Reff X"), "line 5: !Reff is no function of CloudFormation"},
		"a timeout that is none":               {head + "functions:\n  f: {timeout: soon}", "line 3: function f: timeout: want 1 to 900 seconds"},
		"a method that is none":                {event("httpApi: FETCH /a"), "line 5: route \"FETCH /a\""},
		"a REST integration":                   {event("http: {method: get, path: a, integration: mock}"), "line 5: function f: http: GET /a: integration mock is not emulated"},
		"a JWT authorizer without an issuer":   {"provider: {httpApi: {authorizers: {j: {type: jwt}}}}\nfunctions: {}", "line 1: authorizer j: type jwt: want issuerUrl and audience"},
		"a route to nowhere":                   {cfn("{Type: 'AWS::ApiGatewayV2::Route', Properties: {RouteKey: GET /a}}"), "line 2: R: GET /a: leads to no function"},
		"an unknown guard of a route":          {"Resources:\n  F: {Type: 'AWS::Lambda::Function'}\n  I: {Type: 'AWS::ApiGatewayV2::Integration', Properties: {IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn}}\n  R: {Type: 'AWS::ApiGatewayV2::Route', Properties: {RouteKey: GET /a, AuthorizationType: AWS_OTHER, Target: !Sub 'integrations/${I}'}}", "line 4: R: GET /a: AuthorizationType: want NONE, CUSTOM, JWT or AWS_IAM, have \"AWS_OTHER\""},
		"routes in OpenAPI":                    {cfn("{Type: 'AWS::ApiGatewayV2::Api', Properties: {Body: {openapi: 3.0.1}}}"), "line 2: R: routes in an OpenAPI Body are not read"},
		"resources in a list":                  {"Resources: [a, b]", "line 1: Resources: want a mapping"},
		"a resource that is none":              {cfn("a"), "line 2: R: want a mapping with a Type"},
		"a function that is a text":            {head + "functions:\n  f: handler.x\n", "function f: line 3: a text `handler.x` stands where another kind of value belongs"},
		"authorizers in a list":                {"provider: {httpApi: {authorizers: [a]}}\nfunctions: {}", "line 1: provider.httpApi.authorizers: want a mapping of names"},
		"a route key that is none":             {"Resources:\n  I: {Type: 'AWS::ApiGatewayV2::Integration'}\n  R: {Type: 'AWS::ApiGatewayV2::Route', Properties: {RouteKey: FETCH /a, Target: !Sub 'integrations/${I}'}}", "line 3: R: route \"FETCH /a\""},
		"two events of one route":              {"Resources:\n  F: {Type: 'AWS::Serverless::Function', Properties: {Events: {A: {Type: HttpApi, Properties: {Method: get, Path: /a}}, B: {Type: HttpApi, Properties: {Method: get, Path: /a}}}}}", "line 2: function F: route GET /a is declared twice"},
		"a nested stack":                       {cfn("{Type: 'AWS::CloudFormation::Stack'}"), "line 2: R is a stack of its own"},
		"an authorizer without a version":      {cfn("{Type: 'AWS::ApiGatewayV2::Authorizer', Properties: {AuthorizerType: REQUEST}}"), "line 2: R: AuthorizerPayloadFormatVersion"},
		"a REST authorizer of another kind":    {cfn("{Type: 'AWS::ApiGateway::Authorizer', Properties: {Type: KERBEROS}}"), "line 2: R: property Type: want TOKEN, REQUEST or COGNITO_USER_POOLS, have \"KERBEROS\""},
		"one authorizer declared in two ways":  {event("http: {method: get, path: a, authorizer: {name: g, type: token}}\n      - http: {method: get, path: b, authorizer: {name: g, type: request}}"), "declared in two ways"},
		"an authorizer on a route of messages": {event("websocket: {route: $default, authorizer: g}"), "only $connect has an authorizer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, tc.text, nil, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "serverless.yml") {
				t.Errorf("got %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestCloudFormation(t *testing.T) {
	t.Parallel()
	p := sound(t, `{"Resources": {
  "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["https://a.example"], "AllowHeaders": ["authorization"], "AllowMethods": ["GET"], "MaxAge": 60}}},
  "Guard": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {"ApiId": {"Ref": "Api"}, "AuthorizerType": "REQUEST", "AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true,
    "AuthorizerResultTtlInSeconds": 60, "IdentitySource": ["$request.header.Authorization", "$context.routeKey"],
    "AuthorizerUri": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":apigateway:", {"Ref": "AWS::Region"}, ":lambda:path/2015-03-31/functions/", {"Ref": "Live"}, "/invocations"]]}}},
  "Live": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Gatehouse"}}},
  "Gatehouse": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"S3Key": "x/authorizer.zip"}}},
  "Orders": {"Type": "AWS::Lambda::Function", "Metadata": {"aws:asset:path": "asset.1"}, "Properties": {"Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 9, "Environment": {"Variables": {"URL": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/x"}, "IF": {"Fn::If": ["Prod", "p", "d"]}}}}},
  "OrdersIntegration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {"ApiId": {"Ref": "Api"}, "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "1.0", "IntegrationUri": {"Fn::GetAtt": ["Orders", "Arn"]}}},
  "OrdersRoute": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Api"}, "RouteKey": "GET /orders", "AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Guard"}, "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "OrdersIntegration"}]]}}},
  "Old": {"Type": "AWS::ApiGateway::RestApi"},
  "OldStage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"StageName": "prod"}},
  "Things": {"Type": "AWS::ApiGateway::Resource", "Properties": {"ParentId": {"Fn::GetAtt": ["Old", "RootResourceId"]}, "PathPart": "things"}},
  "Thing": {"Type": "AWS::ApiGateway::Resource", "Properties": {"ParentId": {"Ref": "Things"}, "PathPart": "{id}"}},
  "OldGuard": {"Type": "AWS::ApiGateway::Authorizer", "Properties": {"Type": "TOKEN", "IdentitySource": "method.request.header.Authorization", "AuthorizerUri": "arn:aws:lambda:eu-west-1:1:function:shared"}},
  "GetThing": {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "GET", "ResourceId": {"Ref": "Thing"}, "AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "OldGuard"}, "Integration": {"Type": "AWS_PROXY", "Uri": {"Fn::Sub": "arn:aws:apigateway:x:lambda:path/2015-03-31/functions/${Orders.Arn}/invocations"}}}},
  "Preflight": {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "OPTIONS", "ResourceId": {"Ref": "Thing"}, "Integration": {"Type": "MOCK", "IntegrationResponses": [{"StatusCode": "204", "ResponseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"}}]}}},
  "Legacy": {"Type": "AWS::ApiGateway::Method", "Properties": {"HttpMethod": "PUT", "ResourceId": {"Ref": "Thing"}, "Integration": {"Type": "HTTP"}}}
}, "Conditions": {"Prod": {"Fn::Equals": ["a", "a"]}}}`, nil, nil)
	http := &gateway.Template{
		CORS:        &gateway.CORS{AllowOrigins: []string{"https://a.example"}, AllowHeaders: []string{"authorization"}, AllowMethods: []string{"GET"}, MaxAge: 60},
		Authorizers: []gateway.Authorizer{{Name: "Guard", Function: "Gatehouse", Simple: true, TTL: time.Minute, IdentitySources: []string{"$request.header.Authorization", "$context.routeKey"}}},
		Routes:      []gateway.Route{{Key: "GET /orders", Function: "Orders", Authorizer: "Guard", Payload1: true}},
	}
	rest := &gateway.Template{
		Authorizers: []gateway.Authorizer{{Name: "OldGuard", Kind: gateway.RESTToken, External: true, TTL: 5 * time.Minute, IdentitySources: []string{"method.request.header.Authorization"}}},
		Routes: []gateway.Route{{Key: "GET /things/{id}", Function: "Orders", Authorizer: "OldGuard"},
			{Key: "OPTIONS /things/{id}", Mock: &gateway.Mock{Status: 204, Header: map[string]string{"Access-Control-Allow-Origin": "*"}}}},
	}
	if diff := cmp.Diff([]*gateway.Template{http, rest}, []*gateway.Template{p.HTTP, p.REST}); diff != "" {
		t.Error(diff)
	}
	orders := p.Function("Orders")
	if p.Stage != "prod" || orders.Timeout != 9*time.Second || orders.Source != "asset.1" || orders.Env["URL"] != "http://localhost:8787/x" || orders.Env["IF"] != "p" {
		t.Errorf("%s %+v", p.Stage, orders)
	}
	if p.Function("Gatehouse").Ours() != "authorizer" || orders.Ours() != "" {
		t.Error("the authorizer's zip makes a function ours, and nothing else does")
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "type HTTP") {
		t.Errorf("%q", p.Notes)
	}
}

func TestSAM(t *testing.T) {
	t.Parallel()
	p := sound(t, `
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: provided.al2023, Handler: bootstrap, Timeout: 5, Environment: {Variables: {A: all}}}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: ['*'], AllowHeaders: [authorization]}
      Auth:
        DefaultAuthorizer: Gatehouse
        Authorizers:
          Gatehouse:
            FunctionArn: !Ref SharedAuthorizer
            AuthorizerPayloadFormatVersion: '2.0'
            EnableSimpleResponses: true
            Identity: {Headers: [Authorization], Context: [routeKey], ReauthorizeEvery: 60}
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./orders/
      Environment: {Variables: {B: own}}
      Events:
        List: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: /orders}}
        Open: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: any, Path: '/open/{proxy+}', Auth: {Authorizer: NONE}}}
`, nil, nil)
	want := []gateway.Route{{Key: "GET /orders", Function: "Orders", Authorizer: "Gatehouse"}, {Key: "ANY /open/{proxy+}", Function: "Orders"}}
	if diff := cmp.Diff(want, p.HTTP.Routes); diff != "" {
		t.Error(diff)
	}
	if a := p.HTTP.Authorizers; len(a) != 1 || !a[0].External || a[0].TTL != time.Minute || len(a[0].IdentitySources) != 2 {
		t.Errorf("%+v", a)
	}
	f := p.Function("Orders")
	if f.Source != "./orders/" || f.Env["A"] != "all" || f.Env["B"] != "own" || f.Runtime != "provided.al2023" || f.Timeout != 5*time.Second {
		t.Errorf("%+v", f)
	}
}

package project_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// TestPreflightsOfREST reads what answers preflights of REST APIs, as each kind of
// template writes it.
func TestPreflightsOfREST(t *testing.T) {
	t.Parallel()
	const headers = "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token,X-Amz-User-Agent,X-Amzn-Trace-Id"
	mock := func(status int, pairs ...string) *gateway.Mock {
		m := &gateway.Mock{Status: status, Header: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			m.Header["Access-Control-Allow-"+pairs[i]] = pairs[i+1]
		}
		return m
	}
	for name, tc := range map[string]struct {
		text string
		want map[string]*gateway.Mock
		note string
	}{
		"serverless.yml": {`
provider: {name: aws}
functions:
  f:
    events:
      - http: {method: get, path: a, cors: true}
      - http: {method: post, path: /a, cors: true}
      - http: {method: any, path: b, cors: {origin: 'https://a.example', headers: [authorization], allowCredentials: true}}
      - http: {method: get, path: c, cors: {origins: ['https://a.example', 'https://b.example']}}
      - http: {method: get, path: d}
`, map[string]*gateway.Mock{
			"OPTIONS /a": mock(200, "Origin", "*", "Headers", headers, "Methods", "OPTIONS,GET,POST"),
			"OPTIONS /b": mock(200, "Origin", "https://a.example", "Headers", "authorization", "Methods", "OPTIONS,DELETE,GET,HEAD,PATCH,POST,PUT", "Credentials", "true"),
			"OPTIONS /c": mock(200, "Origin", "https://a.example", "Headers", headers, "Methods", "OPTIONS,GET"),
		}, "for the first of its origins alone"},
		"CDK": {`
Resources:
  Api: {Type: AWS::ApiGateway::RestApi}
  A: {Type: AWS::ApiGateway::Resource, Properties: {ParentId: !GetAtt Api.RootResourceId, PathPart: a}}
  O:
    Type: AWS::ApiGateway::Method
    Properties:
      HttpMethod: OPTIONS
      ResourceId: !Ref A
      Integration:
        Type: MOCK
        IntegrationResponses:
          - StatusCode: "204"
            ResponseParameters: {method.response.header.Access-Control-Allow-Origin: "'https://a.example'", method.response.header.Access-Control-Allow-Headers: "'authorization'"}
            ResponseTemplates: {application/json: '#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)'}
`, map[string]*gateway.Mock{"OPTIONS /a": mock(204, "Origin", "https://a.example", "Headers", "authorization")}, "does not run its response template"},
		"SAM": {`
Transform: AWS::Serverless-2016-10-31
Globals: {Api: {Cors: "'*'"}}
Resources:
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: v1, Cors: {AllowOrigin: "'https://a.example'", AllowHeaders: "'authorization'", AllowMethods: "'GET'", MaxAge: "'600'"}}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: Api, Properties: {RestApiId: !Ref Api, Method: get, Path: /a}}
`, map[string]*gateway.Mock{"OPTIONS /a": {Status: 200, Header: map[string]string{"Access-Control-Allow-Origin": "https://a.example", "Access-Control-Allow-Headers": "authorization", "Access-Control-Allow-Methods": "GET", "Access-Control-Max-Age": "600"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sound(t, tc.text, nil, nil)
			got := map[string]*gateway.Mock{}
			for _, r := range p.REST.Routes {
				if r.Mock != nil {
					got[r.Key] = r.Mock
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, tc.note) || tc.note == "" && notes != "" {
				t.Errorf("%q", notes)
			}
		})
	}
}

// TestSAMRest reads a REST API of SAM with its authorizers.
func TestSAMRest(t *testing.T) {
	t.Parallel()
	p := sound(t, `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Cors: "'*'"
      GatewayResponses: {DEFAULT_4XX: {ResponseParameters: {Headers: {Access-Control-Allow-Origin: "'*'"}}}}
      Auth:
        DefaultAuthorizer: Guard
        Authorizers:
          Guard: {FunctionArn: !GetAtt Gatehouse.Arn, FunctionPayloadType: REQUEST, Identity: {Headers: [Authorization], ReauthorizeEvery: 60}}
          Token: {FunctionArn: 'arn:aws:lambda:eu-west-1:1:function:shared', Identity: {Header: X-Token}}
          Pool: {UserPoolArn: !GetAtt Users.Arn}
  Gatehouse: {Type: AWS::Serverless::Function, Properties: {CodeUri: dist/authorizer.zip, Handler: bootstrap}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: Api, Properties: {RestApiId: !Ref Api, Method: get, Path: /a}}
        B: {Type: Api, Properties: {RestApiId: !Ref Api, Method: any, Path: '/b/{proxy+}', Auth: {Authorizer: Token}}}
        C: {Type: Api, Properties: {RestApiId: !Ref Api, Method: get, Path: /c, Auth: {Authorizer: NONE}}}
        D: {Type: Api, Properties: {RestApiId: !Ref Api, Method: get, Path: /d, Auth: {Authorizer: AWS_IAM}}}
`, nil, nil)
	guards := map[string]string{}
	for _, r := range p.REST.Routes {
		guards[r.Key] = r.Authorizer
	}
	want := map[string]string{"GET /a": "Guard", "ANY /b/{proxy+}": "Token", "GET /c": "", "GET /d": "AWS_IAM",
		"OPTIONS /a": "Guard", "OPTIONS /b/{proxy+}": "Guard", "OPTIONS /c": "Guard", "OPTIONS /d": "Guard"}
	if diff := cmp.Diff(want, guards); diff != "" {
		t.Error(diff)
	}
	if p.Stage != "v1" || len(p.REST.Authorizers) != 4 || p.REST.Responses["DEFAULT_4XX"]["Access-Control-Allow-Origin"] != "*" {
		t.Errorf("%s %+v", p.Stage, p.REST)
	}
	for _, a := range p.REST.Authorizers {
		if a.Name == "Token" && (!a.External || a.IdentitySources[0] != "method.request.header.X-Token") || a.Name == "Guard" && a.Function != "Gatehouse" {
			t.Errorf("%+v", a)
		}
	}
}

package project_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// TestNativeAuthorizers reads the gateway's own authorizers, as each kind of template
// writes them.
func TestNativeAuthorizers(t *testing.T) {
	t.Parallel()
	const issuer, audience = "http://localhost:8787", "http://localhost:8787/api"
	header := []string{"$request.header.Authorization"}
	for name, tc := range map[string]struct {
		text string
		want *gateway.Template
	}{
		"serverless.yml": {`
provider:
  name: aws
  httpApi:
    authorizers:
      native:
        issuerUrl: {Fn::Join: ['', ['https://', {Ref: HttpApi}, .execute-api., {Ref: 'AWS::Region'}, ., {Ref: 'AWS::URLSuffix'}]]}
        identitySource: $request.header.Authorization
        audience: [!Sub 'https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/api', mobile]
functions:
  f:
    events:
      - httpApi: {method: get, path: /a, authorizer: {name: native, scopes: [read]}}
      - httpApi: {method: get, path: /b, authorizer: {type: aws_iam}}
`, &gateway.Template{
			Authorizers: []gateway.Authorizer{
				{Name: "native", IdentitySources: header, JWT: &gateway.JWT{Issuer: issuer, Audiences: []string{audience, "mobile"}}},
				{Name: gateway.AWSIAM, Unverified: gateway.AWSIAM},
			},
			Routes: []gateway.Route{{Key: "GET /a", Function: "f", Authorizer: "native", Scopes: []string{"read"}}, {Key: "GET /b", Function: "f", Authorizer: gateway.AWSIAM}},
		}},
		"CloudFormation": {`
Parameters: {Issuer: {Type: String, Default: 'https://id.example.com'}}
Resources:
  F: {Type: AWS::Lambda::Function}
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}}
  I: {Type: AWS::ApiGatewayV2::Integration, Properties: {IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn}}
  A: {Type: AWS::ApiGatewayV2::Authorizer, Properties: {ApiId: !Ref Api, AuthorizerType: JWT, IdentitySource: [$request.header.Authorization], JwtConfiguration: {Issuer: !Ref Issuer, Audience: [api]}}}
  R: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /a, AuthorizationType: JWT, AuthorizerId: !Ref A, AuthorizationScopes: [read], Target: !Sub 'integrations/${I}'}}
  S: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /b, AuthorizationType: AWS_IAM, Target: !Sub 'integrations/${I}'}}
`, &gateway.Template{
			Authorizers: []gateway.Authorizer{
				{Name: "A", IdentitySources: header, JWT: &gateway.JWT{Issuer: "https://id.example.com", Audiences: []string{"api"}}},
				{Name: gateway.AWSIAM, Unverified: gateway.AWSIAM},
			},
			Routes: []gateway.Route{{Key: "GET /a", Function: "F", Authorizer: "A", Scopes: []string{"read"}}, {Key: "GET /b", Function: "F", Authorizer: gateway.AWSIAM}},
		}},
		"SAM": {`
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Native
        Authorizers:
          Native:
            AuthorizationScopes: [read]
            IdentitySource: $request.header.Authorization
            JwtConfiguration: {issuer: !Sub 'https://${Api}.execute-api.${AWS::Region}.amazonaws.com', audience: [api]}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /a}}
        B: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /b, Auth: {Authorizer: AWS_IAM}}}
        C: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: /c, Auth: {AuthorizationScopes: [write]}}}
`, &gateway.Template{
			Authorizers: []gateway.Authorizer{
				{Name: "Native", IdentitySources: header, JWT: &gateway.JWT{Issuer: issuer, Audiences: []string{"api"}}},
				{Name: gateway.AWSIAM, Unverified: gateway.AWSIAM},
			},
			Routes: []gateway.Route{
				{Key: "GET /a", Function: "F", Authorizer: "Native", Scopes: []string{"read"}}, {Key: "GET /b", Function: "F", Authorizer: gateway.AWSIAM},
				{Key: "GET /c", Function: "F", Authorizer: "Native", Scopes: []string{"write"}},
			},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sound(t, tc.text, nil, nil)
			if diff := cmp.Diff(tc.want, p.HTTP); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUnverifiedOnREST reads authorizers of REST APIs that dev cannot verify.
func TestUnverifiedOnREST(t *testing.T) {
	t.Parallel()
	p := sound(t, `
provider: {name: aws}
functions:
  f:
    events:
      - http: {method: get, path: a, authorizer: aws_iam}
      - http: {method: get, path: b, authorizer: {type: AWS_IAM}}
      - http: {method: get, path: c, authorizer: {arn: 'arn:aws:cognito-idp:eu-west-1:1:userpool/x'}}
      - http: {method: get, path: d, authorizer: {name: pool, type: COGNITO_USER_POOLS, authorizerId: x}}
`, nil, nil)
	var got []string
	for _, a := range p.REST.Authorizers {
		got = append(got, a.Name+" "+a.Unverified)
	}
	if diff := cmp.Diff([]string{"AWS_IAM AWS_IAM", "cognito COGNITO_USER_POOLS", "pool COGNITO_USER_POOLS"}, got); diff != "" {
		t.Error(diff)
	}
}

package project_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOddTemplates reads templates of shapes that tools and people write. What dev
// leaves out of them, it says.
func TestOddTemplates(t *testing.T) {
	t.Parallel()
	const guard = "{FunctionArn: !Ref GuardArn, AuthorizerPayloadFormatVersion: '2.0', EnableSimpleResponses: true, Identity: {Headers: [Authorization], Context: [routeKey], ReauthorizeEvery: 60}}"
	for name, tc := range map[string]struct {
		text   string
		routes []string // key, function and authorizer
		notes  []string
	}{
		"CDK, with an ARN from a parameter": {`{"Resources": {
 "HandlerA1B2": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Bucket": {"Fn::Sub": "cdk-assets-${AWS::AccountId}"}, "S3Key": "0123abc.zip"}, "Handler": "bootstrap", "Runtime": "provided.al2023", "Timeout": {"Ref": "Seconds"}}, "Metadata": {"aws:asset:path": "asset.0123abc"}},
 "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["https://a.example", {"Fn::If": ["Prod", "https://b.example", {"Ref": "AWS::NoValue"}]}]}}},
 "I": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {"IntegrationType": "AWS_PROXY", "IntegrationUri": {"Fn::GetAtt": ["HandlerA1B2", "Arn"]}, "PayloadFormatVersion": "2.0"}},
 "Auth": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {"AuthorizerPayloadFormatVersion": "2.0", "AuthorizerResultTtlInSeconds": 60, "AuthorizerType": "REQUEST", "EnableSimpleResponses": true, "IdentitySource": ["$request.header.Authorization", "$context.routeKey"],
   "AuthorizerUri": {"Fn::Join": ["", ["arn:", {"Fn::Select": [1, {"Fn::Split": [":", {"Ref": "GuardArn"}]}]}, ":apigateway:x:lambda:path/2015-03-31/functions/", {"Ref": "GuardArn"}, "/invocations"]]}}},
 "Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Auth"}, "RouteKey": "GET /orders", "Target": {"Fn::Join": ["", ["integrations/", {"Ref": "I"}]]}}},
 "Meta": {"Type": "AWS::CDK::Metadata", "Condition": "Never"}},
 "Parameters": {"GuardArn": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/guard/arn"}, "Seconds": {"Type": "Number", "Default": 5}},
 "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]}, "Never": {"Fn::Or": [{"Fn::Equals": [{"Ref": "AWS::Region"}, "y"]}]}}}`,
			[]string{"GET /orders HandlerA1B2 Auth"}, nil},
		"SAM, with conditions, loops, layers and images": {`
Transform: [AWS::Serverless-2016-10-31, AWS::LanguageExtensions]
Parameters: {Stage: {Type: String, Default: dev}, GuardArn: {Type: String}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  NotProd: !Not [!Condition IsProd]
Globals: {Function: {Runtime: provided.al2023, Handler: bootstrap, Layers: [!Sub 'arn:aws:lambda:${AWS::Region}:1:layer:x:1']}}
Resources:
  Api: {Type: AWS::Serverless::HttpApi, Properties: {Auth: {DefaultAuthorizer: G, Authorizers: {G: ` + guard + `}}}}
  Here: {Type: AWS::Serverless::Function, Condition: NotProd, Properties: {CodeUri: f/, Events: {A: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: /a}}, B: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: ANY, Path: '/p/{proxy+}', Auth: {Authorizer: NONE}}}}}}
  There: {Type: AWS::Serverless::Function, Condition: IsProd, Properties: {CodeUri: f/, Events: {A: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: /a}}}}}
  Pic: {Type: AWS::Serverless::Function, Properties: {PackageType: Image, ImageUri: x}}
  'Fn::ForEach::Topics': [T, [a, b], {'X${T}': {Type: AWS::SNS::Topic}}]
`, []string{"GET /a Here G", "ANY /p/{proxy+} Here "}, []string{
			"There is left out: its condition IsProd does not hold here", "function Pic is a container image", "Fn::ForEach::Topics: dev does not run it", "function Here: dev runs it without its layers",
		}},
		"Serverless, with lists, remote values and URLs": {`
service: {name: shop}
params: {default: {guard: 'arn:aws:lambda:eu-west-1:1:function:g'}}
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
  layers: [x]
  environment: {DB: '${ssm:/shop/${sls:stage}/db}', OUT: '${cf:other-${sls:stage}.Output}', BUCKET: !ImportValue other}
  httpApi: {authorizers: {g: {type: request, functionArn: '${param:guard}', identitySource: $request.header.Authorization, resultTtlInSeconds: 0, enableSimpleResponses: true}}}
package: {individually: true, patterns: ['!**']}
functions:
  - one: {handler: src/one.handler, runtime: nodejs22.x, url: true, events: [{httpApi: {method: GET, path: /one, authorizer: {name: g}}}, {httpApi: '*'}]}
  - two: {image: {name: app}, events: [{httpApi: {method: '*', path: '/img/{proxy+}', authorizer: {name: g}}}]}
`, []string{"GET /one one g", "$default one ", "ANY /img/{proxy+} two g"}, []string{
			"${ssm:/shop/dev/db} is looked up in AWS", "${cf:other-dev.Output} is looked up in AWS", "Fn::ImportValue has no value here",
			"function two is a container image", "function one: dev runs it without its layers", "dev serves no function URLs",
		}},
		"routes that lead elsewhere": {`
Resources:
  Proxy: {Type: AWS::ApiGatewayV2::Integration, Properties: {IntegrationType: HTTP_PROXY, IntegrationUri: 'https://internal.example'}}
  Other: {Type: AWS::ApiGatewayV2::Integration, Properties: {IntegrationType: AWS_PROXY, IntegrationUri: !ImportValue other-function}}
  R: {Type: AWS::ApiGatewayV2::Route, Properties: {RouteKey: GET /a, Target: !Join [/, [integrations, !Ref Proxy]]}}
  S: {Type: AWS::ApiGatewayV2::Route, Properties: {RouteKey: GET /b, Target: !Sub 'integrations/${Other}'}}
`, []string{"GET /a Proxy ", "GET /b Other "}, []string{"Proxy (HTTP_PROXY) leads to no function", "Other (AWS_PROXY) leads to no function"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sound(t, tc.text, nil, nil)
			var routes []string
			for _, r := range p.HTTP.Routes {
				routes = append(routes, r.Key+" "+r.Function+" "+r.Authorizer)
			}
			if diff := cmp.Diff(tc.routes, routes); diff != "" {
				t.Error(diff)
			}
			told := strings.Join(p.Notes, "\n")
			for _, note := range tc.notes {
				if !strings.Contains(told, note) {
					t.Errorf("%q is missing in\n%s", note, told)
				}
			}
			if tc.notes == nil && told != "" {
				t.Error(told)
			}
			if p.HTTP.CORS != nil && len(p.HTTP.CORS.AllowOrigins) != 1 {
				t.Errorf("%q", p.HTTP.CORS.AllowOrigins)
			}
		})
	}
}

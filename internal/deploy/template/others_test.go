package template_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// What teams have in their stacks, beside what is ours. None of it is wrong.
const (
	jwtAuthorizer = "\n      native: {type: jwt, identitySource: $request.header.Authorization, issuerUrl: 'https://id.example.com', audience: [api]}"
	teamFunctions = `
  orders:
    handler: bootstrap
    package: {artifact: dist/orders.zip}
    events:
      - httpApi: {method: get, path: /orders, authorizer: {name: gatehouse}}
  node:
    handler: node.handler
    runtime: nodejs22.x
    package: {artifact: dist/node.zip}
    events:
      - httpApi: {method: get, path: /node, authorizer: {name: gatehouse}}
      - httpApi: {method: get, path: /native, authorizer: {name: native}}
      - httpApi: {method: options, path: /node}
  intel:
    handler: bootstrap
    architecture: x86_64
    httpApi: {payload: '1.0'}
    package: {artifact: dist/intel.zip}
    events:
      - httpApi: {method: get, path: /intel, authorizer: {name: gatehouse}}
  worker:
    handler: bootstrap
    timeout: 300
    role: WorkerRole
    package: {artifact: dist/worker.zip}
    events:
      - sqs: {arn: {Fn::GetAtt: [Jobs, Arn]}}
`
	teamResources = `
    Jobs: {Type: AWS::SQS::Queue}
    Own: {Type: AWS::DynamoDB::Table, Properties: {BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{AttributeName: id, AttributeType: S}], KeySchema: [{AttributeName: id, KeyType: HASH}]}}
    Cipher: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {AWS: {Ref: 'AWS::AccountId'}}, Action: 'kms:*', Resource: '*'}]}}}
    WorkerRole:
      Type: AWS::IAM::Role
      Properties:
        AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: [lambda.amazonaws.com, edgelambda.amazonaws.com]}, Action: 'sts:AssumeRole'}]}
        ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole']
        Policies:
          - PolicyName: own
            PolicyDocument:
              Version: '2012-10-17'
              Statement:
                - {Effect: Allow, Action: 's3:Get*', Resource: 'arn:aws:s3:::jobs/*'}
                - {Effect: Allow, Action: 'kms:*', Resource: {Fn::GetAtt: [Cipher, Arn]}}
                - {Effect: Allow, Action: 'dynamodb:*', Resource: {Fn::GetAtt: [Own, Arn]}}
                - {Effect: Allow, NotAction: 'iam:*', Resource: {Ref: Jobs}}
`
)

// team returns our serverless.yml with what a team adds to it.
func team(t *testing.T) string {
	t.Helper()
	text := read(t, source)
	for _, change := range [][2]string{
		{"    authorizers:\n", "    authorizers:" + jwtAuthorizer + "\n"},
		{"    role: AuthorizerRole\n", "    role: AuthorizerRole\n    provisionedConcurrency: 2\n"},
		{"\nresources:\n", teamFunctions + "\nresources:\n"},
		{"\n  Resources:\n", "\n  Resources:" + teamResources},
	} {
		if strings.Count(text, change[0]) != 1 {
			t.Fatalf("%q stands %d times in serverless.yml", change[0], strings.Count(text, change[0]))
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	return text
}

func TestStacksOfOthers(t *testing.T) {
	t.Parallel()
	raw := packageText(t, team(t), "AWS_REGION=eu-west-3")
	if err := check(t, raw); err != nil {
		t.Error(err)
	}
	if !strings.Contains(string(raw), "AWS::Lambda::Alias") {
		t.Error("the authorizer has no alias")
	}
}

// TestStackOfATeam packages a stack that has nothing of ours but the authorizer.
func TestStackOfATeam(t *testing.T) {
	t.Parallel()
	const text = `
service: shop
provider:
  name: aws
  region: eu-west-3
  runtime: nodejs22.x
  httpApi:
    authorizers:
      gatehouse:
        type: request
        functionName: authorizer
        payloadVersion: '2.0'
        enableSimpleResponses: true
        identitySource: [$request.header.Authorization, $context.routeKey]
        resultTtlInSeconds: 60
package: {individually: true}
functions:
  authorizer: {handler: bootstrap, runtime: provided.al2023, architecture: x86_64, role: AuthorizerRole, package: {artifact: dist/authorizer.zip}}
  cart:
    handler: node.handler
    vpc: {securityGroupIds: [sg-0], subnetIds: [subnet-0]}
    package: {artifact: dist/cart.zip}
    events:
      - httpApi: {method: get, path: /cart, authorizer: {name: gatehouse}}
resources:
  Resources:
    AuthorizerRole:
      Type: AWS::IAM::Role
      Properties:
        AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}
        ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']
    OtherRole:
      Type: AWS::IAM::Role
      Properties:
        AssumeRolePolicyDocument: {Version: '2012-10-17', Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}]}
`
	raw := packageText(t, text)
	vpc := object{"SecurityGroupIds": []any{"sg-1"}, "SubnetIds": []any{"subnet-1"}}
	nothing := func(object) {}
	for _, tc := range []struct {
		name, resource string
		plant          func(r object)
		want           string
	}{
		{"as it is", "AuthorizerLambdaFunction", nothing, ""},
		{"on arm64", "AuthorizerLambdaFunction", func(r object) { properties(r)["Architectures"] = []any{"arm64"} }, ""},
		{"a zip that the tool renamed", "AuthorizerLambdaFunction", func(r object) { properties(r)["Code"].(object)["S3Key"] = "0a1b2c.zip" }, ""},
		{"an open route", "HttpApiRouteGetCart", func(r object) { delete(properties(r), "AuthorizationType") }, "GET /cart has no authorizer"},
		{"a route with IAM", "HttpApiRouteGetCart", func(r object) { properties(r)["AuthorizationType"] = "AWS_IAM" }, ""},
		{"an authorizer of another stack", "HttpApiRouteGetCart", func(r object) { properties(r)["AuthorizerId"] = "abc123" }, ""},
		{"answers cached for five minutes", "HttpApiAuthorizerGatehouse", func(r object) { properties(r)["AuthorizerResultTtlInSeconds"] = 300 }, "resultTtlInSeconds is over 60"},
		{"answers cached for as long as AWS likes", "HttpApiAuthorizerGatehouse", func(r object) { delete(properties(r), "AuthorizerResultTtlInSeconds") }, "keeps answers for 5 minutes"},
		{"one answer for all routes", "HttpApiAuthorizerGatehouse", func(r object) { properties(r)["IdentitySource"] = []any{"$request.header.Authorization"} }, "one route's answer opens all"},
		{"policies of payload 1.0", "HttpApiAuthorizerGatehouse", func(r object) {
			properties(r)["AuthorizerPayloadFormatVersion"] = "1.0"
			delete(properties(r), "EnableSimpleResponses")
		}, ""},
		{"the role of the authorizer for a function of the team", "CartLambdaFunction", func(r object) {
			properties(r)["Role"] = object{"Fn::GetAtt": []any{"AuthorizerRole", "Arn"}}
		}, "has the role of AuthorizerLambdaFunction"},
		{"a secret of the authorizer", "AuthorizerLambdaFunction", func(r object) {
			properties(r)["Environment"] = object{"Variables": object{"API_SECRET": "x"}}
		}, "API_SECRET in the environment"},
		{"a runtime that AWS has taken away", "CartLambdaFunction", func(r object) { properties(r)["Runtime"] = "nodejs14.x" }, "no functions with runtime nodejs14.x"},
		{"the authorizer in a VPC", "AuthorizerLambdaFunction", func(r object) { properties(r)["VpcConfig"] = vpc }, "nothing in this template leads from there to the issuer"},
		{"a function in a VPC without the actions", "CartLambdaFunction", func(r object) {
			properties(r)["VpcConfig"] = vpc
			properties(r)["Role"] = object{"Fn::GetAtt": []any{"OtherRole", "Arn"}}
		}, "may not make network interfaces"},
		{"a function in a VPC with them", "CartLambdaFunction", func(r object) { properties(r)["VpcConfig"] = vpc }, ""},
		{"who called, in headers that are overwritten", "HttpApiIntegrationCart", mapped("overwrite:header.X-Gatehouse-Sub", "$context.authorizer.sub"), ""},
		{"who called, beside what a client sends", "HttpApiIntegrationCart", mapped("append:header.x-gatehouse-sub", "$context.authorizer.sub"), "write overwrite:"},
		{"every header, and the secret", "HttpApiIntegrationCart", mapped(everyHeader()...), ""},
		{"every header but one, and the secret", "HttpApiIntegrationCart", mapped(everyHeader()[2:]...), "add overwrite:header.X-Gatehouse-Auth-Time: $context.authorizer.auth_time"},
		{"a header of another member, and the secret", "HttpApiIntegrationCart", mapped(append(everyHeader(), "overwrite:header.X-Gatehouse-Roles", "$request.header.roles")...), "X-Gatehouse-Roles is a client's own"},
		{"a gateway that may not call", "GatehouseLambdaAuthorizerPermissionHttpApi", func(r object) { r["Type"] = "AWS::SNS::Topic" }, "the API may not call"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var template object
			if err := json.Unmarshal(raw, &template); err != nil {
				t.Fatal(err)
			}
			r, ok := template["Resources"].(object)[tc.resource].(object)
			if !ok {
				t.Fatalf("the stack has no %s", tc.resource)
			}
			tc.plant(r)
			changed, err := json.Marshal(template)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(t, changed); tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("want %q, got %v", tc.want, err)
			}
		})
	}
}

// mapped gives an integration these parameters: names, each with its value.
func mapped(pairs ...string) func(object) {
	return func(r object) {
		parameters := object{}
		for i := 0; i < len(pairs); i += 2 {
			parameters[pairs[i]] = pairs[i+1]
		}
		properties(r)["RequestParameters"] = parameters
	}
}

// everyHeader maps every member of an identity, and the secret.
func everyHeader() []string {
	pairs := []string{}
	for _, member := range slices.Sorted(maps.Keys(identity.Identity{}.Map())) {
		pairs = append(pairs, "overwrite:header."+http.CanonicalHeaderKey("X-Gatehouse-"+strings.ReplaceAll(member, "_", "-")), "$context.authorizer."+member)
	}
	return append(pairs, "overwrite:header.X-Gatehouse-Secret", "{{resolve:secretsmanager:shop/gateway}}")
}

// TestDocumentedMapping holds the mapping that docs/adopt shows to the rule.
func TestDocumentedMapping(t *testing.T) {
	t.Parallel()
	_, block, _ := strings.Cut(read(t, "../../../docs/adopt/container.md"), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	var shown struct {
		RequestParameters map[string]string `yaml:"RequestParameters"`
	}
	if err := yaml.Unmarshal([]byte(block), &shown); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for i, pairs := 0, everyHeader(); i < len(pairs); i += 2 {
		want[pairs[i]] = pairs[i+1]
	}
	if diff := cmp.Diff(want, shown.RequestParameters); diff != "" {
		t.Error(diff)
	}
}

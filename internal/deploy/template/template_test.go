package template_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/testrig/osls"
)

const source = "../../../serverless.yml"

func check(t *testing.T, raw []byte) error {
	t.Helper()
	template, err := template.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return template.Check(func(string) bool { return false })
}

func TestPackagedTemplate(t *testing.T) {
	if err := check(t, osls.Packaged(t, os.Getenv)); err != nil {
		t.Error(err)
	}
}

type object = map[string]any

// TestFindsFaults plants each fault into the packaged template.
func TestFindsFaults(t *testing.T) {
	raw := osls.Packaged(t, os.Getenv)
	statement := func(role object, policy, i int) object {
		p := properties(role)["Policies"].([]any)[policy].(object)["PolicyDocument"].(object)
		return p["Statement"].([]any)[i].(object)
	}
	for _, tc := range []struct {
		name, resource string
		plant          func(r object)
		want           string
	}{
		{"a route without authorizer", "HttpApiRouteGetMe", func(r object) {
			delete(properties(r), "AuthorizerId")
			properties(r)["AuthorizationType"] = "NONE"
		}, "GET /me has no authorizer"},
		{"an authorizer that is not used", "HttpApiRouteGetMe", func(r object) { delete(properties(r), "AuthorizationType") }, "GET /me has no authorizer"},
		{"an authorizer of elsewhere", "HttpApiRouteGetMe", func(r object) { properties(r)["AuthorizerId"] = object{"Ref": "Other"} }, "GET /me has no authorizer"},
		{"a catch-all", "HttpApiRouteAnyLogin", func(r object) { properties(r)["RouteKey"] = "$default" }, "$default is open for every path"},
		{"every method of the user API", "HttpApiRouteGetUsers", func(r object) {
			properties(r)["RouteKey"] = "ANY /users"
			delete(properties(r), "AuthorizerId")
		}, "ANY /users has no authorizer"},
		{"an open document with a parameter", "HttpApiRouteAnyOpenapijson", func(r object) { properties(r)["RouteKey"] = "GET /{file}.json" }, "GET /{file}.json has no authorizer"},
		{"an open document that is written", "HttpApiRouteAnyOpenapijson", func(r object) { properties(r)["RouteKey"] = "PUT /openapi.json" }, "PUT /openapi.json has no authorizer"},
		{"a document of a team's function", "HttpApiRouteGetNotes", func(r object) {
			properties(r)["RouteKey"] = "GET /notes.json"
			delete(properties(r), "AuthorizerId")
		}, "GET /notes.json has no authorizer"},
		{"S125 answers kept too long", "HttpApiAuthorizerGatehouse", func(r object) { properties(r)["AuthorizerResultTtlInSeconds"] = 300 }, "over 60"},
		{"no TTL", "HttpApiAuthorizerGatehouse", func(r object) { delete(properties(r), "AuthorizerResultTtlInSeconds") }, "keeps answers for 5 minutes"},
		{"S120 one answer for all routes", "HttpApiAuthorizerGatehouse", func(r object) {
			properties(r)["IdentitySource"] = []any{"$request.header.Authorization"}
		}, "add $context.routeKey"},
		{"I34 one answer for all callers", "HttpApiAuthorizerGatehouse", func(r object) { properties(r)["IdentitySource"] = []any{"$context.routeKey"} }, "does not tell callers apart"},
		{"payload 1.0", "HttpApiAuthorizerGatehouse", func(r object) { properties(r)["AuthorizerPayloadFormatVersion"] = "1.0" }, "payload 2.0"},
		{"another runtime", "LoginsvcLambdaFunction", func(r object) { properties(r)["Runtime"] = "go1.x" }, "provided.al2023"},
		{"another architecture", "LoginsvcLambdaFunction", func(r object) { delete(properties(r), "Architectures") }, "arm64"},
		{"a role for two", "NotesLambdaFunction", func(r object) { properties(r)["Role"] = object{"Fn::GetAtt": []any{"LoginsvcRole", "Arn"}} }, "has the role of LoginsvcLambdaFunction"},
		{"a role of elsewhere", "LoginsvcLambdaFunction", func(r object) { properties(r)["Role"] = "arn" }, "a role of this template"},
		{"a secret in the environment", "LoginsvcLambdaFunction", func(r object) {
			properties(r)["Environment"].(object)["Variables"].(object)["GOOGLE_CLIENT_SECRET"] = "x"
		}, "GOOGLE_CLIENT_SECRET"},
		{"garbage without an end", "LoginsvcLambdaFunction", func(r object) {
			variables := properties(r)["Environment"].(object)["Variables"].(object)
			delete(variables, "GOMEMLIMIT")
			variables["GOGC"] = "400"
		}, "GOGC without an end"},
		{"an end behind that of the memory", "LoginsvcLambdaFunction", func(r object) {
			variables := properties(r)["Environment"].(object)["Variables"].(object)
			variables["GOGC"], variables["GOMEMLIMIT"] = "400", "240MiB"
		}, "GOGC without an end"},
		{"a log of text", "LoginsvcLambdaFunction", func(r object) { delete(properties(r), "LoggingConfig") }, "LogFormat JSON"},
		{"a log for ever", "LoginsvcLogGroup", func(r object) { delete(properties(r), "RetentionInDays") }, "retention"},
		{"an action too many", "AuthorizerRole", func(r object) { statement(r, 0, 0)["Action"] = "dynamodb:GetItem" }, "action dynamodb:GetItem: the function does no such thing"},
		{"every action", "UsersvcRole", func(r object) { statement(r, 1, 0)["Action"] = []any{"dynamodb:*"} }, "action dynamodb:*"},
		{"every resource", "UsersvcRole", func(r object) { statement(r, 1, 0)["Resource"] = "*" }, "resource *"},
		{"all but", "UsersvcRole", func(r object) { statement(r, 1, 0)["NotAction"] = "s3:GetObject" }, "NotAction"},
		{"a managed policy", "UsersvcRole", func(r object) { properties(r)["ManagedPolicyArns"] = []any{"x"} }, "managed policy"},
		{"a role that anybody takes", "UsersvcRole", func(r object) {
			properties(r)["AssumeRolePolicyDocument"].(object)["Statement"].([]any)[0].(object)["Principal"] = object{"AWS": "*"}
		}, "other than Lambda"},
		{"a team's function that signs", "NotesRole", func(r object) {
			statement(r, 0, 0)["Action"], statement(r, 0, 0)["Resource"] = "kms:Sign", "*"
		}, "only the login service may use its keys"},
		{"a team's function that may do everything with keys", "NotesRole", func(r object) {
			statement(r, 0, 0)["Action"], statement(r, 0, 0)["Resource"] = "kms:*", object{"Fn::GetAtt": []any{"SigningKey", "Arn"}}
		}, "only the login service may use its keys"},
		{"a team's function that may do everything", "NotesRole", func(r object) {
			statement(r, 0, 0)["Action"], statement(r, 0, 0)["Resource"] = "*", "*"
		}, "only the login service may use its keys"},
		{"a team's function at the table", "NotesRole", func(r object) {
			statement(r, 0, 0)["Action"] = "dynamodb:Get*"
			statement(r, 0, 0)["Resource"] = object{"Fn::GetAtt": []any{"Table", "Arn"}}
		}, "only the login service may use its table"},
		{"a team's function at every table", "NotesRole", func(r object) {
			statement(r, 0, 0)["Action"], statement(r, 0, 0)["Resource"] = "dynamodb:Scan", "*"
		}, "only the login service may use its table"},
		{"a rotator that takes over tagged keys", "RotatorRole", func(r object) {
			delete(statement(r, 2, 1)["Condition"].(object), "Null")
		}, "could take over the key of another stage"},
		{"a rotator that tags untagged keys again", "RotatorRole", func(r object) {
			statement(r, 2, 1)["Condition"].(object)["Null"].(object)["aws:ResourceTag/gatehouse"] = "false"
		}, "could take over the key of another stage"},
		{"a rotator that tags keys that encrypt", "RotatorRole", func(r object) {
			delete(statement(r, 2, 1)["Condition"].(object)["StringEquals"].(object), "kms:KeyUsage")
		}, "action kms:TagResource: only for keys that sign"},
		{"a rotator that makes other keys", "RotatorRole", func(r object) {
			statement(r, 2, 0)["Condition"].(object)["StringEquals"].(object)["kms:KeySpec"] = "SYMMETRIC_DEFAULT"
		}, "action kms:CreateKey: only for keys that sign"},
		{"a rotator that adds other tags", "RotatorRole", func(r object) {
			delete(statement(r, 2, 1)["Condition"].(object), "ForAllValues:StringEquals")
		}, "any other tag could open the key"},
		{"a rotator that tags for another stage", "RotatorRole", func(r object) {
			statement(r, 2, 1)["Condition"].(object)["StringEquals"].(object)["aws:RequestTag/gatehouse"] = "gatehouse-dev"
		}, "on keys of another stack, gatehouse-dev"},
		{"a login service that signs with another stage's key", "LoginsvcRole", func(r object) {
			statement(r, 2, 1)["Condition"].(object)["StringEquals"].(object)["aws:ResourceTag/gatehouse"] = "gatehouse-dev"
		}, "on keys of another stack, gatehouse-dev"},
		{"a user API that writes every row", "UsersvcRole", func(r object) { delete(statement(r, 1, 0), "Condition") }, "could write every row"},
		{"a user API that writes the key ring", "UsersvcRole", func(r object) { leadingKeys(statement(r, 1, 0), "keys") }, "could write keys (ring of signing keys)"},
		{"a user API that writes clients", "UsersvcRole", func(r object) { leadingKeys(statement(r, 1, 0), schema.ClientPartition("*")) }, "(client that is not in"},
		{"a rotator that writes users", "RotatorRole", func(r object) {
			statement(r, 1, 0)["Condition"] = object{"ForAllValues:StringLike": object{"dynamodb:LeadingKeys": []any{"keys", schema.UserPartition("*")}}}
		}, "could write user#ID"},
		{"a pattern that is wider than a kind", "UsersvcRole", func(r object) { leadingKeys(statement(r, 1, 0), "*") }, "take * out of dynamodb:LeadingKeys"},
		{"a rotator that writes every row", "RotatorRole", func(r object) { delete(statement(r, 1, 0), "Condition") }, "could write every row"},
		{"a login service that cannot write sessions", "LoginsvcRole", func(r object) {
			condition := statement(r, 1, 1)["Condition"].(object)["ForAllValues:StringLike"].(object)
			condition["dynamodb:LeadingKeys"] = condition["dynamodb:LeadingKeys"].([]any)[1:]
		}, "(session): add it"},
		{"a rotator without its ring", "RotatorRole", func(r object) {
			statement(r, 1, 0)["Condition"] = object{"ForAllValues:StringEquals": object{"dynamodb:LeadingKeys": []any{"ring"}}}
		}, "cannot write keys (ring of signing keys)"},
		{"any key", "LoginsvcRole", func(r object) { delete(statement(r, 2, 0), "Condition") }, "only on keys with the tag"},
		{"any key to come", "RotatorRole", func(r object) { delete(statement(r, 2, 0), "Condition") }, "only on keys with the tag"},
		{"a tag for any key", "RotatorRole", func(r object) { delete(statement(r, 2, 1), "Condition") }, "only on keys with the tag"},
		{"raw messages", "LoginsvcRole", func(r object) {
			delete(statement(r, 2, 1)["Condition"].(object)["StringEquals"].(object), "kms:MessageType")
		}, "only of digests"},
		{"a role that is gone", "UsersvcRole", func(r object) { r["Type"] = "AWS::IAM::Group" }, "UsersvcRole is missing"},
		{"a table that goes", "Table", func(r object) { delete(r, "DeletionPolicy") }, "Retain"},
		{"a table that is replaced", "Table", func(r object) { r["UpdateReplacePolicy"] = "Delete" }, "Retain"},
		{"no recovery", "Table", func(r object) { delete(properties(r), "PointInTimeRecoverySpecification") }, "point-in-time"},
		{"no protection", "Table", func(r object) { properties(r)["DeletionProtectionEnabled"] = false }, "deletion protection"},
		{"another TTL", "Table", func(r object) { properties(r)["TimeToLiveSpecification"].(object)["AttributeName"] = "expires" }, "do not end by ttl"},
		{"provisioned", "Table", func(r object) { properties(r)["BillingMode"] = "PROVISIONED" }, "PAY_PER_REQUEST"},
		{"one index", "Table", func(r object) {
			properties(r)["GlobalSecondaryIndexes"] = properties(r)["GlobalSecondaryIndexes"].([]any)[:1]
		}, "gsi1 and gsi2"},
		{"a lean index", "Table", func(r object) {
			properties(r)["GlobalSecondaryIndexes"].([]any)[1].(object)["Projection"] = object{"ProjectionType": "KEYS_ONLY"}
		}, "gsi2 with all attributes"},
		{"another sort key", "Table", func(r object) { properties(r)["KeySchema"].([]any)[1].(object)["AttributeName"] = "sort" }, "keys pk and sk"},
		{"a key that goes", "SigningKey", func(r object) { delete(r, "DeletionPolicy") }, "Retain"},
		{"a key of another kind", "SigningKey", func(r object) { properties(r)["KeySpec"] = "ECC_NIST_P256" }, "RSA_2048"},
		{"a key that encrypts", "SigningKey", func(r object) { properties(r)["KeyUsage"] = "ENCRYPT_DECRYPT" }, "SIGN_VERIFY"},
		{"a key without tag", "SigningKey", func(r object) { delete(properties(r), "Tags") }, "the tag gatehouse"},
		{"a key for anybody", "SigningKey", func(r object) {
			properties(r)["KeyPolicy"].(object)["Statement"].([]any)[0].(object)["Principal"] = object{"AWS": "*"}
		}, "lets anybody in"},
		{"a key that nobody owns", "SigningKey", func(r object) {
			properties(r)["KeyPolicy"].(object)["Statement"].([]any)[0].(object)["Action"] = "kms:Sign"
		}, "locks the account out"},
		{"an action that is missing", "LoginsvcRole", func(r object) { statement(r, 2, 1)["Action"] = "kms:GetPublicKey" }, "kms:Sign is never allowed"},
		{"an action that is not", "NotesRole", func(r object) { statement(r, 0, 0)["Action"] = "dynamodb:TransactWriteItems" }, "does not exist"},
		{"no trace", "LoginsvcLambdaFunction", func(r object) { delete(properties(r), "TracingConfig") }, "tracing"},
		{"no end", "UsersvcLambdaFunction", func(r object) { properties(r)["Timeout"] = 900 }, "timeout"},
		{"another issuer", "UsersvcLambdaFunction", func(r object) {
			properties(r)["Environment"].(object)["Variables"].(object)["GATEHOUSE_ISSUER"] = "https://other.example.com"
		}, "GATEHOUSE_ISSUER is not the same"},
		{"no key named", "RotatorLambdaFunction", func(r object) {
			delete(properties(r)["Environment"].(object)["Variables"].(object), "GATEHOUSE_KMS_KEY")
		}, "rotator: GATEHOUSE_KMS_KEY is not set"},
		{"a gateway that may not call", "LoginsvcLambdaPermissionHttpApi", func(r object) { properties(r)["Principal"] = "events.amazonaws.com" }, "the API may not call loginsvc"},
		{"a permission for every API", "LoginsvcLambdaPermissionHttpApi", func(r object) { delete(properties(r), "SourceArn") }, "the API may not call loginsvc"},
		{"keys that nobody tends", "RotatorEventsRuleSchedule1", func(r object) { properties(r)["ScheduleExpression"] = "rate(7 days)" }, "nothing runs the rotator"},
		{"a schedule that is off", "RotatorEventsRuleSchedule1", func(r object) { properties(r)["State"] = "DISABLED" }, "nothing runs the rotator"},
		{"no access log", "HttpApiStage", func(r object) { delete(properties(r), "AccessLogSettings") }, "want an access log"},
		{"I37 an access log with codes", "HttpApiStage", func(r object) {
			properties(r)["AccessLogSettings"].(object)["Format"] = "$context.requestId $context.path"
		}, "would hold $context.path"},
		{"a variable of REST APIs in the access log", "HttpApiStage", func(r object) {
			properties(r)["AccessLogSettings"].(object)["Format"] = "$context.requestId $context.authorizer.latency"
		}, "has $context.authorizer.latency, which AWS does not document"},
		{"a variable that does not exist in the access log", "HttpApiStage", func(r object) {
			properties(r)["AccessLogSettings"].(object)["Format"] = "$context.requestId $context.integration.error.message"
		}, "has $context.integration.error.message, which AWS does not document"},
		{"no throttle of its own for the feed", "HttpApiStage", func(r object) { delete(properties(r)["RouteSettings"].(object), "ANY /revocations") }, "throttle of its own for ANY /revocations"},
		{"no throttle of its own for the keys", "HttpApiStage", func(r object) {
			delete(properties(r)["RouteSettings"].(object), "ANY /.well-known/jwks.json")
		}, "throttle of its own for ANY /.well-known/jwks.json"},
		{"an access log for ever", "HttpApiLogGroup", func(r object) { delete(properties(r), "RetentionInDays") }, "want an access log with a retention"},
		{"no throttle", "HttpApiStage", func(r object) { delete(properties(r), "DefaultRouteSettings") }, "a throttle for every route"},
		{"no throttle for guesses", "HttpApiStage", func(r object) { delete(properties(r)["RouteSettings"].(object), "ANY /token") }, "throttle of its own for ANY /token"},
		{"a stage before its routes", "HttpApiStage", func(r object) { r["DependsOn"] = []any{"HttpApiLogGroup"} }, "must depend on that route"},
		{"functions that count for nobody", "LoginsvcLambdaFunction", func(r object) {
			delete(properties(r)["Environment"].(object)["Variables"].(object), "GATEHOUSE_NAME")
		}, "loginsvc: GATEHOUSE_NAME is not set"},
		{"an integration of a type that is not", "HttpApiIntegrationLoginsvc", func(r object) { properties(r)["IntegrationType"] = "AWS_LAMBDA" }, "AWS_PROXY"},
		{"an authorizer that is not published", "AuthorizerParameter", func(r object) { properties(r)["Value"] = "x" }, "no SSM parameter"},
		{"a partition", "LoginsvcRole", func(r object) { statement(r, 0, 0)["Resource"] = "arn:aws:s3:::x" }, "AWS::Partition"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var template object
			if err := json.Unmarshal(raw, &template); err != nil {
				t.Fatal(err)
			}
			resource, ok := template["Resources"].(object)[tc.resource].(object)
			if !ok {
				t.Skipf("this stack has no %s", tc.resource)
			}
			tc.plant(resource)
			changed, err := json.Marshal(template)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(t, changed); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// leadingKeys adds a pattern to the partitions of a statement.
func leadingKeys(statement object, pattern string) {
	condition := statement["Condition"].(object)["ForAllValues:StringLike"].(object)
	condition["dynamodb:LeadingKeys"] = append(condition["dynamodb:LeadingKeys"].([]any), pattern)
}

func properties(r object) object { return r["Properties"].(object) }

func TestFresh(t *testing.T) {
	template, err := template.Parse(osls.Packaged(t, os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	only := func(key string) func(string) bool { return func(other string) bool { return other == key } }
	for _, key := range []string{"PUT /users/{id}/roles", "GET /authorize", "GET /none"} {
		if err := template.CheckFresh(only(key)); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := template.CheckFresh(only("GET /me")); err == nil || !strings.Contains(err.Error(), "GET /me: its rule says fresh") {
		t.Errorf("GET /me: %v", err)
	}
	t.Run("those of gatehouse.yml", func(t *testing.T) {
		cfg, err := config.Load("../../../gatehouse.yml", func(name string) string {
			return map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"}[name]
		})
		if err != nil {
			t.Fatal(err)
		}
		rules, err := policy.Compile(cfg.Rules())
		if err != nil || !rules.HasFresh() {
			t.Fatalf("no fresh rule, %v", err)
		}
		if err := template.CheckFresh(rules.Fresh); err != nil {
			t.Error(err)
		}
	})
}

func TestNoTemplate(t *testing.T) {
	if _, err := template.Parse([]byte("{")); err == nil {
		t.Error("half a template")
	}
	if err := check(t, []byte("{}")); err == nil || !strings.Contains(err.Error(), "no resource is a function or an API") {
		t.Errorf("an empty template: %v", err)
	}
}

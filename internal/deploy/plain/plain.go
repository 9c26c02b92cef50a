// Package plain has the login stack as one CloudFormation template with parameters,
// which any tool deploys. It is made from serverless.yml; a test compares the two.
package plain

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Login is the template of the login stack.
//
//go:embed login.template.json
var Login []byte

// For returns the template for functions of an architecture, as Go names it.
func For(goarch string) ([]byte, error) {
	switch goarch {
	case "arm64":
		return Login, nil
	case "amd64":
		return bytes.ReplaceAll(Login, []byte(`"arm64"`), []byte(`"x86_64"`)), nil
	}
	return nil, fmt.Errorf("no architecture of Lambda: %s", goarch)
}

// The values with which serverless.yml is packaged, so that [Parametrize] finds
// each place of a parameter.
const (
	service     = "gatehouse"
	stage       = "zz"
	issuer      = "https://issuer.zz.invalid"
	audience    = "https://audience.zz.invalid"
	certificate = "certificate.zz"
	alarmEmail  = "alarm.zz"
	concurrency = "concurrency.zz"
	protection  = "protection.zz"
)

// Variables are the lines of .env with which serverless.yml is packaged.
func Variables() []string {
	return []string{"GATEHOUSE_ISSUER=" + issuer, "GATEHOUSE_AUDIENCE=" + audience, "GATEHOUSE_CERTIFICATE=" + certificate,
		"GATEHOUSE_ALARM_EMAIL=" + alarmEmail, "GATEHOUSE_AUTHORIZER_CONCURRENCY=" + concurrency,
		"GATEHOUSE_TABLE_PROTECTION=" + protection}
}

// Stage is the stage for which serverless.yml is packaged.
const Stage = stage

type object = map[string]any

// parameters are those of the template.
var parameters = object{
	"Service":     object{"Type": "String", "Default": "gatehouse", "AllowedPattern": "[a-z][a-z0-9-]{1,30}", "Description": "With the stage, the name of the stack's resources; secrets are under /Service/Stage/ in SSM"},
	"Stage":       object{"Type": "String", "Default": "prod", "AllowedPattern": "[a-z][a-z0-9-]{0,20}", "Description": "Such as prod"},
	"CodeBucket":  object{"Type": "String", "Description": "The S3 bucket with the zips of gatehouse package login"},
	"CodePrefix":  object{"Type": "String", "Default": "gatehouse", "Description": "The folder of the zips in the bucket: another one for each version"},
	"Issuer":      object{"Type": "String", "Default": "", "Description": "https address of the login service; empty: the address that AWS gives the API"},
	"Audience":    object{"Type": "String", "Default": "", "Description": "The API that tokens are for; empty: the issuer followed by /api"},
	"Certificate": object{"Type": "String", "Default": "", "Description": "ARN of an ACM certificate of this Region for the issuer's host"},
	"AlarmEmail":  object{"Type": "String", "Default": "", "Description": "The e-mail address that alarms go to"},
	"AuthorizerConcurrency": object{"Type": "Number", "Default": 0, "MinValue": 0,
		"Description": "How many instances are reserved for the authorizer; 0: none"},
	"TableProtection": object{"Type": "String", "Default": "off", "AllowedValues": []any{"off", "on"},
		"Description": "on: the table cannot be deleted by hand; turn it on when the first deployment has worked"},
}

// Parametrize makes the plain template of a packaged one.
func Parametrize(packaged []byte) ([]byte, error) {
	var t object
	if err := json.Unmarshal(packaged, &t); err != nil {
		return nil, fmt.Errorf("reading the packaged template: %w", err)
	}
	resources, _ := t["Resources"].(object)
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		code, _ := resources[name].(object)["Properties"].(object)["Code"].(object)
		if key, ok := code["S3Key"].(string); ok {
			code["S3Bucket"] = object{"Ref": "CodeBucket"}
			code["S3Key"] = object{"Fn::Join": []any{"/", []any{object{"Ref": "CodePrefix"}, key[strings.LastIndex(key, "/")+1:]}}}
		}
	}
	outputs, _ := t["Outputs"].(object)
	drop(outputs, "ServerlessDeploymentBucketName", "HttpApiId", "HttpApiUrl")
	drop(resources, "ServerlessDeploymentBucket", "ServerlessDeploymentBucketPolicy")
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		if strings.HasPrefix(name, "Notes") {
			drop(resources, name) // the example
		}
	}
	out, _ := replaced(t).(object)
	out["Description"] = "Gatehouse, the login service"
	out["Parameters"] = parameters
	conditions, _ := out["Conditions"].(object)
	conditions["HasIssuer"], conditions["HasAudience"] = given("Issuer", ""), given("Audience", "")
	conditions["HasAuthorizerConcurrency"] = given("AuthorizerConcurrency", "0")
	text, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, err
	}
	if i := strings.Index(string(text), stage+"."); i >= 0 {
		return nil, fmt.Errorf("a value was not replaced: %s", text[max(0, i-80):i+20])
	}
	return append(text, '\n'), nil
}

// drop takes out the named members, and all that refer to one of them.
func drop(m object, names ...string) {
	for _, name := range names {
		delete(m, name)
		for other, v := range m {
			text, _ := json.Marshal(v) // it came from JSON
			if strings.Contains(string(text), `{"Ref":"`+name+`"}`) || strings.Contains(string(text), `{"Fn::GetAtt":["`+name+`",`) {
				drop(m, other)
			}
		}
		for _, v := range m {
			if r, ok := v.(object); ok {
				if on, ok := r["DependsOn"].([]any); ok {
					r["DependsOn"] = slices.DeleteFunc(on, func(v any) bool { return v == name })
				}
			}
		}
	}
}

// given is the condition that a parameter has another value than its default.
func given(parameter, without string) object {
	return object{"Fn::Not": []any{object{"Fn::Equals": []any{object{"Ref": parameter}, without}}}}
}

// api is the address that AWS gives the API.
var api = object{"Fn::Join": []any{"", []any{"https://", object{"Ref": "HttpApi"}, ".execute-api.", object{"Ref": "AWS::Region"}, ".", object{"Ref": "AWS::URLSuffix"}}}}

// replaced returns v with parameters in the places of values.
func replaced(v any) any {
	switch v := v.(type) {
	case object:
		if sub, ok := v["Fn::Sub"].(string); ok && len(v) == 1 {
			return object{"Fn::Sub": named(sub)}
		}
		for key, value := range v {
			v[key] = replaced(value)
		}
	case []any:
		for i, value := range v {
			v[i] = replaced(value)
		}
	case string:
		return text(v)
	}
	return v
}

// named puts the parameters into the names of a stack.
func named(s string) string {
	s = strings.ReplaceAll(s, "/"+service+"/"+stage, "/${Service}/${Stage}")
	return strings.ReplaceAll(s, service+"-"+stage, "${Service}-${Stage}")
}

func text(s string) any {
	ownIssuer := object{"Fn::If": []any{"HasIssuer", object{"Ref": "Issuer"}, api}}
	switch s {
	case issuer:
		return ownIssuer
	case issuer + "////":
		return object{"Fn::Join": []any{"", []any{object{"Ref": "Issuer"}, "////"}}}
	case audience:
		return object{"Fn::If": []any{"HasAudience", object{"Ref": "Audience"}, object{"Fn::Join": []any{"", []any{ownIssuer, "/api"}}}}}
	case certificate:
		return object{"Ref": "Certificate"}
	case alarmEmail:
		return object{"Ref": "AlarmEmail"}
	case concurrency:
		return object{"Ref": "AuthorizerConcurrency"}
	case protection:
		return object{"Ref": "TableProtection"}
	}
	if out := named(strings.ReplaceAll(s, "${", "${!")); out != s {
		return object{"Fn::Sub": out}
	}
	return s
}

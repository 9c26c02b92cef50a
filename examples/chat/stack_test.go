package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestStack holds the stack to what the README says of it.
func TestStack(t *testing.T) {
	text, err := os.ReadFile("serverless.yml")
	if err != nil {
		t.Fatal(err)
	}
	var stack struct {
		Functions map[string]struct {
			Role   string
			Events []struct{ Websocket, Schedule any }
		}
		Resources struct {
			Resources map[string]struct {
				Properties struct {
					Policies []struct {
						PolicyDocument struct {
							Statement []map[string]any `yaml:"Statement"`
						} `yaml:"PolicyDocument"`
					} `yaml:"Policies"`
				} `yaml:"Properties"`
			} `yaml:"Resources"`
			Extensions map[string]struct {
				Properties map[string]any `yaml:"Properties"`
			}
		}
	}
	if err := yaml.Unmarshal(text, &stack); err != nil {
		t.Fatal(err)
	}
	t.Run("a handshake asks the authorizer, and so the token is there", func(t *testing.T) {
		for _, e := range stack.Functions["chat"].Events {
			route, _ := e.Websocket.(map[string]any)
			if route["route"] != "$connect" {
				continue
			}
			a, _ := route["authorizer"].(map[string]any)
			if fmt.Sprint(a["arn"], a["identitySource"]) != "map[Ref:Authorizer] [route.request.header.Sec-WebSocket-Protocol]" {
				t.Errorf("%v", a)
			}
			return
		}
		t.Error("no $connect with an authorizer")
	})
	t.Run("the sweep runs every minute", func(t *testing.T) {
		if e := stack.Functions["sweep"].Events; len(e) != 1 || e[0].Schedule != "rate(1 minute)" {
			t.Errorf("%v", e)
		}
	})
	t.Run("each role may do what its function does, and nothing else", func(t *testing.T) {
		for name, want := range map[string][]string{
			"chat":  {"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query", "execute-api:ManageConnections", "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"},
			"sweep": {"dynamodb:DeleteItem", "dynamodb:Query", "execute-api:ManageConnections", "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"},
		} {
			var may []string
			for _, p := range stack.Resources.Resources[stack.Functions[name].Role].Properties.Policies {
				for _, s := range p.PolicyDocument.Statement {
					actions := strings.Fields(strings.Trim(fmt.Sprint(s["Action"]), "[]"))
					may = append(may, actions...)
					resource := fmt.Sprint(s["Resource"])
					if slices.Contains(actions, "execute-api:ManageConnections") &&
						(!strings.Contains(resource, "Ref:WebsocketsApi") || !strings.Contains(resource, "/DELETE/@connections/*") || strings.Contains(resource, "/POST/") != (name == "chat")) {
						t.Errorf("%s may manage %s", name, resource)
					}
					if resource == "*" && !strings.HasPrefix(actions[0], "xray:") {
						t.Errorf("%s may %v anything", name, actions)
					}
				}
			}
			slices.Sort(may)
			if !slices.Equal(may, want) {
				t.Errorf("%s may %v, want %v", name, may, want)
			}
		}
	})
	t.Run("no API but this one may call the function and the authorizer", func(t *testing.T) {
		for _, name := range []string{"ChatLambdaPermissionWebsockets", "GatehouseLambdaPermissionWebsockets"} {
			if source := fmt.Sprint(stack.Resources.Extensions[name].Properties["SourceArn"]); !strings.Contains(source, "Ref:WebsocketsApi") {
				t.Errorf("%s: %s", name, source)
			}
		}
	})
}

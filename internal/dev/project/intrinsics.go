package project

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What the pseudo parameters of CloudFormation are here. No account has this
// number, and no Region this name.
const (
	accountID = "000000000000"
	region    = "local-1"
	apiID     = "local"
	suffix    = "localhost"
)

// evaluator replaces the functions of CloudFormation by the values that dev has
// for them. A resource is known by the name that its properties give it, else by
// its logical name.
type evaluator struct {
	resources, parameters, conditions, mappings *yaml.Node

	origin string // of this machine's APIs; "": AWS's addresses stay
	stage  string
	note   func(format string, args ...any)
}

// apiHost is the host of an API in AWS, as templates put it together.
var apiHost = regexp.MustCompile(`(https|wss)://` + apiID + `\.execute-api\.` + region + `\.(?:` + suffix + `|amazonaws\.com)`)

// text returns the value of n as a text. The addresses of APIs become those here.
func (e *evaluator) text(n *yaml.Node) string {
	out := e.value(n)
	if e.origin == "" {
		return out
	}
	return apiHost.ReplaceAllStringFunc(out, func(found string) string {
		if strings.HasPrefix(found, "wss") {
			return "ws" + strings.TrimPrefix(e.origin, "http")
		}
		return e.origin
	})
}

// replaceIn replaces the values of some names, in each member of n, by their texts.
func (e *evaluator) replaceIn(n *yaml.Node, names ...string) {
	for _, one := range members(n) {
		for i := 0; one.Kind == yaml.MappingNode && i+1 < len(one.Content); i += 2 {
			if !slices.Contains(names, one.Content[i].Value) {
				continue
			}
			list := &yaml.Node{Kind: yaml.SequenceNode, Line: one.Content[i].Line}
			for _, item := range items(one.Content[i+1]) {
				list.Content = append(list.Content, scalar(e.text(item), item))
			}
			if one.Content[i+1] = list; len(list.Content) == 1 {
				one.Content[i+1] = list.Content[0]
			}
		}
	}
}

// values returns the texts of a list without those that are empty here, such as
// AWS::NoValue; a text alone is a list of one.
func (e *evaluator) values(n *yaml.Node) []string {
	var out []string
	for _, item := range items(n) {
		if value := e.value(item); value != "" {
			out = append(out, value)
		}
	}
	return out
}

func (e *evaluator) value(n *yaml.Node) string {
	n = deref(n)
	switch {
	case n == nil:
		return ""
	case n.Kind == yaml.ScalarNode:
		if n.Tag == "!!null" {
			return ""
		}
		return n.Value
	case n.Kind != yaml.MappingNode || len(n.Content) != 2:
		return ""
	}
	name, argument := n.Content[0].Value, deref(n.Content[1])
	list := items(argument)
	switch name {
	case "Ref":
		return e.ref(argument.Value)
	case "Fn::GetAtt":
		if len(list) == 1 {
			resource, attribute, _ := strings.Cut(argument.Value, ".")
			return e.attribute(resource, attribute)
		}
		if len(list) == 2 {
			return e.attribute(list[0].Value, list[1].Value)
		}
	case "Fn::Sub":
		return e.sub(list)
	case "Fn::Join":
		if len(list) == 2 {
			var parts []string
			for _, part := range items(list[1]) {
				parts = append(parts, e.value(part))
			}
			return strings.Join(parts, list[0].Value)
		}
	case "Fn::Select":
		if len(list) == 2 {
			return e.pick(e.value(list[0]), list[1])
		}
	case "Fn::If":
		if len(list) == 3 {
			if e.holds(member(e.conditions, list[0].Value)) {
				return e.value(list[1])
			}
			return e.value(list[2])
		}
	case "Fn::FindInMap":
		if len(list) == 3 {
			return e.value(member(e.mappings, e.value(list[0]), e.value(list[1]), e.value(list[2])))
		}
	}
	e.note("line %d: %s has no value here", n.Line, name)
	return ""
}

func (e *evaluator) ref(name string) string {
	switch name {
	case "AWS::Region":
		return region
	case "AWS::AccountId":
		return accountID
	case "AWS::Partition":
		return "aws"
	case "AWS::URLSuffix":
		return suffix
	case "AWS::StackName":
		return "local"
	case "AWS::NoValue":
		return ""
	}
	if parameter := member(e.parameters, name); parameter != nil {
		return cmp.Or(text(parameter, "Default"), name)
	}
	switch name {
	case "HttpApi", "ApiGatewayRestApi", "WebsocketsApi": // which the framework adds
		return apiID
	}
	r := member(e.resources, name)
	switch text(r, "Type") {
	case "AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi", "AWS::Serverless::HttpApi", "AWS::Serverless::Api":
		return apiID
	case "AWS::ApiGatewayV2::Stage", "AWS::ApiGateway::Stage":
		return e.stage
	}
	for _, property := range []string{"TableName", "QueueName", "BucketName", "TopicName", "FunctionName", "Name"} {
		if n := member(r, "Properties", property); n != nil {
			if own := e.value(n); own != "" {
				return own
			}
		}
	}
	return name
}

func (e *evaluator) attribute(resource, attribute string) string {
	switch attribute {
	case "Arn":
		service := "local"
		if kind := strings.Split(text(member(e.resources, resource), "Type"), "::"); len(kind) == 3 {
			service = strings.ToLower(kind[1])
		}
		return "arn:aws:" + service + ":" + region + ":" + accountID + ":" + e.ref(resource)
	case "ApiEndpoint":
		return "https://" + apiID + ".execute-api." + region + "." + suffix
	}
	return e.ref(resource) + "." + attribute
}

// placeholder is what Fn::Sub replaces.
var placeholder = regexp.MustCompile(`\$\{[A-Za-z0-9:.]+\}`)

func (e *evaluator) sub(list []*yaml.Node) string {
	if len(list) == 0 {
		return ""
	}
	var own *yaml.Node
	if len(list) == 2 {
		own = list[1]
	}
	return placeholder.ReplaceAllStringFunc(list[0].Value, func(found string) string {
		name := found[2 : len(found)-1]
		if value := member(own, name); value != nil {
			return e.value(value)
		}
		if resource, attribute, ok := strings.Cut(name, "."); ok {
			return e.attribute(resource, attribute)
		}
		return e.ref(name)
	})
}

// pick returns one of a list, or of a text that Fn::Split takes apart.
func (e *evaluator) pick(index string, from *yaml.Node) string {
	i, err := strconv.Atoi(index)
	if split := items(member(from, "Fn::Split")); len(split) == 2 && err == nil {
		parts := strings.Split(e.value(split[1]), split[0].Value)
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	if list := items(from); err == nil && from.Kind == yaml.SequenceNode && i < len(list) {
		return e.value(list[i])
	}
	return ""
}

// holds evaluates a condition.
func (e *evaluator) holds(n *yaml.Node) bool {
	for name, argument := range members(n) {
		list := items(argument)
		switch name {
		case "Condition":
			return e.holds(member(e.conditions, argument.Value))
		case "Fn::Equals":
			return len(list) == 2 && e.value(list[0]) == e.value(list[1])
		case "Fn::Not":
			return len(list) == 1 && !e.holds(list[0])
		case "Fn::And", "Fn::Or":
			for _, one := range list {
				if e.holds(one) == (name == "Fn::Or") {
					return name == "Fn::Or"
				}
			}
			return name == "Fn::And"
		}
	}
	return false
}

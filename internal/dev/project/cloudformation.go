package project

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// stack is a CloudFormation template while it is read.
type stack struct {
	*Project
	*evaluator
}

// readCloudFormation reads a template: plain, what CDK synthesizes, what Serverless
// packages, or what SAM takes.
func (p *Project) readCloudFormation(document *yaml.Node, o Options) error {
	e := &evaluator{
		resources: member(document, "Resources"), parameters: member(document, "Parameters"),
		conditions: member(document, "Conditions"), mappings: member(document, "Mappings"),
		origin: o.Origin, note: p.note,
	}
	e.stage = cmp.Or(o.Stage, "dev")
	s := &stack{p, e}
	if e.resources.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: Resources: want a mapping, with a resource under each name", e.resources.Line)
	}
	for _, r := range s.ofType("AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment", "AWS::ApiGatewayV2::Stage", "AWS::Serverless::Api") {
		if name := e.value(member(r, "Properties", "StageName")); name != "" && name != "$default" && o.Stage == "" {
			e.stage = name
		}
	}
	p.Stage = e.stage
	var errs []error
	for name, r := range s.ofType("AWS::Lambda::Function") {
		errs = append(errs, s.addFunction(name, r, member(r, "Properties", "Code", "S3Key"), ""))
	}
	errs = append(errs, s.readSAM(document), s.readHTTPAPI(), s.readREST())
	for name, r := range members(e.resources) {
		switch kind := text(r, "Type"); {
		case kind == "AWS::Serverless::Application", kind == "AWS::CloudFormation::Stack":
			errs = append(errs, fmt.Errorf("line %d: %s is a stack of its own: name its template with --template", r.Line, name))
		case strings.HasPrefix(name, "Fn::"):
			p.note("line %d: %s: dev does not run it: what it makes is left out", r.Line, name)
		case kind == "":
			errs = append(errs, fmt.Errorf("line %d: %s: want a mapping with a Type", r.Line, name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p.HTTP.AddIAM()
	if p.REST != nil {
		p.REST.AddIAM()
	}
	return p.HTTP.Check()
}

// ofType ranges over the resources of some types, in the order of the template.
func (s *stack) ofType(kinds ...string) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		for name, r := range members(s.resources) {
			if s.leftOut(name, r) {
				continue
			}
			for _, kind := range kinds {
				if text(r, "Type") == kind && !yield(name, r) {
					return
				}
			}
		}
	}
}

// leftOut tells whether the condition of a resource does not hold here, and notes it
// of what dev would run.
func (s *stack) leftOut(name string, r *yaml.Node) bool {
	condition := text(r, "Condition")
	if condition == "" || s.holds(member(s.conditions, condition)) {
		return false
	}
	if kind := text(r, "Type"); strings.HasPrefix(kind, "AWS::ApiGateway") || strings.HasPrefix(kind, "AWS::Serverless") || kind == "AWS::Lambda::Function" {
		s.Project.note("line %d: %s is left out: its condition %s does not hold here", r.Line, name, condition)
	}
	return true
}

// addFunction adds a function by its logical name. zip names its package.
func (s *stack) addFunction(name string, r, zip *yaml.Node, source string) error {
	p := member(r, "Properties")
	out := Function{Name: name, Line: r.Line, Env: map[string]string{}, Runtime: s.value(member(p, "Runtime")), Handler: s.value(member(p, "Handler")),
		Artifact: artifactOf(s.value(zip)), Source: cmp.Or(text(r, "Metadata", "aws:asset:path"), source)}
	if s.value(member(p, "PackageType")) == "Image" {
		s.Project.note("line %d: function %s is a container image: run it yourself, with --upstream", r.Line, name)
	}
	if len(items(member(p, "Layers"))) > 0 {
		s.Project.note("line %d: function %s: dev runs it without its layers", r.Line, name)
	}
	var err error
	if out.Timeout, err = seconds(cmp.Or(s.value(member(p, "Timeout")), "3")); err != nil {
		return fmt.Errorf("line %d: function %s: Timeout: %w", r.Line, name, err)
	}
	out.Memory, _ = strconv.Atoi(cmp.Or(s.value(member(p, "MemorySize")), "128"))
	for variable, value := range members(member(p, "Environment", "Variables")) {
		out.Env[variable] = s.text(value)
	}
	s.Functions = append(s.Functions, out)
	return nil
}

// called returns the function that an URI, an ARN or a name leads to; "" is one
// of another stack.
func (s *stack) called(uri *yaml.Node) string {
	for _, name := range referred(uri) {
		r := member(s.resources, name)
		switch text(r, "Type") {
		case "AWS::Lambda::Function", "AWS::Serverless::Function":
			return name
		case "AWS::Lambda::Alias", "AWS::Lambda::Version":
			return s.called(member(r, "Properties", "FunctionName"))
		}
	}
	return ""
}

// referred returns every name that n refers to, however deep.
func referred(n *yaml.Node) []string {
	n = deref(n)
	if n == nil {
		return nil
	}
	var out []string
	for name, argument := range members(n) {
		list := items(argument)
		switch {
		case name == "Ref" || name == "Fn::GetAtt" && argument.Kind == yaml.ScalarNode:
			resource, _, _ := strings.Cut(argument.Value, ".")
			out = append(out, resource)
		case name == "Fn::GetAtt" && len(list) > 0:
			out = append(out, list[0].Value)
		case name == "Fn::Sub" && len(list) > 0:
			for _, found := range placeholder.FindAllString(list[0].Value, -1) {
				resource, _, _ := strings.Cut(found[2:len(found)-1], ".")
				out = append(out, resource)
			}
		}
	}
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
		for _, c := range n.Content {
			out = append(out, referred(c)...)
		}
	}
	return out
}

// readHTTPAPI reads the resources of AWS::ApiGatewayV2.
func (s *stack) readHTTPAPI() error {
	var errs []error
	sockets := map[string]bool{}
	apis := 0
	for name, r := range s.ofType("AWS::ApiGatewayV2::Api") {
		p := member(r, "Properties")
		if s.value(member(p, "ProtocolType")) == "WEBSOCKET" {
			sockets[name] = true
			s.WebSocket = &WebSocket{Routes: map[string]string{},
				Selection: cmp.Or(strings.TrimPrefix(s.value(member(p, "RouteSelectionExpression")), "$request.body."), "action")}
			continue
		}
		if apis++; apis > 1 {
			s.Project.note("line %d: %s is a second HTTP API: dev serves the routes of all at one address", r.Line, name)
		}
		if member(p, "Body") != nil || member(p, "BodyS3Location") != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: routes in an OpenAPI Body are not read: declare AWS::ApiGatewayV2::Route", r.Line, name))
		}
		s.HTTP.CORS = cmp.Or(s.HTTP.CORS, s.cors(member(p, "CorsConfiguration"), "Allow"))
	}
	ofSocket := func(r *yaml.Node) bool {
		api := referred(member(r, "Properties", "ApiId"))
		return len(api) > 0 && sockets[api[0]]
	}
	for name, r := range s.ofType("AWS::ApiGatewayV2::Authorizer") {
		a, err := s.authorizer2(name, r, ofSocket(r))
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", r.Line, name, err))
		} else if ofSocket(r) {
			s.WebSocket.Authorizer = &a
		} else {
			s.HTTP.Authorizers = append(s.HTTP.Authorizers, a)
		}
	}
	for name, r := range s.ofType("AWS::ApiGatewayV2::Route") {
		if err := s.route2(r, ofSocket(r)); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", r.Line, name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *stack) authorizer2(name string, r *yaml.Node, socket bool) (gateway.Authorizer, error) {
	p := member(r, "Properties")
	out := gateway.Authorizer{Name: name, Simple: s.value(member(p, "EnableSimpleResponses")) == "true"}
	out.Function = s.called(member(p, "AuthorizerUri"))
	out.External = out.Function == ""
	out.IdentitySources = s.values(member(p, "IdentitySource"))
	switch kind := s.value(member(p, "AuthorizerType")); kind {
	case "REQUEST":
	case "JWT":
		out.External = false
		out.JWT = s.jwt(member(p, "JwtConfiguration"), "Issuer", "Audience")
		return out, nil
	default:
		return out, fmt.Errorf("AuthorizerType: want REQUEST or JWT, have %q", kind)
	}
	switch version := s.value(member(p, "AuthorizerPayloadFormatVersion")); {
	case socket:
		out.Kind = gateway.WebSocket
		return out, nil
	case version == "1.0":
		out.Kind = gateway.HTTP1
	case version != "2.0":
		return out, errors.New("AuthorizerPayloadFormatVersion: want '1.0' or '2.0': AWS has no default")
	}
	seconds, err := strconv.Atoi(cmp.Or(s.value(member(p, "AuthorizerResultTtlInSeconds")), "300"))
	out.TTL = time.Duration(seconds) * time.Second
	return out, err
}

// jwt reads the issuer and the audiences of a JWT authorizer.
func (s *stack) jwt(n *yaml.Node, issuer, audience string) *gateway.JWT {
	out := &gateway.JWT{Issuer: s.text(member(n, issuer))}
	for _, name := range items(member(n, audience)) {
		out.Audiences = append(out.Audiences, s.text(name))
	}
	return out
}

// route2 reads a route of an HTTP or a WebSocket API.
func (s *stack) route2(r *yaml.Node, socket bool) error {
	p := member(r, "Properties")
	key := s.value(member(p, "RouteKey"))
	out := gateway.Route{Key: key}
	for _, name := range referred(member(p, "Target")) {
		integration := member(s.resources, name)
		if text(integration, "Type") != "AWS::ApiGatewayV2::Integration" {
			continue
		}
		properties := member(integration, "Properties")
		kind := s.value(member(properties, "IntegrationType"))
		if out.Function = s.called(member(properties, "IntegrationUri")); kind != "AWS_PROXY" || out.Function == "" {
			out.Function = s.elsewhere(name, cmp.Or(kind, "without a type"), integration.Line)
		}
		out.Payload1 = s.value(member(properties, "PayloadFormatVersion")) == "1.0"
	}
	if out.Function == "" {
		return fmt.Errorf("%s: leads to no function of this template", key)
	}
	kind := s.value(member(p, "AuthorizationType"))
	if socket {
		s.WebSocket.Routes[key] = out.Function
		return nil
	}
	switch kind {
	case "", "NONE":
	case "CUSTOM", "JWT":
		names := referred(member(p, "AuthorizerId"))
		if len(names) != 1 {
			return fmt.Errorf("%s: AuthorizerId: want a Ref to an authorizer of this template", key)
		}
		out.Authorizer = names[0]
		out.Scopes = s.values(member(p, "AuthorizationScopes"))
	case gateway.AWSIAM:
		out.Authorizer = gateway.AWSIAM
	default:
		return fmt.Errorf("%s: AuthorizationType: want NONE, CUSTOM, JWT or AWS_IAM, have %q", key, kind)
	}
	return s.addRoute(out)
}

// addRoute adds a route of the HTTP API that AWS would take.
func (s *stack) addRoute(r gateway.Route) error {
	one := gateway.Template{Routes: []gateway.Route{{Key: r.Key}}}
	for _, other := range s.HTTP.Routes {
		if other.Key == r.Key {
			return fmt.Errorf("route %s is declared twice", r.Key)
		}
	}
	if err := one.Check(); err != nil {
		return err
	}
	s.HTTP.Routes = append(s.HTTP.Routes, r)
	return nil
}

// elsewhere returns the name that stands for what an integration leads to, which dev
// cannot run.
func (s *stack) elsewhere(integration, kind string, line int) string {
	s.Project.note("line %d: %s (%s) leads to no function of this template: dev answers 501 there or, with --upstream, sends to your API", line, integration, kind)
	if s.Function(integration) == nil {
		s.Functions = append(s.Functions, Function{Name: integration, Elsewhere: true, Line: line})
	}
	return integration
}

// cors reads a CorsConfiguration, whose names begin with a prefix for what is
// allowed: AllowOrigins.
func (s *stack) cors(n *yaml.Node, prefix string) *gateway.CORS {
	if n == nil {
		return nil
	}
	list := func(name string) []string { return s.values(member(n, name)) }
	age, _ := strconv.Atoi(s.value(member(n, "MaxAge")))
	return &gateway.CORS{AllowOrigins: list(prefix + "Origins"), AllowMethods: list(prefix + "Methods"), AllowHeaders: list(prefix + "Headers"),
		ExposeHeaders: list("ExposeHeaders"), MaxAge: age, Credentials: s.value(member(n, prefix+"Credentials")) == "true"}
}

// readREST reads the resources of AWS::ApiGateway.
func (s *stack) readREST() error {
	var errs []error
	for name, r := range s.ofType("AWS::ApiGateway::Authorizer") {
		a, err := s.authorizer1(name, r)
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", r.Line, name, err))
		}
		s.rest().Authorizers = append(s.rest().Authorizers, a)
	}
	for _, r := range s.ofType("AWS::ApiGateway::GatewayResponse") {
		s.gatewayResponse(s.value(member(r, "Properties", "ResponseType")), member(r, "Properties", "ResponseParameters"), "gatewayresponse.header.")
	}
	for name, r := range s.ofType("AWS::ApiGateway::Method") {
		if err := s.method1(r); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", r.Line, name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *stack) authorizer1(name string, r *yaml.Node) (gateway.Authorizer, error) {
	p := member(r, "Properties")
	out := gateway.Authorizer{Name: name, Function: s.called(member(p, "AuthorizerUri")), IdentitySources: strings.FieldsFunc(s.value(member(p, "IdentitySource")), func(r rune) bool { return r == ',' || r == ' ' })}
	out.External = out.Function == ""
	switch kind := s.value(member(p, "Type")); kind {
	case "TOKEN":
		out.Kind = gateway.RESTToken
	case "REQUEST":
		out.Kind = gateway.RESTRequest
	case "COGNITO_USER_POOLS":
		out.External, out.Kind, out.Unverified = false, gateway.RESTToken, kind
		return out, nil
	default:
		return out, fmt.Errorf("property Type: want TOKEN, REQUEST or COGNITO_USER_POOLS, have %q", kind)
	}
	seconds, err := strconv.Atoi(cmp.Or(s.value(member(p, "AuthorizerResultTtlInSeconds")), "300"))
	out.TTL = time.Duration(seconds) * time.Second
	return out, err
}

func (s *stack) method1(r *yaml.Node) error {
	p := member(r, "Properties")
	resource, err := s.pathOf(member(p, "ResourceId"), 0)
	if err != nil {
		return err
	}
	out := gateway.Route{Key: s.value(member(p, "HttpMethod")) + " " + cmp.Or(resource, "/")}
	switch kind := s.value(member(p, "Integration", "Type")); kind {
	case "AWS_PROXY":
		if out.Function = s.called(member(p, "Integration", "Uri")); out.Function == "" {
			return fmt.Errorf("%s: leads to no function of this template", out.Key)
		}
	case "MOCK":
		out.Mock = s.mock(out.Key, member(p, "Integration"))
	default:
		s.Project.note("line %d: %s: integrations of type %s are left out", r.Line, out.Key, kind)
		return nil
	}
	switch kind := s.value(member(p, "AuthorizationType")); kind {
	case "", "NONE":
	case "CUSTOM", "COGNITO_USER_POOLS":
		if names := referred(member(p, "AuthorizerId")); len(names) == 1 {
			out.Authorizer = names[0]
		} else {
			return fmt.Errorf("%s: AuthorizerId: want a Ref to an authorizer of this template", out.Key)
		}
	case gateway.AWSIAM:
		out.Authorizer = gateway.AWSIAM
	default:
		return fmt.Errorf("%s: AuthorizationType: want NONE, CUSTOM, COGNITO_USER_POOLS or AWS_IAM, have %q", out.Key, kind)
	}
	s.rest().Routes = append(s.rest().Routes, out)
	return nil
}

// gatewayResponse reads the fixed headers of what the API itself answers.
func (s *stack) gatewayResponse(kind string, parameters *yaml.Node, prefix string) {
	if s.rest().Responses == nil {
		s.REST.Responses = map[string]map[string]string{}
	}
	headers := map[string]string{}
	for name, value := range members(parameters) {
		fixed, quoted := strings.CutPrefix(s.value(value), "'")
		if header, ok := strings.CutPrefix(name, prefix); ok && quoted {
			headers[header] = strings.TrimSuffix(fixed, "'")
		}
	}
	s.REST.Responses[kind] = headers
}

// mock reads the first response of a MOCK integration. It has fixed headers; those
// that a template of the response computes are left out.
func (s *stack) mock(key string, integration *yaml.Node) *gateway.Mock {
	response := &yaml.Node{}
	if all := items(member(integration, "IntegrationResponses")); len(all) > 0 {
		response = all[0]
	}
	out := &gateway.Mock{Status: http.StatusOK, Header: map[string]string{}}
	if status, err := strconv.Atoi(s.value(member(response, "StatusCode"))); err == nil && status >= 200 && status < 600 {
		out.Status = status
	}
	for name, value := range members(member(response, "ResponseParameters")) {
		fixed, quoted := strings.CutPrefix(s.value(value), "'")
		if name, ok := strings.CutPrefix(name, "method.response.header."); ok && quoted {
			out.Header[name] = strings.TrimSuffix(fixed, "'")
		}
	}
	for _, template := range members(member(response, "ResponseTemplates")) {
		if strings.Contains(s.value(template), "responseOverride") {
			s.Project.note("line %d: %s: dev does not run its response template, which sets headers", integration.Line, key)
		}
	}
	return out
}

// pathOf returns the path of a resource of a REST API, up to its root.
func (s *stack) pathOf(id *yaml.Node, depth int) (string, error) {
	names := referred(id)
	if len(names) == 0 || depth > 50 {
		return "", errors.New("ResourceId: want a Ref to a resource of this template")
	}
	r := member(s.resources, names[0])
	switch text(r, "Type") {
	case "AWS::ApiGateway::RestApi":
		return "", nil
	case "AWS::ApiGateway::Resource":
		parent, err := s.pathOf(member(r, "Properties", "ParentId"), depth+1)
		return parent + "/" + path.Clean(s.value(member(r, "Properties", "PathPart"))), err
	}
	return "", fmt.Errorf("ResourceId: %s is no resource of a REST API", names[0])
}

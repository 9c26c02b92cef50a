package template

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// private are the words of an access log format that would put a code, an
// address or a person into the log.
var private = []string{"querystring", "$context.path", "$context.customDomain", "sourceIp", "userAgent", "authorizer.email", "authorizer.name", "header."}

// throttled are the requests with which somebody could guess, or cost much, and those
// that every authorizer sends: a flood of other requests must leave them alone. The
// route of each is its own, or that of every method.
var throttled = []string{
	"POST /token", "POST /introspect", "POST /device", "GET /callback/{provider}", "GET /users",
	"GET /revocations", "GET /.well-known/jwks.json",
}

// checkStage wants requests counted, slowed and written down without what nobody
// else should read.
func (t *Template) checkStage() error {
	return t.each("AWS::ApiGatewayV2::Stage", func(_ string, r *Resource) error {
		p := r.Properties
		var errs []error
		format := p.At("AccessLogSettings", "Format").text()
		if format == "" || !t.keepsLogs(p.At("AccessLogSettings", "DestinationArn")) {
			errs = append(errs, fault.New("access-log", "want an access log with a retention: provider.logs.httpApi"))
		}
		for _, word := range private {
			if strings.Contains(format, word) {
				errs = append(errs, fault.New("access-log", "the access log would hold %s: take it out of the format", word))
			}
		}
		for _, variable := range undocumented(format) {
			errs = append(errs, fault.New("access-log", "the access log has %s, which AWS does not document for HTTP APIs: take it out of the format", variable))
		}
		if !limited(p.At("DefaultRouteSettings")) {
			errs = append(errs, fault.New("throttle", "want a throttle for every route: DefaultRouteSettings"))
		}
		settings, _ := p.At("RouteSettings").v.(map[string]any)
		for _, key := range throttled {
			if _, path, _ := strings.Cut(key, " "); !t.hasRoute(key) {
				key = "ANY " + path
			}
			if !limited(p.At("RouteSettings", key)) {
				errs = append(errs, fault.New("throttle", "want a throttle of its own for %s", key))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(settings)) {
			if !t.waitsForRoute(r, key) {
				errs = append(errs, fault.New("stage-order", "has settings for %s: it must depend on that route, or the deployment fails", key))
			}
		}
		return errors.Join(errs...)
	})
}

// limited tells whether route settings have a throttle.
func limited(settings Value) bool {
	return settings.At("ThrottlingRateLimit").positive() && settings.At("ThrottlingBurstLimit").positive()
}

// undocumented returns the variables of an access log format that AWS does not
// document for HTTP APIs. After authorizer. stands a member of the context that an
// authorizer returns, or error.
func undocumented(format string) []string {
	var found []string
	for _, variable := range variables.FindAllString(format, -1) {
		name := strings.TrimPrefix(variable, "$context.")
		member, ok := strings.CutPrefix(name, "authorizer.")
		if ok && slices.Contains(ofOtherAPIs, member) || !ok && !slices.Contains(documented, name) {
			found = append(found, variable)
		}
	}
	return found
}

var variables = regexp.MustCompile(`\$context\.[A-Za-z0-9.]+`)

// ofOtherAPIs are members of authorizer that REST and WebSocket APIs know.
var ofOtherAPIs = []string{"latency", "status", "requestId", "integrationLatency", "integrationStatus", "principalId"}

// documented are the logging variables of HTTP APIs (API Gateway Developer Guide,
// "Customize HTTP API access logs").
var documented = strings.Fields(`
	accountId apiId awsEndpointRequestId awsEndpointRequestId2 customDomain.basePathMatched dataProcessed domainName domainPrefix
	error.message error.messageString error.responseType extendedRequestId httpMethod
	identity.accountId identity.caller identity.cognitoAuthenticationProvider identity.cognitoAuthenticationType
	identity.cognitoIdentityId identity.cognitoIdentityPoolId identity.principalOrgId
	identity.clientCert.clientCertPem identity.clientCert.subjectDN identity.clientCert.issuerDN identity.clientCert.serialNumber
	identity.clientCert.validity.notBefore identity.clientCert.validity.notAfter
	identity.sourceIp identity.user identity.userAgent identity.userArn
	integration.error integration.integrationStatus integration.latency integration.requestId integration.status
	integrationErrorMessage integrationLatency integrationStatus
	path protocol requestId requestTime requestTimeEpoch responseLatency responseLength routeKey stage status`)

// hasRoute tells whether a route has the key.
func (t *Template) hasRoute(key string) bool {
	for _, r := range t.Resources {
		if r.Type == "AWS::ApiGatewayV2::Route" && r.Properties.At("RouteKey").Is(key) {
			return true
		}
	}
	return false
}

func (t *Template) waitsForRoute(stage *Resource, key string) bool {
	return slices.ContainsFunc(stage.DependsOn.Strings(), func(name string) bool {
		return t.has(name, "AWS::ApiGatewayV2::Route") && t.Resources[name].Properties.At("RouteKey").Is(key)
	})
}

func (t *Template) keepsLogs(destination Value) bool {
	for name, r := range t.Resources {
		if r.Type == "AWS::Logs::LogGroup" && destination.Refers(name) {
			return r.Properties.At("RetentionInDays").positive()
		}
	}
	return false
}

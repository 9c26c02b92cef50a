package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// private are the words of an access log format that would put a code, an
// address or a person into the log.
var private = []string{"querystring", "$context.path", "$context.customDomain", "sourceIp", "userAgent", "authorizer.email", "authorizer.name", "header."}

// throttled are the routes at which somebody could guess, or cost much.
var throttled = []string{"POST /token", "POST /introspect", "POST /device", "GET /callback/{provider}", "GET /users"}

// checkStage wants requests counted, slowed and written down without what nobody
// else should read.
func (t *Template) checkStage() error {
	return t.each("AWS::ApiGatewayV2::Stage", func(_ string, r *Resource) error {
		p := r.Properties
		var errs []error
		format := p.At("AccessLogSettings", "Format").text()
		if format == "" || !t.keepsLogs(p.At("AccessLogSettings", "DestinationArn")) {
			errs = append(errs, errors.New("want an access log with a retention: provider.logs.httpApi"))
		}
		for _, word := range private {
			if strings.Contains(format, word) {
				errs = append(errs, fmt.Errorf("the access log would hold %s: take it out of the format", word))
			}
		}
		if limits := p.At("DefaultRouteSettings"); !limits.At("ThrottlingRateLimit").positive() || !limits.At("ThrottlingBurstLimit").positive() {
			errs = append(errs, errors.New("want a throttle for every route: DefaultRouteSettings"))
		}
		settings, _ := p.At("RouteSettings").v.(map[string]any)
		for _, key := range throttled {
			if limits := p.At("RouteSettings", key); !limits.At("ThrottlingRateLimit").positive() || !limits.At("ThrottlingBurstLimit").positive() {
				errs = append(errs, fmt.Errorf("want a throttle of its own for %s", key))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(settings)) {
			if !t.waitsForRoute(r, key) {
				errs = append(errs, fmt.Errorf("has settings for %s: it must depend on that route, or the deployment fails", key))
			}
		}
		return errors.Join(errs...)
	})
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

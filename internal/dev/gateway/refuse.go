package gateway

import (
	"io"
	"net/http"
	"time"
)

// messages are the gateway's own bodies, where they are not the status's text.
var messages = map[int]string{http.StatusRequestEntityTooLarge: "Request Entity Too Large"}

// restBodies are those of a REST API, where they differ.
var restBodies = map[int]string{
	http.StatusForbidden:           `{"Message":"User is not authorized to access this resource"}`,
	http.StatusInternalServerError: `{"message":null}`,
	http.StatusBadGateway:          `{"message": "Internal server error"}`,
	http.StatusGatewayTimeout:      `{"message": "Endpoint request timed out"}`,
}

// refuse writes the gateway's answer for a status, and notes the reason.
func (g *Gateway) refuse(w http.ResponseWriter, x *Exchange, status int, reason string) {
	x.Reason = reason
	text, ok := messages[status]
	if !ok {
		text = http.StatusText(status)
	}
	body := `{"message":"` + text + `"}`
	if rest, ok := restBodies[status]; ok && g.cfg.REST {
		body = rest
	}
	if g.cfg.REST && x.Route == "" {
		body = `{"message":"Missing Authentication Token"}`
	}
	if x.reasonHeader != "" {
		w.Header().Set(x.reasonHeader, x.By+": "+reason)
	}
	w.Header().Set("Content-Type", "application/json")
	for name, value := range g.response(status, x) {
		w.Header().Set(name, value)
	}
	if x.refusal != nil {
		x.refusal(w.Header())
	}
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// response returns the headers of the gateway response for a status.
func (g *Gateway) response(status int, x *Exchange) map[string]string {
	kind, fallback := map[int]string{
		http.StatusUnauthorized: "UNAUTHORIZED", http.StatusForbidden: "ACCESS_DENIED", http.StatusRequestEntityTooLarge: "REQUEST_TOO_LARGE",
		http.StatusInternalServerError: "AUTHORIZER_FAILURE", http.StatusGatewayTimeout: "INTEGRATION_TIMEOUT",
	}[status], "DEFAULT_4XX"
	if status >= 500 {
		fallback = "DEFAULT_5XX"
	}
	if x.Route == "" {
		kind = "MISSING_AUTHENTICATION_TOKEN"
	}
	if own, ok := g.cfg.Template.Responses[kind]; ok {
		return own
	}
	return g.cfg.Template.Responses[fallback]
}

// The statuses in which a REST API differs from an HTTP API.
func (cfg *Config) notFound() int { return cfg.either(http.StatusForbidden, http.StatusNotFound) }
func (cfg *Config) failed() int {
	return cfg.either(http.StatusBadGateway, http.StatusInternalServerError)
}
func (cfg *Config) timedOut() int {
	return cfg.either(http.StatusGatewayTimeout, http.StatusServiceUnavailable)
}

func (cfg *Config) either(rest, http int) int {
	if cfg.REST {
		return rest
	}
	return http
}

func (cfg *Config) integrationTimeout() time.Duration {
	if cfg.REST {
		return restTimeout
	}
	return integrationTimeout
}

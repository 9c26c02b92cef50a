package doctor

import (
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// loginFunctions answer preflights themselves and read payload 2.0.
var loginFunctions = []string{"loginsvc", "usersvc"}

// loginStack looks at the API that serves our own functions, if it does.
func (r *Report) loginStack(name string, t *gateway.Template) {
	for _, route := range t.Routes {
		if !slices.Contains(loginFunctions, route.Function) {
			continue
		}
		if t.CORS != nil {
			r.wrong("cors-login", name, "provider.httpApi.cors: API Gateway would drop the CORS headers that %s sets for registered origins: take it out; your own API can have one", route.Function)
		}
		if route.Payload1 {
			r.wrong("integration-payload", name, "provider.httpApi.payload: %s reads payload 2.0: take '1.0' out, or give it to your own functions alone", route.Function)
		}
		return
	}
}

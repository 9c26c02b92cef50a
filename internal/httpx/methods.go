package httpx

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Methods are the handlers of one path by method. Without handlers of their own,
// HEAD is served as GET is, and OPTIONS with 204. Any other method is 405. The
// last two name the methods in Allow (RFC 9110, Sections 9.3.7 and 15.5.6).
type Methods map[string]http.Handler

// Handler serves the path. write writes the 405.
func (m Methods) Handler(write func(http.ResponseWriter, *http.Request, *Error)) http.Handler {
	all := maps.Clone(m)
	if get, ok := m[http.MethodGet]; ok && all[http.MethodHead] == nil {
		all[http.MethodHead] = get
	}
	if all[http.MethodOptions] == nil {
		all[http.MethodOptions] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	}
	allow := strings.Join(slices.Sorted(maps.Keys(all)), ", ")
	refuse := Handle(func(http.ResponseWriter, *http.Request) error {
		return &Error{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "use one of " + allow}
	}, write)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := all[r.Method]
		if !ok {
			h = refuse
		}
		if !ok || r.Method == http.MethodOptions {
			w.Header().Set("Allow", allow)
		}
		h.ServeHTTP(w, r)
	})
}

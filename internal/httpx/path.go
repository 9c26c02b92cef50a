package httpx

import (
	"net/http"
	"strings"
)

// CanonicalPath responds with 404, written by write, to a request whose decoded
// path has an empty segment, "." or "..", and passes every other request to next.
// [http.ServeMux] would redirect such a request to the cleaned path, which is
// another route: DELETE /me/sessions/.. would become DELETE /me.
func CanonicalPath(next http.Handler, write func(http.ResponseWriter, *http.Request, *Error)) http.Handler {
	notFound := Handle(func(http.ResponseWriter, *http.Request) error {
		return &Error{Status: http.StatusNotFound, Code: "not_found", Detail: "there is nothing here"}
	}, write)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isCanonical(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		notFound.ServeHTTP(w, r)
	})
}

func isCanonical(path string) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok || rest == "" {
		return ok
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

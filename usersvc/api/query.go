package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// params returns the query parameters of a request. Each must be one of the
// names, and at most once: a filter that is misspelt must not list everything.
func params(r *http.Request, names ...string) (map[string]string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "the query is malformed", Err: err}
	}
	values := map[string]string{}
	for name, list := range query {
		if !slices.Contains(names, name) || len(list) > 1 {
			return nil, invalid("the query may have each of these once: " + strings.Join(names, ", "))
		}
		values[name] = list[0]
	}
	return values, nil
}

// limit is the size of a page that the client asks for; 0: the default.
func limit(query map[string]string) (int, error) {
	s := query["limit"]
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > usersvc.MaxLimit {
		return 0, invalid("limit: want a number from 1 to " + strconv.Itoa(usersvc.MaxLimit))
	}
	return n, nil
}

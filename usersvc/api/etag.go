package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// writeUser answers with a user and their version as the ETag.
func writeUser(w http.ResponseWriter, r *http.Request, user usersvc.User) error {
	tag := etag(user.Version)
	w.Header().Set("ETag", tag)
	if r.Method == http.MethodGet && slices.ContainsFunc(tags(r, "If-None-Match"), func(t string) bool {
		return t == "*" || strings.TrimPrefix(t, "W/") == tag // weak comparison (RFC 9110, Section 13.1.2)
	}) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return httpx.JSON(w, user)
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// ifMatch returns the version that the client changes, as its If-Match says.
// Without one it is 0, and the last change wins. With several, or with a weak
// tag, which never matches (RFC 9110, Section 13.1.1), it is one that no user has.
func ifMatch(r *http.Request) int64 {
	list := tags(r, "If-Match")
	if len(list) == 0 || slices.Contains(list, "*") {
		return 0
	}
	if len(list) == 1 {
		if inner, ok := strings.CutPrefix(list[0], `"`); ok {
			version, err := strconv.ParseInt(strings.TrimSuffix(inner, `"`), 10, 64)
			if err == nil && version > 0 && etag(version) == list[0] {
				return version
			}
		}
	}
	return -1
}

// tags returns the entity tags of a header. Ours have no commas.
func tags(r *http.Request, header string) []string {
	var list []string
	for _, line := range r.Header.Values(header) {
		for tag := range strings.SplitSeq(line, ",") {
			list = append(list, strings.TrimSpace(tag))
		}
	}
	return list
}

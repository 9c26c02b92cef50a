package loginsvc

import (
	"path"
	"strings"
)

// safeReturn tells whether target may be followed after a sign-in: a path, and
// perhaps a query, on our own origin. It admits only characters and shapes on
// which all parsers agree, because a browser repairs what a parser refuses: it
// reads \ as /, drops tabs and line feeds, and folds dots. So a path holds no
// escapes here, no empty segment and no dot segment.
func safeReturn(target string) bool {
	const inPath = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/@:=+,"
	const inQuery = inPath + "%&?!$'()*;"
	p, query, _ := strings.Cut(target, "?")
	if len(target) > 2048 || !strings.HasPrefix(p, "/") || !only(p, inPath) || !only(query, inQuery) {
		return false
	}
	clean := path.Clean(p)
	return p == clean || p == clean+"/" && clean != "/"
}

// only tells whether every byte of s is in set.
func only(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return true
}

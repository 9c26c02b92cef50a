package env

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
)

// assignment compiles its pattern when it is first used: Lambda functions read
// variables, and no files.
var assignment = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$`)
})

// ReadFile reads variables from a file as shells and other tools know it: lines
// of NAME=value, comments after #, values in single or double quotes. Nothing in
// a value is expanded. The error lists every mistake with its line.
func ReadFile(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	variables := map[string]string{}
	var mistakes []error
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m := assignment().FindStringSubmatch(line)
		if m == nil { // the line is not shown: it may be a secret
			mistakes = append(mistakes, fmt.Errorf("%s:%d: want NAME=value", path, i+1))
			continue
		}
		value, err := unquote(m[2])
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %s: %w", path, i+1, m[1], err))
		}
		variables[m[1]] = value
	}
	return variables, errors.Join(mistakes...)
}

// unquote takes the quotes and a comment off a value.
func unquote(value string) (string, error) {
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		inner, after, closed := strings.Cut(value[1:], value[:1])
		after = strings.TrimSpace(after)
		if !closed || after != "" && after[0] != '#' {
			return "", errors.New("the quotes do not end with the value")
		}
		return inner, nil
	}
	if comment := strings.Index(value, " #"); comment >= 0 {
		value = value[:comment]
	}
	return strings.TrimSpace(value), nil
}

package env

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// OfStage returns the file that osls reads for a stage: .env.STAGE in dir where there is
// one, else .env, and "" where there is neither. It reads one of the two, never both.
func OfStage(dir, stage string) (string, error) {
	if !stageName.MatchString(stage) {
		return "", fmt.Errorf("stage %q: want letters, digits and dashes", stage)
	}
	for _, name := range []string{".env." + stage, ".env"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}

var stageName = regexp.MustCompile(`^[a-zA-Z0-9-]+$`)

// ReadFile reads the variables of a .env file as osls does (dotenv 17, dotenv-expand 13):
// values in single, double or back quotes, which can have several lines, comments after #,
// and $NAME, ${NAME}, ${NAME:-default} and ${NAME:+other} in values of every kind. getenv
// is the environment, which comes first; nil: there is none. Where osls would skip a line
// in silence, the error lists every such mistake with its line.
func ReadFile(path string, getenv func(string) string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.TrimPrefix(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text)), "\uFEFF")
	names, raw, mistakes := parseFile(path, lines)
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	x := expander{getenv: getenv, raw: raw, done: map[string]string{}}
	for _, name := range names {
		value, err := x.expand(raw[name])
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %s: %w", path, name, err))
		}
		x.done[name] = strings.ReplaceAll(value, `\$`, "$")
	}
	return x.done, errors.Join(mistakes...)
}

// assignment is what dotenv takes for one, with what counts as white space in Go.
var assignment = regexp.MustCompile(`(?m)^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*` + "`(?:\\\\`|[^`])*`" + `|[^#\n]+)?[^\S\n]*(?:#.*)?$`)

// parseFile returns the names in their order, their values, and what is wrong. A line that
// is wrong is not shown: it can be a secret.
func parseFile(path, text string) (names []string, values map[string]string, mistakes []error) {
	values = map[string]string{}
	at := 0
	skipped := func(end int) {
		for i, line := range strings.Split(text[at:end], "\n") {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				mistakes = append(mistakes, fmt.Errorf("%s:%d: want NAME=value", path, strings.Count(text[:at], "\n")+i+1))
			}
		}
	}
	for _, m := range assignment.FindAllStringSubmatchIndex(text, -1) {
		skipped(m[0])
		at = m[1]
		name, value := text[m[2]:m[3]], ""
		if m[4] >= 0 {
			value = strings.TrimSpace(text[m[4]:m[5]])
		}
		inner, err := unquote(value)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %s: %w", path, strings.Count(text[:m[2]], "\n")+1, name, err))
		}
		if _, twice := values[name]; !twice {
			names = append(names, name)
		}
		values[name] = inner
	}
	skipped(len(text))
	return names, values, mistakes
}

// unquote takes the quotes off a value. Double quotes can hold \n and \r.
func unquote(value string) (string, error) {
	if value == "" || !strings.Contains("\"'`", value[:1]) {
		return value, nil
	}
	quote := value[:1]
	if len(value) < 2 || !strings.HasSuffix(value, quote) {
		return value, errors.New("the quotes do not end with the value")
	}
	value = value[1 : len(value)-1]
	if quote == `"` {
		value = strings.NewReplacer(`\n`, "\n", `\r`, "\r").Replace(value)
	}
	return value, nil
}

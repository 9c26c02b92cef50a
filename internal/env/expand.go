package env

import (
	"errors"
	"regexp"
	"strings"
)

// expander puts values in the places of references, as dotenv-expand does.
type expander struct {
	getenv func(string) string
	raw    map[string]string // values of the file as written
	done   map[string]string // those that have been expanded
}

var reference = regexp.MustCompile(`\$\{([^{}]+)\}|\$([A-Za-z_][A-Za-z0-9_]*)`)

// maxSteps ends the expansion of values that refer to each other.
const maxSteps = 1000

func (x expander) expand(value string) (string, error) {
	seen := map[string]bool{}
	for range maxSteps {
		template, expression := firstReference(value)
		if template == "" {
			return value, nil
		}
		seen[value] = true
		name, result := x.evaluate(expression, seen)
		value = strings.Replace(value, template, result, 1)
		if done, ok := x.done[name]; ok && value == done {
			return value, nil
		}
	}
	return "", errors.New("its value refers to itself")
}

// firstReference returns the first reference whose $ has no backslash before it.
func firstReference(value string) (template, expression string) {
	for at := 0; ; {
		m := reference.FindStringSubmatchIndex(value[at:])
		if m == nil {
			return "", ""
		}
		if start := at + m[0]; start > 0 && value[start-1] == '\\' {
			at = start + 1
			continue
		}
		group := 2
		if m[2] < 0 {
			group = 4
		}
		return value[at+m[0] : at+m[1]], value[at+m[group] : at+m[group+1]]
	}
}

var operator = regexp.MustCompile(`:\+|\+|:-|-`)

// evaluate returns what an expression stands for. A value that was seen refers to itself.
func (x expander) evaluate(expression string, seen map[string]bool) (name, result string) {
	name, other := expression, ""
	alternative := false
	if at := operator.FindStringIndex(expression); at != nil {
		name, other = expression[:at[0]], expression[at[1]:]
		alternative = strings.HasSuffix(expression[at[0]:at[1]], "+")
	}
	value := x.getenv(name)
	if value == "" {
		value = x.raw[name]
	}
	switch {
	case alternative && value == "":
		return name, ""
	case alternative, value == "", seen[value]:
		return name, other
	}
	return name, value
}

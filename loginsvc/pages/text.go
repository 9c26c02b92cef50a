package pages

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/gatehouse-auth/gatehouse/internal/plaintext"
)

// catalogue is every text of the pages in one language, by key. A text may hold
// places such as {app}.
type catalogue map[string]string

func loadText(lang string) (catalogue, error) {
	raw, err := files.ReadFile("text/" + lang + ".json")
	if err != nil {
		return nil, err
	}
	c := catalogue{}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("reading text/%s.json: %w", lang, err)
	}
	return c, nil
}

// get returns the text of key with its places filled: fill is a list of names
// and values in turn. A key that does not exist is an error.
func (c catalogue) get(key string, fill ...string) (string, error) {
	s, ok := c[key]
	if !ok {
		return "", fmt.Errorf("no text %q in the catalogue", key)
	}
	pairs := make([]string, 0, len(fill))
	for i := 0; i+1 < len(fill); i += 2 {
		pairs = append(pairs, "{"+fill[i]+"}", printable(fill[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(s), nil
}

// label returns the text for one of a set of names, such as an action in the
// audit trail, or the name itself if the catalogue does not know it.
func (c catalogue) label(set, name string) string {
	if s, ok := c[set+"."+name]; ok {
		return s
	}
	return printable(name)
}

// printable returns s without hidden characters: a name must not rearrange the
// page it stands on.
func printable(s string) string { return plaintext.Strip(s) }

// initial returns the first letter of a name, for the disc beside it.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "·"
}

package authorizer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// contextOf returns who as the functions will see it, in JSON: what json.Marshal
// makes of who.Map(), with less work. It is written for every new token.
func contextOf(who identity.Identity) ([]byte, error) {
	m := who.Map()
	names := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
	slices.Sort(names)
	out := append(make([]byte, 0, 512), '{')
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), name...), `":`...)
		var err error
		if out, err = appendValue(out, m[name]); err != nil {
			return nil, fmt.Errorf("writing identity: %w", err)
		}
	}
	return append(out, '}'), nil
}

func appendValue(out []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case int64:
		return strconv.AppendInt(out, v, 10), nil
	case string:
		if !strings.ContainsFunc(v, special) {
			return append(append(append(out, '"'), v...), '"'), nil
		}
	}
	text, err := json.Marshal(value)
	return append(out, text...), err
}

// special tells whether JSON may write r in another way than as itself.
func special(r rune) bool {
	return r < ' ' || r > '~' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&'
}

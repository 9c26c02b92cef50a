package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// handOn returns the context of an authorizer's answer as a function of the API
// finds it. An HTTP API takes any object and hands it on as it is. The others
// take strings, numbers and booleans, make strings of them, and put the
// principal beside them: "You can't set a JSON object or array as a valid value
// of any key in the context map."
func (k Kind) handOn(principal string, raw json.RawMessage) (json.RawMessage, error) {
	if k.http() {
		return raw, nil
	}
	var members map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &members); err != nil {
			return nil, errors.New("context is not an object")
		}
	}
	out := make(map[string]string, len(members)+1)
	for name, value := range members {
		switch value := value.(type) {
		case string:
			out[name] = value
		case float64:
			out[name] = strconv.FormatFloat(value, 'f', -1, 64)
		case bool:
			out[name] = strconv.FormatBool(value)
		default:
			return nil, fmt.Errorf("context: %s is not a string, a number or a boolean", name)
		}
	}
	out["principalId"] = principal
	return json.Marshal(out)
}

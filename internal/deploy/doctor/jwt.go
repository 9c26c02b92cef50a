package doctor

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// withoutJWT returns serverless.yml without native JWT authorizers and the routes
// that they guard: they are the team's. A text that is no such file is returned as
// it is, for others to refuse.
func withoutJWT(text []byte) []byte {
	var root map[string]any
	if yaml.Unmarshal(text, &root) != nil {
		return text
	}
	provider, _ := root["provider"].(map[string]any)
	api, _ := provider["httpApi"].(map[string]any)
	authorizers, _ := api["authorizers"].(map[string]any)
	native, changed := make(map[string]bool), false
	for name, a := range authorizers {
		if a, _ := a.(map[string]any); a["type"] == "jwt" || a["type"] == nil && a["issuerUrl"] != nil {
			native[name] = true
			delete(authorizers, name)
		}
	}
	functions, _ := root["functions"].(map[string]any)
	for _, f := range functions {
		f, _ := f.(map[string]any)
		events, _ := f["events"].([]any)
		left := slices.DeleteFunc(events, func(e any) bool {
			event, _ := e.(map[string]any)
			route, _ := event["httpApi"].(map[string]any)
			name := route["authorizer"]
			if a, ok := name.(map[string]any); ok {
				if a["type"] == "jwt" || a["type"] == "aws_iam" {
					return true
				}
				name = a["name"]
			}
			word, _ := name.(string)
			return native[word]
		})
		if len(left) < len(events) {
			f["events"], changed = left, true
		}
	}
	if len(native) == 0 && !changed {
		return text
	}
	out, err := yaml.Marshal(root)
	if err != nil {
		return text
	}
	return out
}

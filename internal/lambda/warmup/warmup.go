// Package warmup recognizes the events by which people keep a Lambda function
// warm. A function answers them with [Answer], without an error: there is nothing
// to do, and nothing is wrong.
package warmup

import "encoding/json"

// Answer is what a function returns for such an event.
var Answer = []byte(`{}`)

// Is tells whether payload is an empty object, what serverless-plugin-warmup or
// lambda-warmer send, or a schedule of EventBridge. It is for events that are of no
// other kind.
func Is(payload []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil || members == nil {
		return false
	}
	if len(members) == 0 {
		return true
	}
	for _, request := range []string{"methodArn", "routeArn", "httpMethod", "requestContext"} {
		if _, has := members[request]; has {
			return false
		}
	}
	switch string(members["source"]) {
	case `"serverless-plugin-warmup"`, `"aws.events"`:
		return true
	}
	return string(members["warmer"]) == "true" || string(members["warmup"]) == "true"
}

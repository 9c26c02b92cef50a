package dynamotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// corrected sends requests to the emulator, which takes begins_with on a sort
// key for LIKE of SQL: blind to case, and to all that follows a zero. DynamoDB
// compares bytes (dynoxide 1.2.1 does so in conditions and filters too). So it
// is asked for a range instead.
type corrected struct{ base http.RoundTripper }

var beginsWith = regexp.MustCompile(`begins_with \((#\d+), (:\d+)\)`)

// RoundTrip implements [http.RoundTripper].
func (c corrected) RoundTrip(r *http.Request) (*http.Response, error) {
	if operation(r) != "Query" {
		return c.base.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if body, err = rangeForPrefix(body); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return c.base.RoundTrip(r)
}

// rangeForPrefix asks for the strings from the prefix itself to the prefix and
// the greatest character there is.
func rangeForPrefix(body []byte) ([]byte, error) {
	var query map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&query); err != nil {
		return nil, fmt.Errorf("reading a query: %w", err)
	}
	condition, _ := query["KeyConditionExpression"].(string)
	match := beginsWith.FindStringSubmatch(condition)
	if match == nil {
		return body, nil
	}
	values := query["ExpressionAttributeValues"].(map[string]any)
	prefix := values[match[2]].(map[string]any)["S"].(string)
	values[":end"] = map[string]any{"S": prefix + "\U0010ffff"}
	query["KeyConditionExpression"] = strings.Replace(condition, match[0], match[1]+" BETWEEN "+match[2]+" AND :end", 1)
	return json.Marshal(query)
}

// operation returns the name of the operation that r asks for, such as PutItem.
func operation(r *http.Request) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return name
}

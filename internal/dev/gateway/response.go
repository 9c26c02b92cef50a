package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// response is what a function answered, understood.
type response struct {
	status  int
	headers map[string]string
	cookies []string
	lists   map[string][]string // multiValueHeaders, of payload 1.0
	body    []byte
}

// parseResponse reads an answer in payload format 2.0. Without a statusCode, any
// JSON is the body of a 200; a string is then the text itself.
func parseResponse(raw []byte) (*response, error) {
	if len(raw) > maxEvent {
		return nil, errors.New("an answer over 6 MB")
	}
	raw = bytes.TrimSpace(raw)
	if !json.Valid(raw) {
		return nil, errors.New("an answer that is not JSON")
	}
	var in map[string]json.RawMessage
	if json.Unmarshal(raw, &in) != nil || in["statusCode"] == nil {
		out := &response{status: http.StatusOK, headers: map[string]string{"Content-Type": "application/json"}, body: raw}
		var text string
		if json.Unmarshal(raw, &text) == nil && raw[0] == '"' {
			out.body = []byte(text)
		}
		return out, nil
	}
	out := &response{headers: make(map[string]string)}
	if err := json.Unmarshal(in["statusCode"], &out.status); err != nil || out.status < 200 || out.status > 599 {
		return nil, errors.New("statusCode is not a status")
	}
	if err := out.readBody(in); err != nil {
		return nil, err
	}
	return out, out.readHeaders(in)
}

func (out *response) readBody(in map[string]json.RawMessage) error {
	var text string
	var encoded bool
	if err := read(in, "body", &text); err != nil {
		return err
	}
	if err := read(in, "isBase64Encoded", &encoded); err != nil {
		return err
	}
	out.body = []byte(text)
	if encoded {
		var err error
		if out.body, err = base64.StdEncoding.DecodeString(text); err != nil {
			return errors.New("body is not base64")
		}
	}
	return nil
}

func (out *response) readHeaders(in map[string]json.RawMessage) error {
	var headers map[string]any
	if err := read(in, "headers", &headers); err != nil {
		return err
	}
	for name, value := range headers {
		switch value := value.(type) {
		case string:
			out.headers[name] = value
		case float64, bool:
			out.headers[name] = fmt.Sprint(value)
		default:
			return fmt.Errorf("header %s is not a string", name)
		}
	}
	if err := read(in, "cookies", &out.cookies); err != nil {
		return err
	}
	for _, value := range out.cookies {
		if strings.ContainsAny(value, "\r\n\x00") {
			return errors.New("a cookie of several lines")
		}
	}
	for name, value := range out.headers {
		if err := checkHeader(name, value); err != nil {
			return err
		}
	}
	return nil
}

// errNoStatus says that a response in payload format 1.0 has no statusCode.
var errNoStatus = errors.New("a response without statusCode: payload 1.0 wants one")

func checkHeader(name, value string) error {
	if strings.ContainsAny(name+value, "\r\n\x00") || strings.ContainsAny(name, " :") || name == "" {
		return errors.New("a header that is none")
	}
	return nil
}

// read decodes one member of an answer. null and absence are the zero value.
func read(in map[string]json.RawMessage, name string, into any) error {
	if in[name] == nil {
		return nil
	}
	if err := json.Unmarshal(in[name], into); err != nil {
		return fmt.Errorf("%s is of the wrong type", name)
	}
	return nil
}

// write writes the response. adjust has the last word on its headers.
func (out *response) write(w http.ResponseWriter, adjust func(http.Header)) {
	h := w.Header()
	for name, value := range out.headers {
		h.Set(name, value)
	}
	for name, values := range out.lists {
		h.Del(name)
		for _, value := range values {
			h.Add(name, value)
		}
	}
	h.Del("Content-Length")
	for _, cookie := range out.cookies {
		h.Add("Set-Cookie", cookie)
	}
	if h.Get("Content-Type") == "" && len(out.body) > 0 {
		h.Set("Content-Type", "text/plain;charset=UTF-8")
	}
	adjust(h)
	w.WriteHeader(out.status)
	w.Write(out.body) // an error is the client's going away
}

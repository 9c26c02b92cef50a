package smoke

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// bearer is what a call carries.
type bearer int

const (
	nothing  bearer = iota
	garbage         // no token of anybody
	theirs          // the token of the configuration
	tampered        // the same, with another signature
)

// call is a request and the answers that are right.
type call struct {
	name   string
	path   string
	bearer bearer
	want   []int
}

var matrix = []call{
	{"without a token, GET /me is 401", "/me", nothing, []int{401}},
	{"without a token, GET /users is 401", "/users", nothing, []int{401}},
	{"with garbage, GET /me is 403", "/me", garbage, []int{401, 403}},
	{"with a token, GET /me is 200", "/me", theirs, []int{200}},
	{"with a changed signature, GET /me is 403", "/me", tampered, []int{401, 403}},
	{"without the role, GET /users is 403", "/users", theirs, []int{403}},
	{"without the role, GET /audit is 403", "/audit", theirs, []int{403}},
	{"a route that is not there is 404", "/smoke-test-of-nothing", nothing, []int{404}},
}

func (c *Config) call(ctx context.Context, call call) error {
	authorization := ""
	switch call.bearer {
	case garbage:
		authorization = "Bearer made.up.token"
	case theirs:
		authorization = "Bearer " + c.Token
	case tampered:
		authorization = "Bearer " + tamper(c.Token)
	}
	status, _, err := c.get(ctx, call.path, authorization)
	if err != nil {
		return err
	}
	if !slices.Contains(call.want, status) {
		return fmt.Errorf("answers %d", status)
	}
	return nil
}

// tamper changes a letter in the middle of the signature, all of whose bits
// count.
func tamper(raw string) string {
	b := []byte(raw)
	at := max(0, len(b)-20)
	if len(b) == 0 {
		return ""
	}
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return string(b)
}

func (c *Config) get(ctx context.Context, path, authorization string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return 0, "", err
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := c.Client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, string(body), err
}

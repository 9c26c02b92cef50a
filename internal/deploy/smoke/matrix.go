package smoke

import (
	"context"
	"errors"
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
	{"a route that is not there is 404, or 401 behind a guarded $default", "/smoke-test-of-nothing", nothing, []int{404, 401}},
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
	got, err := c.get(ctx, call.path, authorization)
	switch {
	case err != nil:
		return err
	case got.status == http.StatusInternalServerError && (call.bearer == garbage || call.bearer == tampered):
		return errors.New("answers 500: the authorizer fails, or has GATEHOUSE_REFUSAL=unauthorized and this API makes no 401 of it: take the variable out")
	case !slices.Contains(call.want, got.status):
		return fmt.Errorf("answers %d", got.status)
	}
	return nil
}

// refusal finds out what a client sees of a token that is refused. AWS documents
// neither the status of an authorizer that fails with Unauthorized nor the header.
func (c *Config) refusal(ctx context.Context) (string, error) {
	got, err := c.get(ctx, "/me", "Bearer made.up.token")
	if err != nil {
		return "", err
	}
	header := "without WWW-Authenticate"
	for _, name := range []string{"WWW-Authenticate", "X-Amzn-Remapped-Www-Authenticate"} {
		if got.header.Get(name) != "" {
			header = "with " + name
		}
	}
	meaning := ""
	if got.status == http.StatusForbidden {
		meaning = ", which a valid token without the role or scope also gets"
	}
	if got.status == http.StatusUnauthorized {
		meaning = ", as with GATEHOUSE_REFUSAL=unauthorized: a page can tell it from a missing role or scope"
	}
	return fmt.Sprintf("%d %s%s", got.status, header, meaning), nil
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

type response struct {
	status int
	header http.Header
	body   string
}

func (c *Config) get(ctx context.Context, path, authorization string) (response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return response{}, err
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := c.Client.Do(r)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return response{resp.StatusCode, resp.Header, string(body)}, err
}

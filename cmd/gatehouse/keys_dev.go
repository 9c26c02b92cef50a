package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
	"github.com/gatehouse-auth/gatehouse/internal/dev/tour"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
)

// devRing is the ring of a running gatehouse dev, asked over HTTP on behalf of
// Ada, who is an admin there.
type devRing struct {
	url, rawToken string
}

func openDevRing(ctx context.Context, at string, w *process) (ring, error) {
	tokens, err := signin.Do(ctx, signin.Request{URL: at, User: "ada", ClientID: tour.ClientID})
	if errors.Is(err, signin.ErrNotRunning) {
		return nil, fmt.Errorf("%w: start it with: %s dev, or name the table of a stack with --table", err, w.self)
	}
	if err != nil {
		return nil, err
	}
	return devRing{at, tokens.AccessToken}, nil
}

func (d devRing) View(ctx context.Context) (view keyring.View, err error) {
	body, err := d.ask(ctx, http.MethodGet, "/demo/keys")
	if err != nil {
		return view, err
	}
	return view, json.Unmarshal(body, &view)
}

// Check finds nothing wrong: the keys are in the memory of the process that
// answers.
func (d devRing) Check(context.Context) error { return nil }

func (d devRing) Rotate(ctx context.Context) error {
	_, err := d.ask(ctx, http.MethodPost, "/demo/keys/rotate")
	return err
}

func (d devRing) Compromise(ctx context.Context, id string) error {
	_, err := d.ask(ctx, http.MethodPost, "/demo/keys/"+url.PathEscape(id)+"/compromise")
	return err
}

func (d devRing) Export(ctx context.Context) ([]byte, error) {
	return d.ask(ctx, http.MethodGet, "/.well-known/jwks.json")
}

// ask returns the body of a good answer, or the detail of a bad one.
func (d devRing) ask(ctx context.Context, method, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, d.url+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+d.rawToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode == http.StatusOK {
		return body, err
	}
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
		return nil, fmt.Errorf("%s answers %s", d.url, resp.Status)
	}
	return nil, errors.New(problem.Detail)
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/issuers"
	"github.com/gatehouse-auth/gatehouse/internal/setup/guard"
)

// handler is the authorizer as a lambda.Handler, which is given the bytes of the
// event and not a decoded one.
type handler struct{ *authorizer.Authorizer }

func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return h.Handle(ctx, payload)
}

// build reads the configuration and returns the handler. It asks nobody: the
// first request does, if it must.
// Its variables are those of [guard.Settings].
//
// Beside the program (in LAMBDA_TASK_ROOT) there may lie policy.json, the
// compiled route rules; jwks.json, the issuer's keys at the time of deployment;
// issuers.json, other issuers whose tokens are accepted; and settings.json, the values
// of variables that the function does not set.
func build(getenv func(string) string, log *slog.Logger) (handler, error) {
	folder := getenv("LAMBDA_TASK_ROOT")
	getenv, err := withSettings(getenv, filepath.Join(folder, "settings.json"))
	if err != nil {
		return handler{}, err
	}
	c, err := guard.Settings(getenv)
	rules, err2 := readPolicy(filepath.Join(folder, "policy.json"), log)
	jwks, err3 := readOptional(filepath.Join(folder, "jwks.json"))
	others, err4 := readIssuers(filepath.Join(folder, issuers.File), c.Issuer, log)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return handler{}, err
	}
	var client *http.Client
	if !c.FreshOnly || rules.HasFresh() {
		// Keys and revocations come over one connection: at 128 MB a handshake
		// takes a good part of a cold start.
		client = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1}}
		c.Revocations, err = authorizer.NewFeed(authorizer.FeedConfig{URL: c.Issuer + "/revocations", Client: client, Log: log})
		if err != nil {
			return handler{}, err
		}
	}
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{
		URL: c.Issuer + "/.well-known/jwks.json", Embedded: jwks, Client: client, Log: log,
	})
	if err != nil {
		return handler{}, err
	}
	c.Keys, c.Policy, c.Issuers, c.Log = keys.Key, rules, others, log
	a, err := authorizer.New(c)
	return handler{a}, err
}

// withSettings returns getenv extended by the variables of a file, if it is there.
// Those of the function go first.
func withSettings(getenv func(string) string, path string) (func(string) string, error) {
	data, err := readOptional(path)
	if err != nil || data == nil {
		return getenv, err
	}
	var settings map[string]string
	if err := json.Unmarshal(data, &settings); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return func(name string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return settings[name]
	}, nil
}

// readPolicy reads the route rules. Without the file there are none, and the log
// says what that means.
func readPolicy(path string, log *slog.Logger) (*policy.Policy, error) {
	data, err := readOptional(path)
	if err != nil {
		return nil, err
	}
	if data == nil {
		log.Warn("no policy.json beside the program: users of first-party clients can call every route, and an IAM policy allows none")
		return nil, nil
	}
	p, err := policy.Load(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// readIssuers reads the other issuers. Without the file there are none.
func readIssuers(path, own string, log *slog.Logger) ([]authorizer.Issuer, error) {
	data, err := readOptional(path)
	if err != nil || data == nil {
		return nil, err
	}
	all, err := issuers.Load(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return guard.Issuers(own, all, nil, log)
}

// readOptional returns what the file holds, and nil if there is none.
func readOptional(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

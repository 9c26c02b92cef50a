package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/env"
)

// handler is the authorizer as a lambda.Handler, which is given the bytes of the
// event and not a decoded one.
type handler struct{ *authorizer.Authorizer }

func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return h.Handle(ctx, payload)
}

// build reads the configuration and returns the handler. It asks nobody: the
// first request does, if it must.
//
//	GATEHOUSE_ISSUER      the issuer; its keys are at /.well-known/jwks.json, and
//	                      who has been revoked at /revocations
//	GATEHOUSE_AUDIENCE    the API that is guarded
//	GATEHOUSE_ANSWER      "simple" (also if not set) or "iam", for HTTP APIs
//	GATEHOUSE_REVOCATIONS "on" (also if not set): ask the issuer at /revocations
//	                      which tokens are dead; "off": a token lives until it
//	                      expires
//
// Beside the program (in LAMBDA_TASK_ROOT) there may lie policy.json, the
// compiled route rules, and jwks.json, the issuer's keys at the time of
// deployment.
func build(getenv func(string) string, log *slog.Logger) (handler, error) {
	e := env.Reader{Get: getenv}
	issuer, audience := e.URL("GATEHOUSE_ISSUER"), e.String("GATEHOUSE_AUDIENCE")
	answer, err := choice(&e, "GATEHOUSE_ANSWER", "simple", "iam")
	mistakes := []error{e.Err(), err}
	revocations, err := choice(&e, "GATEHOUSE_REVOCATIONS", "on", "off")
	mistakes = append(mistakes, err)
	folder := getenv("LAMBDA_TASK_ROOT")
	rules, err := readPolicy(filepath.Join(folder, "policy.json"), log)
	mistakes = append(mistakes, err)
	jwks, err := readOptional(filepath.Join(folder, "jwks.json"))
	mistakes = append(mistakes, err)
	if err := errors.Join(mistakes...); err != nil {
		return handler{}, err
	}
	keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{
		URL: issuer + "/.well-known/jwks.json", Embedded: jwks, Log: log,
	})
	if err != nil {
		return handler{}, err
	}
	c := authorizer.Config{
		Issuer: issuer, Audience: audience, Keys: keys.Key, Policy: rules, IAM: answer == "iam", Log: log,
	}
	if revocations == "on" {
		if c.Revocations, err = authorizer.NewFeed(authorizer.FeedConfig{URL: issuer + "/revocations", Log: log}); err != nil {
			return handler{}, err
		}
	}
	a, err := authorizer.New(c)
	return handler{a}, err
}

// choice reads a setting that is one of two; the first if it is not set.
func choice(e *env.Reader, name, first, second string) (string, error) {
	value := e.Optional(name, first)
	if value != first && value != second {
		return "", fmt.Errorf("%s: want %s or %s, not %q", name, first, second, value)
	}
	return value, nil
}

// readPolicy reads the route rules. Without the file, every route needs a valid
// token and nothing more, and the log says so.
func readPolicy(path string, log *slog.Logger) (*policy.Policy, error) {
	data, err := readOptional(path)
	if err != nil {
		return nil, err
	}
	if data == nil {
		log.Warn("no policy.json beside the program: every route is open to every valid token")
		return nil, nil
	}
	p, err := policy.Load(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// readOptional returns what the file holds, and nil if there is none.
func readOptional(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

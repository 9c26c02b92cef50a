package lambdazip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
)

// AuthorizerConfig says which authorizer to build.
type AuthorizerConfig struct {
	Source Source
	Config string // gatehouse.yml, with issuer and routes
	Out    string
	Arch   string // GOARCH

	Getenv func(string) string // GATEHOUSE_ISSUER and GATEHOUSE_AUDIENCE
	Keys   *http.Client        // fetches the issuer's keys; nil: they are not built in
}

// Authorizer writes authorizer.zip for an API of a team: with its rules, and with
// issuer and audience, so that the function needs no variables. It returns why
// the issuer's keys are not in it, "" if they are.
func Authorizer(ctx context.Context, c AuthorizerConfig) (a Artifact, without string, err error) {
	text, err := os.ReadFile(c.Config)
	if err != nil {
		return Artifact{}, "", err
	}
	cfg, err := config.Parse(c.Config, text, c.Getenv)
	if err != nil {
		return Artifact{}, "", err
	}
	if len(cfg.Routes) == 0 {
		return Artifact{}, "", fmt.Errorf("%s: routes: not set: give each route of your API a rule", c.Config)
	}
	rules, err := policy.Compile(cfg.Routes)
	if err != nil {
		return Artifact{}, "", fmt.Errorf("%s: %w", c.Config, err)
	}
	compiled, err := json.Marshal(rules)
	if err != nil {
		return Artifact{}, "", fmt.Errorf("compiling the route rules: %w", err)
	}
	settings, err := json.Marshal(map[string]string{"GATEHOUSE_ISSUER": cfg.Issuer, "GATEHOUSE_AUDIENCE": cfg.Audience})
	if err != nil {
		return Artifact{}, "", err
	}
	files := []File{{Name: "policy.json", Data: compiled}, {Name: "settings.json", Data: settings}}
	others, err := otherIssuers(c.Config, cfg)
	if err != nil {
		return Artifact{}, "", err
	}
	files = append(files, others...)
	exported, err := published(filepath.Dir(c.Config))
	if err != nil {
		return Artifact{}, "", err
	}
	if exported == nil && c.Keys != nil {
		document, err := fetchKeys(ctx, c.Keys, cfg.Issuer)
		if err != nil {
			without = err.Error()
		} else {
			exported = []File{{Name: "jwks.json", Data: document}}
		}
	}
	a, err = Program(ctx, c.Source, "authorizer", c.Out, c.Arch, append(files, exported...))
	return a, without, err
}

// fetchKeys returns the issuer's public keys.
func fetchKeys(ctx context.Context, client *http.Client, issuer string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer+"/.well-known/jwks.json", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, errors.New("the issuer does not answer")
	}
	defer resp.Body.Close()
	document, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answers %d", resp.StatusCode)
	}
	if _, err := jwks.Parse(document); err != nil {
		return nil, fmt.Errorf("the issuer's keys: %w", err)
	}
	return document, nil
}

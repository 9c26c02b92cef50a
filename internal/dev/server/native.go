package server

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/env"
)

// native gives JWT authorizers the keys of their issuers. The issuer and the
// audience that gatehouse.yml has in AWS are those of this run.
func (a *assembly) native(declared *gateway.Authorizer) {
	j := *declared.JWT
	issuer, audience := a.deployed()
	if issuer != "" && j.Issuer == issuer {
		j.Issuer = a.config.Issuer
	}
	j.Audiences = append([]string(nil), j.Audiences...)
	for i, name := range j.Audiences {
		if name != "" && name == audience {
			j.Audiences[i] = a.config.Audience
		}
	}
	j.Key = (&discovered{issuer: j.Issuer, source: func(url string) (*authorizer.KeySource, error) {
		return authorizer.NewKeySource(authorizer.KeySourceConfig{URL: url, Timeout: fetchTimeout, Now: a.Now, Log: a.log})
	}}).key
	declared.JWT = &j
}

// deployed returns the issuer and the audience of gatehouse.yml in AWS, or "".
func (a *assembly) deployed() (issuer, audience string) {
	var file struct {
		Issuer   string `yaml:"issuer"`
		Audience string `yaml:"audience"`
	}
	if _, text, err := readOr(a.Config, "gatehouse.yml", "--config"); err != nil || yaml.Unmarshal(text, &file) != nil || file.Issuer == "" {
		return "", file.Audience
	}
	if file.Audience == "" {
		file.Audience = file.Issuer + "/api"
	}
	return file.Issuer, file.Audience
}

// nativeFindings tells what dev does of authorizers that call no function.
func (a *assembly) nativeFindings() []string {
	var out []string
	for _, t := range []*gateway.Template{a.team.HTTP, a.team.REST} {
		if t == nil {
			continue
		}
		for _, g := range t.Authorizers {
			switch {
			case g.Unverified != "":
				out = append(out, "authorizer "+g.Name+": dev cannot verify "+g.Unverified+": it refuses every request of its routes")
			case g.JWT == nil || g.JWT.Issuer == a.config.Issuer:
			case env.CheckURL(g.JWT.Issuer) != nil || strings.Contains(g.JWT.Issuer, ".local-1."):
				out = append(out, "authorizer "+g.Name+": its issuer "+g.JWT.Issuer+" is known in AWS alone: dev refuses every request of its routes")
			default:
				out = append(out, "authorizer "+g.Name+": its issuer is "+g.JWT.Issuer+", and dev asks there for keys, as API Gateway does: tokens of dev open none of its routes")
			}
		}
	}
	return out
}

// discovered finds the keys of an issuer by its metadata, when they are needed.
type discovered struct {
	issuer string
	source func(jwksURL string) (*authorizer.KeySource, error)

	mu   sync.Mutex
	keys *authorizer.KeySource // nil: not found yet
}

func (d *discovered) key(ctx context.Context, keyID string) (*rsa.PublicKey, error) {
	keys, err := d.find(ctx)
	if err != nil {
		return nil, fmt.Errorf("the keys of %s cannot be had: %w", d.issuer, err)
	}
	return keys.Key(ctx, keyID)
}

func (d *discovered) find(ctx context.Context) (*authorizer.KeySource, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.keys != nil {
		return d.keys, nil
	}
	if err := env.CheckURL(d.issuer); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(d.issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var metadata struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK || json.Unmarshal(body, &metadata) != nil:
		return nil, fmt.Errorf("its metadata answer %d", resp.StatusCode)
	case metadata.Issuer != d.issuer:
		return nil, errors.New("its metadata are of another issuer")
	}
	d.keys, err = d.source(metadata.JWKSURI)
	return d.keys, err
}

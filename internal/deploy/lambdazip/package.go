package lambdazip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/issuers"
	"github.com/gatehouse-auth/gatehouse/internal/setup/guard"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
)

// Package writes NAME.zip into out for each Lambda main under cmd, examples and
// functions of the module in root, for arch: "" is arm64.
func Package(ctx context.Context, root, out, arch string) ([]Artifact, error) {
	files, err := files(root)
	if err != nil {
		return nil, err
	}
	return Build(ctx, Config{
		Root: root, Out: out, Arch: arch,
		Files: func(function string) ([]File, error) { return files[function], nil },
	})
}

// files returns what goes into the zips beside the programs. The authorizer is
// given the compiled route rules, because it runs on every request and parses no
// YAML; both who verifies and who publishes, the keys that `gatehouse keys
// export > jwks.json` has written, if that was done.
func files(root string) (map[string][]File, error) {
	return filesOf(filepath.Join(root, "gatehouse.yml"), root, (*config.Config).CheckOwn)
}

// filesOf is files for the gatehouse.yml at path, and exported keys in a folder.
//
// check refuses what is right in the file and wrong for the API; it can be nil.
func filesOf(path, root string, check func(*config.Config) error) (map[string][]File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse(path, text, deployed)
	if err != nil {
		return nil, err
	}
	if check != nil {
		if err := check(cfg); err != nil {
			return nil, err
		}
	}
	rules, err := policy.Compile(cfg.Rules())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	compiled, err := json.Marshal(rules)
	if err != nil {
		return nil, fmt.Errorf("compiling the route rules: %w", err)
	}
	beside := []File{{Name: "policy.json", Data: compiled}}
	others, err := otherIssuers(path, cfg)
	if err != nil {
		return nil, err
	}
	beside = append(beside, others...)
	published, err := published(root)
	if err != nil {
		return nil, err
	}
	configuration := []File{{Name: "gatehouse.yml", Data: text}} // under this name in every zip
	return map[string][]File{
		"authorizer": append(beside, published...),
		"loginsvc":   slices.Concat(configuration, published),
		"usersvc":    configuration,
	}, nil
}

// otherIssuers returns the file about issuers that are not ours, if there are any.
func otherIssuers(path string, cfg *config.Config) ([]File, error) {
	if len(cfg.Issuers) == 0 {
		return nil, nil
	}
	if err := guard.CheckIssuers(cfg.Issuer, cfg.Issuers); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	data, err := issuers.Marshal(cfg.Issuers)
	if err != nil {
		return nil, fmt.Errorf("writing the issuers: %w", err)
	}
	return []File{{Name: issuers.File, Data: data}}, nil
}

// published returns the exported keys, if there are any. They are public.
func published(root string) ([]File, error) {
	path := filepath.Join(root, "jwks.json")
	document, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		_, err = jwks.Parse(document)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: delete it, or write it again with: gatehouse keys export > jwks.json", path, err)
	}
	return []File{{Name: "jwks.json", Data: document}}, nil
}

// deployed stands for the variables of a stack that is still to be: its issuer
// is some https address, and its secrets are not known here.
func deployed(name string) string {
	if name == "GATEHOUSE_ISSUER" {
		return "https://issuer.invalid"
	}
	return ""
}

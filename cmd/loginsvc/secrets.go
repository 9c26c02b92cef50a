package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/gatehouse-auth/gatehouse/internal/config"
)

// withSecrets reads the configuration twice at most: what it asks for and getenv
// does not have is fetched in between, all at once. fetch leaves out what it does
// not know.
func withSecrets(ctx context.Context, file string, getenv func(string) string, fetch func(context.Context, []string) (map[string]string, error)) (*config.Config, error) {
	var missing []string
	cfg, err := config.Load(file, func(name string) string {
		value := getenv(name)
		if value == "" && !strings.HasPrefix(name, "GATEHOUSE_") && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
		return value
	})
	if err != nil || len(missing) == 0 {
		return refuseWeak(cfg, err)
	}
	secrets, err := fetch(ctx, missing)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", strings.Join(missing, ", "), err)
	}
	return refuseWeak(config.Load(file, func(name string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return secrets[name]
	}))
}

// refuseWeak refuses a configuration with a secret that can be guessed.
func refuseWeak(cfg *config.Config, err error) (*config.Config, error) {
	if err != nil {
		return nil, err
	}
	if err := errors.Join(cfg.WeakSecrets()...); err != nil {
		return nil, err
	}
	return cfg, nil
}

// parametersAtOnce is how many parameters SSM gives in one answer.
const parametersAtOnce = 10

// fetch returns the parameters with these names under path, decrypted.
func fetch(ctx context.Context, client *ssm.Client, path string, names []string) (map[string]string, error) {
	found := make(map[string]string)
	for some := range slices.Chunk(names, parametersAtOnce) {
		in := &ssm.GetParametersInput{WithDecryption: aws.Bool(true)}
		for _, name := range some {
			in.Names = append(in.Names, path+"/"+name)
		}
		out, err := client.GetParameters(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, p := range out.Parameters {
			found[strings.TrimPrefix(aws.ToString(p.Name), path+"/")] = aws.ToString(p.Value)
		}
	}
	return found, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatehouse-auth/gatehouse"
	houseconfig "github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// openTable returns the clients of a deployment, and the Region of its table.
func (f clientsFlags) openTable(ctx context.Context, w *process) (registry.Admin, string, error) {
	cfg, err := readNames(f.Config, w.getenv)
	if err != nil {
		return registry.Admin{}, "", err
	}
	aws, err := awsConfig(ctx)
	if err != nil {
		return registry.Admin{}, "", err
	}
	return registry.Admin{
		Clients: &registry.Clients{Table: dynamotable.New(dynamodb.NewFromConfig(aws), f.Table), Limits: cfg.Limits()},
		File:    cfg.Clients, By: usersvc.By{Operator: f.Operator},
	}, aws.Region, nil
}

// readNames reads the configuration for the sake of the names in it: it needs no
// issuer.
func readNames(path string, getenv func(string) string) (*houseconfig.Config, error) {
	const usual = "gatehouse.yml"
	name := path
	if name == "" {
		name = usual
	}
	text, err := os.ReadFile(name)
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		text, err = gatehouse.Files.ReadFile(usual)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return houseconfig.Parse(name, text, func(name string) string {
		if value := getenv(name); value != "" || name != "GATEHOUSE_ISSUER" {
			return value
		}
		return devURL
	})
}

// devClients are the clients of a running gatehouse dev.
type devClients struct{ *service }

const clientsPath = "/demo/clients"

func clientPath(id string) string { return clientsPath + "/" + url.PathEscape(id) }

func (d devClients) Views(ctx context.Context) ([]registry.View, error) {
	var page items[registry.View]
	return page.Items, d.get(ctx, clientsPath, &page)
}

func (d devClients) View(ctx context.Context, id string) (v registry.View, err error) {
	return v, d.get(ctx, clientPath(id), &v)
}

func (d devClients) Register(ctx context.Context, id string, settings registry.Edits, confidential bool) (client.Secret, error) {
	return d.secret(ctx, clientsPath, server.NewClient{ID: id, Public: !confidential, Edits: settings})
}

func (d devClients) Change(ctx context.Context, id string, version int64, edits registry.Edits) (v registry.View, err error) {
	return v, d.ask(ctx, http.MethodPatch, clientPath(id)+"?version="+strconv.FormatInt(version, 10), nil, edits, &v)
}

func (d devClients) NewSecret(ctx context.Context, id string) (client.Secret, error) {
	return d.secret(ctx, clientPath(id)+"/secret", struct{}{})
}

func (d devClients) EndOldSecret(ctx context.Context, id string) error {
	return d.ask(ctx, http.MethodDelete, clientPath(id)+"/secret", nil, nil, nil)
}

func (d devClients) Unregister(ctx context.Context, id string) error {
	return d.ask(ctx, http.MethodDelete, clientPath(id), nil, nil, nil)
}

func (d devClients) secret(ctx context.Context, path string, body any) (client.Secret, error) {
	var made struct {
		Secret string `json:"client_secret"`
	}
	err := d.ask(ctx, http.MethodPost, path, nil, body, &made)
	return client.Secret(made.Secret), err
}

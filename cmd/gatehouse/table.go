package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatehouse-auth/gatehouse"
	"github.com/gatehouse-auth/gatehouse/internal/loopback"
	"github.com/gatehouse-auth/gatehouse/internal/table/definition"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
)

type tableCommand struct {
	Create tableCreateCommand `cmd:"" help:"Make a table for tests or for local use. The table of a deployment is made by make deploy."`
}

type tableCreateCommand struct {
	Name     string `required:"" placeholder:"NAME" help:"The name of the table."`
	Endpoint string `placeholder:"URL" help:"Where DynamoDB is, such as http://localhost:8000 for an emulator (what the AWS configuration says)."`
	Template string `placeholder:"FILE" help:"The serverless.yml with the definition (that of this folder; where there is none, the built-in one)."`
	outputFlag
}

// Run makes the table, if it is not there.
func (c *tableCreateCommand) Run(w *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	text, err := c.template()
	if err != nil {
		return err
	}
	in, err := definition.Parse(text, c.Name)
	if err != nil {
		return err
	}
	cfg, err := c.config(ctx, w.getenv)
	if err != nil {
		return err
	}
	where := "the region " + cfg.Region
	if cfg.BaseEndpoint != nil {
		where = *cfg.BaseEndpoint
	}
	if err := w.target("DynamoDB table %s at %s", c.Name, where); err != nil {
		return err
	}
	made, err := dynamotable.Ensure(ctx, dynamodb.NewFromConfig(cfg), in)
	if err != nil {
		return err
	}
	if c.json() {
		return w.printJSON(map[string]any{"table": c.Name, "made": made})
	}
	if !made {
		_, err = fmt.Fprintf(w.stdout, "table %s is there already, as serverless.yml defines it\n", c.Name)
		return err
	}
	_, err = fmt.Fprintf(w.stdout, "table %s made, as serverless.yml defines it\n", c.Name)
	return err
}

// template is the text of the serverless.yml that counts.
func (c *tableCreateCommand) template() ([]byte, error) {
	if c.Template != "" {
		return os.ReadFile(c.Template)
	}
	text, err := os.ReadFile("serverless.yml")
	if errors.Is(err, fs.ErrNotExist) {
		return gatehouse.Files.ReadFile("serverless.yml")
	}
	return text, err
}

// config is the AWS configuration of this machine. An emulator on this machine
// needs none: it takes any credentials, and is not sent real ones.
func (c *tableCreateCommand) config(ctx context.Context, getenv func(string) string) (aws.Config, error) {
	endpoint := c.Endpoint
	if endpoint == "" {
		endpoint = getenv("AWS_ENDPOINT_URL_DYNAMODB")
	}
	if onThisMachine(endpoint) {
		keys := credentials.NewStaticCredentialsProvider("local", "local", "")
		return aws.Config{Region: "us-east-1", Credentials: keys, BaseEndpoint: &endpoint}, nil
	}
	cfg, err := awsConfig(ctx)
	if err != nil {
		return cfg, err
	}
	if c.Endpoint != "" {
		cfg.BaseEndpoint = &c.Endpoint
	}
	return cfg, nil
}

// onThisMachine tells whether a URL leads to a loopback address.
func onThisMachine(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && loopback.URL(u)
}

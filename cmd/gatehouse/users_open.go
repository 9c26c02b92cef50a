package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatehouse-auth/gatehouse"
	houseconfig "github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/setup"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// tableFlags say which table is meant: the one that a gatehouse dev has kept, or
// that of a stack in AWS. Who has the table in hand needs no role.
type tableFlags struct {
	Data   string `placeholder:"DIR" xor:"where" help:"The folder of a gatehouse dev --data that is not running."`
	Table  string `env:"GATEHOUSE_TABLE" xor:"where" placeholder:"NAME" help:"The DynamoDB table of a stack in AWS."`
	Config string `placeholder:"FILE" help:"The configuration, for the names in it (gatehouse.yml here; where there is none, the built-in one)."`
}

// operatorFlags say who uses the command.
type operatorFlags struct {
	Operator string `env:"USER" default:"somebody" placeholder:"NAME" help:"Who you are, for the audit trail (${env})."`
}

func (f operatorFlags) by() usersvc.By { return usersvc.By{Operator: f.Operator} }

// usersFlags say whose users are meant.
type usersFlags struct {
	tableFlags
	operatorFlags
}

// use calls do with the users, until Ctrl-C.
func (f usersFlags) use(w *process, do func(context.Context, *usersvc.Users) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cfg, err := f.config(w.getenv)
	if err != nil {
		return err
	}
	t, done, err := f.open(ctx, w, "stop it first, or use its API as an admin")
	if err != nil {
		return err
	}
	return errors.Join(explained(do(ctx, setup.Users(cfg, t)), cfg), done())
}

// useOn calls do with one of the users.
func (f usersFlags) useOn(w *process, name string, do func(context.Context, *usersvc.Users, usersvc.User) error) error {
	return f.use(w, func(ctx context.Context, users *usersvc.Users) error {
		u, err := findUser(ctx, users, name)
		if err != nil {
			return err
		}
		return do(ctx, users, u)
	})
}

// changeOn calls do with one of the users, and prints what has become of them.
func (f usersFlags) changeOn(w *process, name string, do func(context.Context, *usersvc.Users, usersvc.User) (usersvc.User, error)) error {
	return f.useOn(w, name, func(ctx context.Context, users *usersvc.Users, u usersvc.User) error {
		u, err := do(ctx, users, u)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
		writeUserTo(table, u)
		return table.Flush()
	})
}

// open opens the table. The caller calls done. The advice is for who has a
// gatehouse dev running on it.
func (f tableFlags) open(ctx context.Context, w *process, advice string) (t table.Table, done func() error, err error) {
	switch {
	case f.Data != "":
		path := filepath.Join(f.Data, "gatehouse.db")
		if _, err := os.Stat(path); err != nil {
			return nil, nil, fmt.Errorf("%w: want the folder that %s dev --data has kept", err, w.self)
		}
		bolt, err := bolttable.Open(path, bolttable.Options{})
		if errors.Is(err, bolttable.ErrInUse) {
			return nil, nil, fmt.Errorf("%s is in use by a gatehouse dev: %s", f.Data, advice)
		}
		if err != nil {
			return nil, nil, err
		}
		return bolt, bolt.Close, nil
	case f.Table != "":
		cfg, err := awsConfig(ctx)
		if err != nil {
			return nil, nil, err
		}
		return dynamotable.New(dynamodb.NewFromConfig(cfg), f.Table), func() error { return nil }, nil
	}
	return nil, nil, errors.New("which table? Name the folder of a gatehouse dev with --data, or the table of a stack with --table")
}

// config reads the configuration for the sake of the names in it: it needs no
// issuer.
func (f tableFlags) config(getenv func(string) string) (*houseconfig.Config, error) {
	const usual = "gatehouse.yml"
	path := usual
	if f.Config != "" {
		path = f.Config
	}
	text, err := os.ReadFile(path)
	if f.Config == "" && errors.Is(err, fs.ErrNotExist) {
		text, err = gatehouse.Files.ReadFile(usual)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return houseconfig.Parse(path, text, func(name string) string {
		if value := getenv(name); value != "" || name != "GATEHOUSE_ISSUER" {
			return value
		}
		return "http://localhost:8787"
	})
}

// explained adds to an error what to do about it.
func explained(err error, cfg *houseconfig.Config) error {
	switch {
	case errors.Is(err, usersvc.ErrUnknownRole):
		var names []string
		for _, r := range cfg.Roles {
			names = append(names, r.Name)
		}
		return fmt.Errorf("%w: gatehouse.yml declares %s", err, strings.Join(names, ", "))
	case errors.Is(err, usersvc.ErrLastAdmin):
		return fmt.Errorf("%w: make somebody else an admin first", err)
	case errors.Is(err, usersvc.ErrVersion):
		return fmt.Errorf("%w: somebody has changed them meanwhile; try again", err)
	}
	return err
}

// printable is text from outside as a terminal may show it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

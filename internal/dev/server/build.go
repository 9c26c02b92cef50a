package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
	"github.com/gatehouse-auth/gatehouse/internal/dev/functions"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// builder makes what lives as long as the process: the demo provider and the
// ring of keys. What gatehouse.yml and the template say is an [assembly].
type builder struct {
	Options
	issuer  string
	demoURL string
	store   *store

	log    *slog.Logger // for the parts
	ring   *keyring.Keyring
	past   *keyring.Keyring // the same ring, a day behind
	tended chan struct{}    // closed when the ring has a next key
	secret client.Secret    // of Gatehouse at the demo provider
}

const demoProviderID = "demo"

// start opens the ring of keys and returns the demo provider.
func (b *builder) start(ctx context.Context) (provider http.Handler, err error) {
	b.log = slog.New(record{b.Log.Handler()})
	b.secret = client.Secret(rand.Text())
	provider = here(newWaiting(func() (http.Handler, error) { return b.demoProvider() }))
	return provider, b.openRing(ctx)
}

func (b *builder) demoProvider() (*demoidp.Provider, error) {
	return demoidp.New(demoidp.Config{
		Issuer: b.demoURL, ClientID: "gatehouse", ClientSecret: string(b.secret),
		RedirectURIs: []string{b.issuer + "/callback/" + demoProviderID}, Now: b.Now,
	})
}

// run starts the team's functions, unless they run as the template says already.
// The functions of last go on in either case.
func (a *assembly) run(last *assembly) error {
	c := functions.Config{Dir: a.team.Dir, Functions: a.toRun, Folders: a.Functions, Env: a.awsEnv(), Log: a.Output}
	a.runningOf = c
	if len(c.Functions) == 0 && len(c.Folders) == 0 {
		return nil
	}
	if last != nil && last.running != nil && reflect.DeepEqual(last.runningOf, c) {
		a.running, a.runningNot = last.running, last.runningNot
		return nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	c.Cache = filepath.Join(cache, "gatehouse", "dev")
	a.running, a.runningNot, err = functions.New(c)
	return err
}

// end ends the functions of a, but not those that next goes on with, and its
// WebSockets.
func (a *assembly) end(next *assembly) {
	if a != nil && a.sockets != nil {
		a.sockets.Close()
	}
	if a != nil && a.running != nil && (next == nil || next.running != a.running) {
		a.running.Close()
	}
}

// awsVariables are those that functions get from the process of dev, so that they
// reach an emulator or the developer's own account. In AWS they get credentials
// of their role.
var awsVariables = []string{
	"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3",
	"AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SNS", "AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_SECRETS_MANAGER",
	"AWS_ENDPOINT_URL_EVENTBRIDGE", "AWS_ENDPOINT_URL_STS", "HOME", "PATH", "TMPDIR",
}

func (b *builder) awsEnv() map[string]string {
	env := map[string]string{}
	for _, name := range awsVariables {
		if value := b.Getenv(name); value != "" {
			env[name] = value
		}
	}
	if env["AWS_PROFILE"] != "" && env["AWS_ACCESS_KEY_ID"] == "" { // else the made-up keys would win
		env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"] = "", "", ""
	}
	return env
}

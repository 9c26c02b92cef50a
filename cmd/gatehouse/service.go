package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/signin"
	"github.com/gatehouse-auth/gatehouse/internal/dev/tour"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// devURL is where gatehouse dev runs, unless --addr says otherwise.
const devURL = "http://localhost:8787"

// devFlags say which gatehouse dev is meant, and who acts there.
type devFlags struct {
	URL string `name:"url" placeholder:"URL" help:"Where gatehouse dev runs (http://localhost:8787)."`
	As  string `default:"ada" placeholder:"NAME" help:"Who acts in gatehouse dev: ada is an admin, lin is not (${default})."`
}

// serviceFlags say which running service is meant, and who acts there.
type serviceFlags struct {
	URL string `name:"url" env:"GATEHOUSE_URL" placeholder:"URL" help:"The service: gatehouse dev, or a deployment after gatehouse login (the deployment of the last login; without one, http://localhost:8787)."`
	As  string `default:"ada" placeholder:"NAME" help:"Who acts in gatehouse dev: ada is an admin, lin is not (${default})."`
}

// service is a running service, asked on behalf of a person.
type service struct {
	url, rawToken string
	isDev         bool
}

// use calls do with the service, until Ctrl-C.
func (f serviceFlags) use(w *process, do func(context.Context, *service) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := f.open(ctx, w)
	if err != nil {
		return err
	}
	return do(ctx, s)
}

func (f serviceFlags) open(ctx context.Context, w *process) (*service, error) {
	kept, err := openLogins(w.getenv)
	if err != nil {
		return nil, err
	}
	at := strings.TrimRight(cmp.Or(f.URL, kept.Current, devURL), "/")
	if _, ok := kept.Sessions[at]; ok {
		return resume(ctx, w, kept, at)
	}
	if onThisMachine(at) {
		return devFlags{URL: at, As: f.As}.open(ctx, w)
	}
	return nil, fmt.Errorf("you are not signed in at %s: run %s login %s", at, w.self, at)
}

// open signs a person of the demo provider in at a gatehouse dev.
func (f devFlags) open(ctx context.Context, w *process) (*service, error) {
	at := strings.TrimRight(cmp.Or(f.URL, devURL), "/")
	if !onThisMachine(at) {
		return nil, fmt.Errorf("%s is no gatehouse dev: that is on this machine", at)
	}
	tokens, err := signin.Do(ctx, signin.Request{URL: at, User: strings.ToLower(f.As), ClientID: tour.ClientID, Scope: "openid profile email account admin"})
	if errors.Is(err, signin.ErrNotRunning) {
		return nil, fmt.Errorf("%w: start it with: %s dev, or name another with --url", err, w.self)
	}
	if err != nil {
		return nil, err
	}
	return &service{url: at, rawToken: tokens.AccessToken, isDev: true}, nil
}

// announce says which service is about to be changed, and by whom.
func (s *service) announce(ctx context.Context, w *process) error {
	var me usersvc.User
	if err := s.get(ctx, "/me", &me); err != nil {
		return err
	}
	kind := ""
	if s.isDev {
		kind = " (gatehouse dev)"
	}
	return w.target("%s%s, as %s", s.url, kind, printable(cmp.Or(me.Email, me.Name, me.ID)))
}

// apiError is a refusal of a service.
type apiError struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`

	url string
}

func (e *apiError) Error() string {
	if e.Detail == "" {
		if e.Status == http.StatusForbidden {
			return fmt.Sprintf("%s refuses: it takes an admin, and a login whose token has the scope admin", e.url)
		}
		return fmt.Sprintf("%s answers %d %s", e.url, e.Status, http.StatusText(e.Status))
	}
	return printableLines(e.Detail)
}

func (s *service) get(ctx context.Context, path string, into any) error {
	return s.ask(ctx, http.MethodGet, path, nil, nil, into)
}

// ask sends a request, with a body of JSON unless it is nil, and reads the JSON of a good
// response into what into points to. A refusal is an *[apiError].
func (s *service) ask(ctx context.Context, method, path string, header http.Header, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if s.rawToken != "" {
		r.Header.Set("Authorization", "Bearer "+s.rawToken)
	}
	r.Header.Set("User-Agent", "gatehouse "+version().Version)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := noRedirects.Do(r)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok { // without the path, which can hold an address
			err = wrapped.Err
		}
		return fmt.Errorf("asking %s: %w", s.url, err)
	}
	defer resp.Body.Close()
	if text, err = io.ReadAll(io.LimitReader(resp.Body, 16<<20)); err != nil {
		return fmt.Errorf("asking %s: %w", s.url, err)
	}
	if resp.StatusCode >= 300 {
		refusal := &apiError{}
		if json.Unmarshal(text, refusal) != nil {
			refusal = &apiError{}
		}
		refusal.Status, refusal.url = resp.StatusCode, s.url
		return refusal
	}
	if into == nil || len(text) == 0 {
		return nil
	}
	if raw, ok := into.(*[]byte); ok {
		*raw = text
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("reading the response of %s: %w", s.url, err)
	}
	return nil
}

// noRedirects sends a token to the service that it is for, and nowhere else.
var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

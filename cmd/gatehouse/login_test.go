package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
)

// deployment is a service that gatehouse login knows nothing about, with the client of
// [clientForCLI].
type deployment struct {
	*server.Server
	credentials string // the file
}

func deploy(t *testing.T, configuration string) *deployment {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "gatehouse.yml")
	if err := os.WriteFile(path, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(t.Context(), server.Options{Config: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &deployment{s, filepath.Join(dir, "own", "credentials.json")}
}

// run runs a command as if the deployment were no gatehouse dev.
func (d *deployment) run(t *testing.T, stderr io.Writer, args ...string) (code int, stdout, errors string) {
	t.Helper()
	var out, errs strings.Builder
	if stderr == nil {
		stderr = &errs
	}
	getenv := func(name string) string {
		if name == "GATEHOUSE_CREDENTIALS" {
			return d.credentials
		}
		return ""
	}
	code = run(args, &process{stdout: &out, stderr: stderr, getenv: getenv, self: "gatehouse"})
	return code, out.String(), errs.String()
}

var shownCode = regexp.MustCompile(`^Open (\S+) and enter the code (\S+)`)

// login runs gatehouse login while a person of the demo provider answers on the page.
func (d *deployment) login(t *testing.T, who, answer string) (code int, stdout, stderr string) {
	t.Helper()
	in, out := io.Pipe()
	done := make(chan string)
	go func() {
		lines := bufio.NewReader(in)
		line, _ := lines.ReadString('\n')
		if m := shownCode.FindStringSubmatch(line); m != nil {
			d.answer(t, m[1], m[2], who, answer)
		}
		rest, _ := io.ReadAll(lines)
		done <- line + string(rest)
	}()
	code, stdout, _ = d.run(t, out, "login", d.Issuer)
	out.Close()
	return code, stdout, <-done
}

var field = regexp.MustCompile(`name="(shown_to)" value="([^"]*)"`)

// answer signs the person in and says on the page of the device what they think of it.
func (d *deployment) answer(t *testing.T, page, code, who, answer string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Error(err)
		return
	}
	browser := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	ask := func(r *http.Request, err error) (*url.URL, string) {
		if err != nil {
			t.Error(err)
			return nil, ""
		}
		resp, err := browser.Do(r)
		if err != nil {
			t.Error(err)
			return nil, ""
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s %d %v", r.URL, resp.StatusCode, err)
		}
		return resp.Request.URL, string(text)
	}
	post := func(to string, form url.Values) (*url.URL, string) {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, to, strings.NewReader(form.Encode()))
		if err == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return ask(r, err)
	}
	at, _ := ask(http.NewRequestWithContext(context.Background(), http.MethodGet, page+"?idp_hint=demo&user_code="+url.QueryEscape(code), nil))
	if at == nil {
		return
	}
	_, text := post(at.String(), url.Values{"user": {who}}) // at the demo provider
	if m := field.FindStringSubmatch(text); m == nil {
		t.Errorf("no question for %s: %s", code, text)
	} else if !strings.Contains(text, "Manage users") {
		t.Errorf("the page does not say what the program gets: %s", text)
	} else {
		post(page, url.Values{"user_code": {code}, "consent": {answer}, m[1]: {m[2]}})
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	d := deploy(t, clientForCLI+"\n")
	if code, stdout, stderr := d.login(t, "ada", "allow"); code != 0 || stdout != "signed in at "+d.Issuer+" as ada@example.com\n" {
		t.Fatalf("login: %d %s %s", code, stdout, stderr)
	}
	info, err := os.Stat(d.credentials)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	text, err := os.ReadFile(d.credentials)
	if err != nil || strings.Contains(string(text), "eyJ") {
		t.Errorf("an access token is kept: %s %v", text, err)
	}
	for range 2 { // the second with the refresh token that the first got
		if code, stdout, stderr := d.run(t, nil, "users", "list"); code != 0 || !strings.Contains(stdout, "ada@example.com") {
			t.Errorf("list: %d %s %s", code, stdout, stderr)
		}
	}
	code, stdout, stderr := d.run(t, nil, "users", "activate", "sam@example.com", "-o", "json")
	if code != 0 || stderr != "target: "+d.Issuer+", as ada@example.com\n" || !strings.Contains(stdout, `"status":"active"`) {
		t.Errorf("activate: %d %s %s", code, stdout, stderr)
	}
	if _, stdout, _ := d.run(t, nil, "users", "show", "sam@example.com"); !regexp.MustCompile(`user\.activated .*by u_\w+ 127\.0\.0\.1`).MatchString(stdout) {
		t.Errorf("the audit trail does not have the person: %s", stdout)
	}

	t.Run("a file that others can read is refused", func(t *testing.T) {
		if err := os.Chmod(d.credentials, 0o644); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := d.run(t, nil, "users", "list"); code != 1 || !strings.Contains(stderr, "can be read by others: chmod 600") {
			t.Errorf("%d %s", code, stderr)
		}
		if err := os.Chmod(d.credentials, 0o600); err != nil {
			t.Fatal(err)
		}
	})

	before := read(t, d)
	if code, stdout, stderr := d.run(t, nil, "logout"); code != 0 || stdout != "signed out at "+d.Issuer+"\n" {
		t.Errorf("logout: %d %s %s", code, stdout, stderr)
	}
	if _, err := os.Stat(d.credentials); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if code, _, stderr := d.run(t, nil, "logout"); code != 1 || !strings.Contains(stderr, "you are not signed in") {
		t.Errorf("logout again: %d %s", code, stderr)
	}
	before.path = d.credentials
	if err := before.save(); err != nil { // a thief's copy
		t.Fatal(err)
	}
	if code, _, stderr := d.run(t, nil, "users", "list"); code != 1 || !strings.Contains(stderr, "your login at "+d.Issuer+" has ended: run gatehouse login") {
		t.Errorf("the session has not ended: %d %s", code, stderr)
	}
}

func read(t *testing.T, d *deployment) *logins {
	t.Helper()
	kept := &logins{}
	text, err := os.ReadFile(d.credentials)
	if err == nil {
		err = json.Unmarshal(text, kept)
	}
	if err != nil || kept.Sessions[d.Issuer].RefreshToken == "" {
		t.Fatalf("%s %v", text, err)
	}
	return kept
}

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	d := deploy(t, clientForCLI+"\n")
	nothing := func(t *testing.T) {
		t.Helper()
		if _, err := os.Stat(d.credentials); !os.IsNotExist(err) {
			t.Errorf("something is kept: %v", err)
		}
	}
	t.Run("a person who is no admin", func(t *testing.T) {
		if code, stdout, stderr := d.login(t, "lin", "allow"); code != 1 || stdout != "" || !strings.Contains(stderr, "you got no access to the admin API") {
			t.Errorf("%d %s %s", code, stdout, stderr)
		}
		nothing(t)
	})
	t.Run("a person who says no", func(t *testing.T) {
		if code, stdout, stderr := d.login(t, "ada", "deny"); code != 1 || stdout != "" || !strings.Contains(stderr, "you refused this program") {
			t.Errorf("%d %s %s", code, stdout, stderr)
		}
		nothing(t)
	})
	t.Run("a deployment without the client", func(t *testing.T) {
		other := deploy(t, "roles: [{name: user}, {name: admin}]\n")
		code, _, stderr := other.run(t, nil, "login", other.Issuer)
		if code != 1 || !strings.Contains(stderr, `does not let the client "gatehouse-cli" sign in by device`) || !strings.Contains(stderr, clientForCLI) {
			t.Errorf("%d %s", code, stderr)
		}
	})
	for address, want := range map[string]string{
		"http://auth.example.com":         "want https",
		"auth.example.com":                "want",
		strings.TrimRight(d.DemoURL, "/"): "is Gatehouse at",
		"http://127.0.0.1:1":              "is Gatehouse at",
		d.Issuer + "/other":               "is Gatehouse at",
	} {
		if code, _, stderr := d.run(t, nil, "login", address); code != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: %d %s", address, code, stderr)
		}
	}
	if code, _, stderr := d.run(t, nil, "users", "list", "--url", "https://auth.example.com"); code != 1 || !strings.Contains(stderr, "run gatehouse login https://auth.example.com") {
		t.Errorf("not signed in: %d %s", code, stderr)
	}
}

package document_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/publicnet"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry/document"
)

// documentServer is a server with metadata documents. Every name leads to it, by an address that
// counts as public.
type documentServer struct {
	*httptest.Server
	port    string
	answer  atomic.Value // http.HandlerFunc
	fetched atomic.Int64
	fetcher *document.Fetcher
	now     atomic.Pointer[time.Time]
}

// serveDocuments returns one whose certificate is good for example.com alone, as that of
// httptest is. resolve says where names lead; nil is to the server.
func serveDocuments(t *testing.T, resolve func(host string) []netip.Addr, hosts ...string) *documentServer {
	t.Helper()
	w := &documentServer{}
	w.Server = httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.fetched.Add(1)
		w.answer.Load().(http.HandlerFunc)(out, r)
	}))
	t.Cleanup(w.Server.Close)
	at, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	w.port = at.Port()
	here := netip.MustParseAddr("127.0.0.1")
	if resolve == nil {
		resolve = func(string) []netip.Addr { return []netip.Addr{here} }
	}
	transport := publicnet.Transport(func(_ context.Context, host string) ([]netip.Addr, error) { return resolve(host), nil },
		func(a netip.Addr) bool { return a == here || publicnet.Public(a) })
	roots := x509.NewCertPool()
	roots.AddCert(w.Certificate())
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	w.now.Store(&now)
	w.fetcher = document.New(document.Config{
		Hosts: hosts, Terms: client.Client{Scopes: []string{"openid", "notes:read", "offline_access"}, Audiences: []string{"https://api.example.com"}},
		Now: func() time.Time { return *w.now.Load() },
	}.Through(transport))
	w.serve(nil)
	return w
}

func (w *documentServer) id() string { return "https://example.com:" + w.port + "/client.json" }

func (w *documentServer) later(by time.Duration) {
	now := w.now.Load().Add(by)
	w.now.Store(&now)
}

// good returns the members of a document that is right, with changes.
func (w *documentServer) good(changes ...any) map[string]any {
	d := map[string]any{
		"client_id": w.id(), "client_name": "Tool", "redirect_uris": []string{"http://127.0.0.1/callback", "http://localhost/callback", "https://example.com/cb"},
		"grant_types": []string{"authorization_code", "refresh_token"}, "token_endpoint_auth_method": "none", "logo_uri": "javascript:alert(1)",
	}
	for i := 0; i < len(changes); i += 2 {
		if d[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
			delete(d, changes[i].(string))
		}
	}
	return d
}

// serve answers with the document from now on; nil is a good one.
func (w *documentServer) serve(document map[string]any, header ...string) {
	if document == nil {
		document = w.good()
	}
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	w.send(http.StatusOK, text, header...)
}

func (w *documentServer) send(status int, body []byte, header ...string) {
	w.answer.Store(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			out.Header().Set(header[i], header[i+1])
		}
		out.WriteHeader(status)
		out.Write(body)
	}))
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	w := serveDocuments(t, nil, client.AnyHost)
	c, err := w.fetcher.Lookup(t.Context(), w.id())
	if err != nil {
		t.Fatal(err)
	}
	if !c.Public() || !c.ThirdParty || c.ID != w.id() || c.Ref() != w.id() || c.DisplayName() != "Tool (example.com:"+w.port+")" || !c.MayUse(client.GrantRefresh) || c.MayUse(client.GrantClientCredentials) {
		t.Errorf("%+v", c)
	}
	for uri, want := range map[string]bool{
		"http://127.0.0.1:5123/callback": true, "https://example.com/cb": true, "https://example.com/cb/": false, "http://127.0.0.1:5123/other": false, "http://localhost:58135/callback": true, "http://localhost.evil.test/callback": false,
		"https://evil.test/cb": false, "http://127.0.0.1.evil.test/callback": false,
	} {
		if got := c.MatchRedirectURI(uri); got != want {
			t.Errorf("%s: %v", uri, got)
		}
	}
	t.Run("scopes that the document does not name are not to be had", func(t *testing.T) {
		w := serveDocuments(t, nil, client.AnyHost)
		w.serve(w.good("scope", "openid admin notes:read"))
		c, err := w.fetcher.Lookup(t.Context(), w.id())
		if err != nil || strings.Join(c.AllowedScopes(), " ") != "openid notes:read" {
			t.Errorf("%v %v", c.AllowedScopes(), err)
		}
	})
	t.Run("only hosts that are allowed are asked", func(t *testing.T) {
		w := serveDocuments(t, nil, "claude.ai", "example.com") // another port is another host
		if _, err := w.fetcher.Lookup(t.Context(), w.id()); !errors.Is(err, client.ErrUnknown) || w.fetched.Load() != 0 {
			t.Errorf("%v after %d requests", err, w.fetched.Load())
		}
		if _, err := serveDocuments(t, nil).fetcher.Lookup(t.Context(), w.id()); !errors.Is(err, client.ErrUnknown) {
			t.Errorf("without hosts: %v", err)
		}
	})
}

func TestDocumentsAreKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header string
		keeps  time.Duration
	}{
		{"", time.Minute}, {"no-store", time.Minute}, {"max-age=600", 10 * time.Minute}, {"public, max-age=\"600\"", 10 * time.Minute},
		{"max-age=600, no-cache", time.Minute}, {"max-age=999999999999999999999", time.Minute}, {"max-age=-5", time.Minute}, {"max-age=86400", time.Hour},
	} {
		w := serveDocuments(t, nil, client.AnyHost)
		w.serve(nil, "Cache-Control", c.header)
		look := func() int64 {
			if _, err := w.fetcher.Lookup(t.Context(), w.id()); err != nil {
				t.Fatal(err)
			}
			return w.fetched.Load()
		}
		look()
		w.later(c.keeps - time.Second)
		if n := look(); n != 1 {
			t.Errorf("%q: fetched again before %v", c.header, c.keeps)
		}
		w.later(time.Second)
		if n := look(); n != 2 {
			t.Errorf("%q: not fetched again after %v", c.header, c.keeps)
		}
	}
	t.Run("a failure is not kept, and a removed client is gone", func(t *testing.T) {
		w := serveDocuments(t, nil, client.AnyHost)
		w.send(http.StatusNotFound, nil)
		for range 2 {
			if _, err := w.fetcher.Lookup(t.Context(), w.id()); err == nil {
				t.Error("found")
			}
		}
		if n := w.fetched.Load(); n != 2 {
			t.Errorf("fetched %d times", n)
		}
	})
	t.Run("many at once fetch it once", func(t *testing.T) {
		w := serveDocuments(t, nil, client.AnyHost)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if _, err := w.fetcher.Lookup(t.Context(), w.id()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := w.fetched.Load(); n != 1 {
			t.Errorf("fetched %d times", n)
		}
	})
}

// TestHostileDocuments: none is accepted.
func TestHostileDocuments(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 400)
	w := serveDocuments(t, nil, client.AnyHost)
	for name, document := range map[string]map[string]any{
		"another id":              w.good("client_id", "https://example.com/other.json"),
		"no id":                   w.good("client_id", nil),
		"id with a slash":         w.good("client_id", w.id()+"/"),
		"id in capitals":          w.good("client_id", strings.ToUpper(w.id())),
		"id as a list":            w.good("client_id", []string{w.id()}),
		"id in another case":      w.good("client_id", nil, "Client_ID", w.id()),
		"no name":                 w.good("client_name", nil),
		"blank name":              w.good("client_name", " \t"),
		"long name":               w.good("client_name", long),
		"name that turns around":  w.good("client_name", "Bank\u202egpj.exe"),
		"name with a line":        w.good("client_name", "Bank\nYou agreed"),
		"name with a zero width":  w.good("client_name", "B\u200bank"),
		"name as a number":        w.good("client_name", 1),
		"no redirect URI":         w.good("redirect_uris", nil),
		"empty redirect URIs":     w.good("redirect_uris", []string{}),
		"redirect URI as text":    w.good("redirect_uris", "https://example.com/cb"),
		"script":                  w.good("redirect_uris", []string{"javascript:alert(1)"}),
		"data":                    w.good("redirect_uris", []string{"data:text/html,hi"}),
		"plain http":              w.good("redirect_uris", []string{"http://evil.test/cb"}),
		"private scheme":          w.good("redirect_uris", []string{"com.evil.app:/cb"}),
		"fragment":                w.good("redirect_uris", []string{"https://example.com/cb#x"}),
		"wildcard":                w.good("redirect_uris", []string{"https://*.example.com/cb"}),
		"credentials":             w.good("redirect_uris", []string{"https://a@example.com/cb"}),
		"51 redirect URIs":        w.good("redirect_uris", strings.Split(strings.Repeat("https://example.com/cb ", 51), " ")),
		"a secret":                w.good("client_secret", "x"),
		"a secret's end":          w.good("client_secret_expires_at", 0),
		"secret as method":        w.good("token_endpoint_auth_method", "client_secret_basic"),
		"signed assertion":        w.good("token_endpoint_auth_method", "private_key_jwt"),
		"machine grant":           w.good("grant_types", []string{"client_credentials"}),
		"no grant":                w.good("grant_types", []string{}),
		"implicit":                w.good("response_types", []string{"token"}),
		"scopes that are unknown": w.good("scope", "admin root"),
	} {
		w.serve(document)
		if c, err := w.fetcher.Lookup(t.Context(), w.id()); err == nil {
			t.Errorf("%s: accepted %+v", name, c)
		} else if _, ok := errors.AsType[*client.DocumentError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err := json.Marshal(w.good())
	if err != nil {
		t.Fatal(err)
	}
	twice := bytes.Replace(good, []byte(`"client_name"`), []byte(`"client_id":"https://evil.test/","client_name"`), 1)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(bytes.Repeat([]byte(" "), 50<<20))
	z.Close()
	for name, serve := range map[string]func(){
		"not JSON":            func() { w.send(200, []byte("<html>")) },
		"an array":            func() { w.send(200, append(append([]byte("["), good...), ']')) },
		"two documents":       func() { w.send(200, append(good, good...)) },
		"a member twice":      func() { w.send(200, twice) },
		"not UTF-8":           func() { w.send(200, bytes.Replace(good, []byte("Tool"), []byte("T\xff"), 1)) },
		"empty":               func() { w.send(200, nil) },
		"huge":                func() { w.send(200, append(good, bytes.Repeat([]byte(" "), 64<<10)...)) },
		"a compressed bomb":   func() { w.send(200, bomb.Bytes(), "Content-Encoding", "gzip") },
		"compressed, unasked": func() { w.send(200, good, "Content-Encoding", "deflate") },
		"HTML":                func() { w.send(200, good, "Content-Type", "text/html") },
		"text":                func() { w.send(200, good, "Content-Type", "text/plain") },
		"created":             func() { w.send(201, good) },
		"no content":          func() { w.send(204, nil) },
		"partial":             func() { w.send(206, good) },
		"not found":           func() { w.send(404, good) },
		"broken":              func() { w.send(500, good) },
		"redirect to itself":  func() { w.send(302, good, "Location", w.id()) },
		"redirect elsewhere":  func() { w.send(307, good, "Location", "https://169.254.169.254/latest/meta-data/") },
		"redirect to plain":   func() { w.send(301, good, "Location", "http://example.com/client.json") },
		"permanent redirect":  func() { w.send(308, good, "Location", "https://localhost/x") },
		"headers without end": func() { w.send(200, good, "X-Long", strings.Repeat("a", 64<<10)) },
		"connection cut": func() {
			w.answer.Store(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		},
		"slow":               func() { w.answer.Store(http.HandlerFunc(trickle)) },
		"a body without end": func() { w.answer.Store(http.HandlerFunc(flood)) },
	} {
		serve()
		began := time.Now()
		if c, err := w.fetcher.Lookup(t.Context(), w.id()); err == nil {
			t.Errorf("%s: accepted %+v", name, c)
		} else if _, ok := errors.AsType[*client.DocumentError](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// trickle sends a space now and then.
func trickle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for r.Context().Err() == nil {
		fmt.Fprint(w, " ")
		w.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

func flood(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for chunk := bytes.Repeat([]byte(" "), 1<<16); r.Context().Err() == nil; {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// TestHostileAddresses: no connection is made.
func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	w := serveDocuments(t, nil, client.AnyHost)
	at := ":" + w.port
	for _, id := range []string{
		"http://example.com" + at + "/client.json", "HTTPS://example.com" + at + "/client.json", "https://EXAMPLE.com" + at + "/client.json",
		"https://example.com" + at, "https://example.com" + at + "/", "https://example.com" + at + "/a/../client.json", "https://example.com" + at + "/%2e%2e/client.json",
		"https://example.com" + at + "/./client.json", "https://example.com" + at + "/client.json#x", "https://example.com" + at + "/client.json?x=1", "https://example.com" + at + "/client.json?",
		"https://a:b@example.com" + at + "/client.json", "https://@example.com" + at + "/client.json", "https://example.com:/client.json", "https://example.com:443/client.json",
		"https://example.com:0/client.json", "https://example.com:00443/client.json", "https://example.com:99999/client.json", "https://example.com." + at + "/client.json",
		"https://127.0.0.1" + at + "/client.json", "https://[::1]" + at + "/client.json", "https://[::ffff:127.0.0.1]" + at + "/client.json", "https://[fe80::1%25lo]" + at + "/client.json",
		"https://2130706433" + at + "/client.json", "https://0x7f000001" + at + "/client.json", "https://0177.0.0.1" + at + "/client.json", "https://127.1" + at + "/client.json",
		"https://localhost" + at + "/client.json", "https://intranet" + at + "/client.json", "https://ex\u00e4mple.com" + at + "/client.json", "https://examp\u200ble.com" + at + "/client.json",
		"https://example\uff0ecom" + at + "/client.json", "https://ex%61mple.com" + at + "/client.json", "https://exam_ple.com" + at + "/client.json", "https://-example.com" + at + "/client.json",
		"https://example..com" + at + "/client.json", "https://example.com" + at + "/client json", "https://example.com" + at + "/client\t.json", "https://example.com" + at + "\\@evil.test/x",
		"https:/example.com" + at + "/client.json", "https:example.com", " https://example.com" + at + "/client.json", "https://example.com" + at + "/" + strings.Repeat("a", 400),
		"https://1.2.3.4" + at + "/client.json", "https://example.1" + at + "/client.json", "https://example.com" + at + "/a\x00b", "file:///etc/passwd", "https://", "https:///client.json",
	} {
		if c, err := w.fetcher.Lookup(t.Context(), id); err == nil {
			t.Errorf("%q: accepted %+v", id, c)
		}
	}
	if n := w.fetched.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
	for _, address := range []string{
		"127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.170.2", "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255",
		"::1", "::", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "100::1",
	} {
		dialled := atomic.Int64{}
		transport := publicnet.Transport(func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(address)}, nil
		}, func(a netip.Addr) bool {
			if publicnet.Public(a) {
				dialled.Add(1)
			}
			return publicnet.Public(a)
		})
		d := document.New(document.Config{Hosts: []string{client.AnyHost}}.Through(transport))
		_, err := d.Lookup(t.Context(), "https://name.example.com/client.json")
		fault, ok := errors.AsType[*client.DocumentError](err)
		if !ok || fault.Temporary || !strings.Contains(fault.Fault, "no public address") || strings.Contains(err.Error(), address) || dialled.Load() != 0 {
			t.Errorf("%s: %v", address, err)
		}
	}
}

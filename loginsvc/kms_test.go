package loginsvc_test

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/kmstest"
	"github.com/gatehouse-auth/gatehouse/keys/keyring"
	"github.com/gatehouse-auth/gatehouse/keys/keystest"
	"github.com/gatehouse-auth/gatehouse/keys/kmskey"
)

const jwksPath = "/.well-known/jwks.json"

// kmsWorld is a world whose keys are in KMS, in a ring in its table.
type kmsWorld struct {
	*world
	kms    *kmstest.Server
	client *kms.Client
	first  string // the ARN of the first key
	seen   *transcript
}

func newKMSWorld(t *testing.T) *kmsWorld {
	t.Helper()
	w := newWorld(t)
	server := &kmstest.Server{Generate: func(int) (*rsa.PrivateKey, error) { return keystest.WeakKey(), nil }, Now: w.now}
	k := &kmsWorld{world: w, kms: server, client: server.Client(t), seen: new(transcript)}
	made, err := k.client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		t.Fatal(err)
	}
	k.first = aws.ToString(made.KeyMetadata.Arn)
	k.restart()
	return k
}

// ring returns the ring as a process has it that has just started.
func (k *kmsWorld) ring(change ...func(*keyring.Config)) *keyring.Keyring {
	k.t.Helper()
	c := keyring.Config{Table: k.table, Adopt: k.first, Open: kmskey.Store{Client: k.client}.Open, Now: k.now, Log: slog.New(slog.NewTextHandler(k.log, nil))}
	for _, change := range change {
		change(&c)
	}
	ring, err := keyring.New(c)
	if err != nil {
		k.t.Fatal(err)
	}
	return ring
}

// rotator returns the ring as a process has it that may make keys.
func (k *kmsWorld) rotator() *keyring.Keyring {
	store := kmskey.Store{Client: k.client, Spec: kmskey.Spec{Description: "test"}}
	return k.ring(func(c *keyring.Config) { c.Create, c.Discard = store.Create, store.Discard })
}

// restart has a new instance of the service answer, which remembers nothing.
func (k *kmsWorld) restart(change ...func(*keyring.Config)) {
	k.t.Helper()
	ring := k.ring(change...)
	k.config.Keys, k.config.Published = ring.Set, ring.Fresh
	k.rebuild()
	k.service = k.seen.of(k.service)
}

// costs asserts which calls of KMS do makes.
func (k *kmsWorld) costs(name string, want map[string]int, do func()) {
	k.t.Helper()
	before := k.kms.Calls()
	do()
	made := map[string]int{}
	for operation, n := range k.kms.Calls() {
		if n -= before[operation]; n > 0 {
			made[operation] = n
		}
	}
	if !maps.Equal(made, want) {
		k.t.Errorf("%s: calls of KMS %v, want %v", name, made, want)
	}
}

// down asserts that an answer asks to come again and gives nothing.
func (k *kmsWorld) down(name string, a answer) {
	k.t.Helper()
	if a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "no-store" || strings.Contains(a.body, "token\"") {
		k.t.Errorf("%s: %d, Retry-After %q: %s", name, a.StatusCode, a.Header.Get("Retry-After"), a.body)
	}
}

// transcript is everything that a service has answered.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *transcript) of(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
		s.mu.Lock()
		defer s.mu.Unlock()
		rec.Header().Write(&s.text)
		s.text.Write(rec.Body.Bytes())
	})
}

// conceals asserts that the transcript tells nothing about where the keys are:
// neither as it reads nor within its tokens.
func (k *kmsWorld) conceals() {
	k.t.Helper()
	var all strings.Builder
	all.WriteString(k.seen.text.String())
	for _, part := range strings.FieldsFunc(k.seen.text.String(), func(r rune) bool { return strings.ContainsRune(`."= &;,`+"\n", r) }) {
		if decoded, err := base64.RawURLEncoding.DecodeString(part); err == nil {
			all.Write(decoded)
		}
	}
	public := all.String()
	if !strings.Contains(public, `"alg":"RS256"`) {
		k.t.Error("there is no token in the transcript")
	}
	for name, text := range map[string]string{"an answer": public, "the log": k.log.String()} {
		for _, secret := range []string{k.first, k.first[strings.LastIndexByte(k.first, '/')+1:], kmstest.Account, kmstest.Region, "arn:", "amazonaws", "127.0.0.1:" + port(k.client)} {
			if strings.Contains(text, secret) {
				k.t.Errorf("S70 %s has %q", name, secret)
			}
		}
	}
}

func port(c *kms.Client) string {
	u, err := url.Parse(aws.ToString(c.Options().BaseEndpoint))
	if err != nil {
		return ""
	}
	return u.Port()
}

func TestCallsOfKMS(t *testing.T) {
	t.Parallel()
	k := newKMSWorld(t)
	nothing := map[string]int{}
	var got map[string]any
	code := k.browser().code("lin", "scope", offline)
	k.costs("the first sign-in of all, whose ring has no key yet", map[string]int{"DescribeKey": 2, "GetPublicKey": 2, "Sign": 2}, func() { got = k.tokens(code) })
	k.restart()
	k.costs("keys, by an instance that has just started", nothing, func() { k.program().get(jwksPath) })
	code = k.browser().code("lin", "scope", offline)
	k.costs("its first sign-in", map[string]int{"DescribeKey": 1, "GetPublicKey": 1, "Sign": 2}, func() { got = k.tokens(code) })
	k.costs("sign-in, up to the code", nothing, func() { code = k.browser().code("lin", "scope", offline) })
	k.costs("sign-in", map[string]int{"Sign": 2}, func() { got = k.tokens(code) })
	code = k.browser().code("lin", "scope", "notes:read")
	k.costs("sign-in without OpenID", map[string]int{"Sign": 1}, func() { k.tokens(code) })
	k.costs("refresh without an ID token", map[string]int{"Sign": 1}, func() { got = k.renew(got["refresh_token"], "scope", "offline_access") })
	k.costs("refresh", map[string]int{"Sign": 2}, func() { got = k.renew(got["refresh_token"]) })
	k.costs("refused refresh", nothing, func() { k.refuses("unknown") })
	access := got["access_token"].(string)
	k.costs("verification, documents, user info, introspection, revocation", nothing, func() {
		k.access(access)
		k.idToken(got["id_token"], "spa")
		for _, path := range []string{jwksPath, "/.well-known/openid-configuration", "/revocations"} {
			k.program().get(path)
		}
		if a := k.program().get("/userinfo", "Authorization", "Bearer "+access); a.StatusCode != http.StatusOK {
			t.Errorf("user info: %d", a.StatusCode)
		}
		k.program().post("/introspect", url.Values{"client_id": {"robot"}, "client_secret": {"robot-secret"}, "token": {access}})
		k.program().post("/revoke", revoking(got["refresh_token"]))
	})
	k.conceals()
}

func TestTwoSignaturesAtOnce(t *testing.T) {
	k := newKMSWorld(t)
	k.tokens(k.browser().code("lin"))
	code := k.browser().code("lin")
	const one = 500 * time.Millisecond
	k.kms.SetFaults(kmstest.Faults{Latency: one})
	began := time.Now()
	if got := k.tokens(code); got["id_token"] == nil {
		t.Error("there is no ID token")
	}
	if took := time.Since(began); took < one || took >= 2*one {
		t.Errorf("two signatures of %v each took %v", one, took)
	}
}

// TestLargeToken signs more than KMS would hash.
func TestLargeToken(t *testing.T) {
	t.Parallel()
	t.Run("S69 a signing input of more than 4,096 bytes", func(t *testing.T) {
		t.Parallel()
		k := newKMSWorld(t)
		long := strings.Repeat("n", 4000)
		got := k.tokens(k.browser().code("lin", "nonce", long))
		raw, _ := got["id_token"].(string)
		if input := strings.LastIndexByte(raw, '.'); input <= 4096 {
			t.Errorf("the input has %d bytes", input)
		}
		if id := k.idToken(raw, "spa"); id.Nonce != long {
			t.Error("another nonce")
		}
	})
}

// troubles are what may keep KMS from signing, and how it ends.
var troubles = map[string]struct{ begin, end func(*kmsWorld) error }{
	"fault 10: KMS is throttled": {
		func(k *kmsWorld) error { k.kms.SetFaults(kmstest.Faults{Throttled: true}); return nil }, good,
	},
	"fault 11: access is denied": {
		func(k *kmsWorld) error { k.kms.SetFaults(kmstest.Faults{AccessDenied: true}); return nil }, good,
	},
	"fault 11: the key is disabled": {
		func(k *kmsWorld) error {
			_, err := k.client.DisableKey(k.t.Context(), &kms.DisableKeyInput{KeyId: &k.first})
			return err
		},
		enable,
	},
	"fault 11: the key is to be deleted": {
		func(k *kmsWorld) error {
			_, err := k.client.ScheduleKeyDeletion(k.t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &k.first})
			return err
		},
		func(k *kmsWorld) error {
			if _, err := k.client.CancelKeyDeletion(k.t.Context(), &kms.CancelKeyDeletionInput{KeyId: &k.first}); err != nil {
				return err
			}
			return enable(k)
		},
	},
}

func good(k *kmsWorld) error { k.kms.SetFaults(kmstest.Faults{}); return nil }

func enable(k *kmsWorld) error {
	_, err := k.client.EnableKey(k.t.Context(), &kms.EnableKeyInput{KeyId: &k.first})
	return err
}

func TestKMSDown(t *testing.T) {
	t.Parallel()
	for name, trouble := range troubles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKMSWorld(t)
			got := k.offlineTokens(k.browser())
			published := k.program().get(jwksPath)
			if err := trouble.begin(k); err != nil {
				t.Fatal(err)
			}
			b := k.browser()
			code := b.code("lin", "scope", offline) // people still sign in
			for _, instance := range []string{"a warm instance", "a cold instance"} {
				k.down(instance+", code", k.program().post("/token", redemption(code)))
				k.down("S83 "+instance+", refresh", k.program().post("/token", renewal(got["refresh_token"])))
				if a := k.program().get(jwksPath); a.StatusCode != http.StatusOK || a.body != published.body || a.Header.Get("ETag") != published.Header.Get("ETag") {
					t.Errorf("S101 %s: keys %d %s", instance, a.StatusCode, a.body)
				}
				if a := k.program().get(jwksPath, "If-None-Match", published.Header.Get("ETag")); a.StatusCode != http.StatusNotModified {
					t.Errorf("S98 %s: keys not modified: %d", instance, a.StatusCode)
				}
				k.access(got["access_token"])
				if a := k.program().get("/userinfo", "Authorization", "Bearer "+got["access_token"].(string)); a.StatusCode != http.StatusOK {
					t.Errorf("%s: user info %d", instance, a.StatusCode)
				}
				k.jump(t, 15*time.Second)
				k.restart()
			}
			if err := trouble.end(k); err != nil {
				t.Fatal(err)
			}
			k.access(k.tokens(code)["access_token"])
			next := k.renew(got["refresh_token"])
			k.access(next["access_token"])
			k.renew(next["refresh_token"])
			b.get("/authorize?client_id=nobody")
			k.conceals()
		})
	}
}

func TestWrongKeyOfKMS(t *testing.T) {
	t.Parallel()
	t.Run("fault 12: a signature by another key", func(t *testing.T) {
		t.Parallel()
		k := newKMSWorld(t)
		got := k.offlineTokens(k.browser())
		code := k.browser().code("lin")
		k.kms.SetFaults(kmstest.Faults{WrongKey: true})
		for name, form := range map[string]url.Values{"code": redemption(code), "refresh": renewal(got["refresh_token"])} {
			if a := k.program().post("/token", form); a.StatusCode < 500 || strings.Contains(a.body, "token\"") {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
			}
		}
		k.kms.SetFaults(kmstest.Faults{})
		k.access(k.tokens(code)["access_token"])
		k.access(k.renew(got["refresh_token"])["access_token"])
		k.conceals()
	})
}

func TestSlowKMS(t *testing.T) {
	t.Run("fault 13: the request's deadline is respected", func(t *testing.T) {
		k := newKMSWorld(t)
		got := k.offlineTokens(k.browser())
		code := k.browser().code("lin")
		k.kms.SetFaults(kmstest.Faults{Latency: 3 * time.Second})
		for name, form := range map[string]url.Values{"code": redemption(code), "refresh": renewal(got["refresh_token"])} {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec, began := httptest.NewRecorder(), time.Now()
			k.service.ServeHTTP(rec, r)
			k.down(name, answer{rec.Result(), rec.Body.String()})
			if took := time.Since(began); took > time.Second {
				t.Errorf("%s: took %v", name, took)
			}
		}
		if a := k.program().get(jwksPath); a.StatusCode != http.StatusOK {
			t.Errorf("keys: %d", a.StatusCode)
		}
		k.kms.SetFaults(kmstest.Faults{})
		k.access(k.tokens(code)["access_token"])
		k.access(k.renew(got["refresh_token"])["access_token"])
		k.conceals()
	})
}

func TestKeysWithoutServices(t *testing.T) {
	t.Parallel()
	t.Run("S102 the first deployment, without KMS", func(t *testing.T) {
		t.Parallel()
		k := newKMSWorld(t)
		k.kms.SetFaults(kmstest.Faults{AccessDenied: true})
		for range 2 {
			a := k.program().get(jwksPath)
			k.down("keys", a)
			if strings.Contains(a.body, `"keys"`) {
				t.Errorf("keys: %s", a.body)
			}
		}
		k.kms.SetFaults(kmstest.Faults{})
		k.jump(t, time.Second)
		k.access(k.tokens(k.browser().code("lin"))["access_token"])
		k.conceals()
	})
	t.Run("S101 table and KMS are down", func(t *testing.T) {
		t.Parallel()
		k := newKMSWorld(t)
		got := k.tokens(k.browser().code("lin"))
		exported, err := k.ring().Export(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		published := k.program().get(jwksPath)
		k.kms.SetFaults(kmstest.Faults{Throttled: true})
		k.table.failRead = errDown
		k.jump(t, 10*time.Second)
		for _, instance := range []string{"a warm instance", "a cold instance"} {
			if a := k.program().get(jwksPath); a.StatusCode != http.StatusOK || a.body != published.body || a.Header.Get("ETag") != published.Header.Get("ETag") {
				t.Errorf("%s: keys %d %s", instance, a.StatusCode, a.body)
			}
			k.access(got["access_token"])
			k.restart(func(c *keyring.Config) { c.Exported = exported })
		}
		k.conceals()
	})
}

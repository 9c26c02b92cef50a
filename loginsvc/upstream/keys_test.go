package upstream_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/demoidp"
)

func TestKeysThatDoNotVerify(t *testing.T) {
	member := func(name string, value any) func(map[string]any) {
		return func(key map[string]any) { key[name] = value }
	}
	for name, change := range map[string]func(key map[string]any){
		"for encryption":        member("use", "enc"),
		"for another algorithm": member("alg", "PS256"),
		"of an unknown type":    member("kty", "XYZ"),
		"with another id":       member("kid", "another"),
		"without modulus":       member("n", ""),
	} {
		t.Run("S32 a key "+name, func(t *testing.T) {
			h := open(t, nil)
			h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/keys": h.keys(change)}})
			if who, err := h.signIn(lin); err == nil {
				t.Errorf("%+v", who)
			}
		})
	}
	t.Run("S32 a key of 1024 bits", func(t *testing.T) {
		short := shortKey(t)
		h := open(t, nil)
		h.demo.Behave(demoidp.Behaviour{
			Sign: func(input string, _ *rsa.PrivateKey) []byte {
				digest := sha256.Sum256([]byte(input))
				signature, _ := rsa.SignPKCS1v15(rand.Reader, short, crypto.SHA256, digest[:])
				return signature
			},
			Instead: map[string]http.HandlerFunc{"/keys": h.keys(func(key map[string]any) {
				key["n"] = base64.RawURLEncoding.EncodeToString(short.N.Bytes())
			})},
		})
		if who, err := h.signIn(lin); err == nil {
			t.Errorf("%+v", who)
		}
	})
	t.Run("beside one that does", func(t *testing.T) {
		h := open(t, nil)
		own := h.document("/keys")
		h.demo.Behave(demoidp.Behaviour{Instead: map[string]http.HandlerFunc{"/keys": func(w http.ResponseWriter, _ *http.Request) {
			set := own()
			set["keys"] = append([]any{map[string]any{"kty": "XYZ"}, "no key", map[string]any{}}, set["keys"].([]any)...)
			json.NewEncoder(w).Encode(set)
		}}})
		if _, err := h.signIn(lin); err != nil {
			t.Error(err)
		}
	})
}

// keys is the provider's own key set with its key changed.
func (h *house) keys(change func(key map[string]any)) http.HandlerFunc {
	own := h.document("/keys")
	return func(w http.ResponseWriter, _ *http.Request) {
		set := own()
		change(set["keys"].([]any)[0].(map[string]any))
		json.NewEncoder(w).Encode(set)
	}
}

func TestKeysRotate(t *testing.T) {
	t.Run("S40 fault 24 the provider has a new key", func(t *testing.T) {
		h := open(t, nil)
		for range 3 {
			if _, err := h.signIn(lin); err != nil {
				t.Fatal(err)
			}
			if err := h.demo.Rotate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// shortKey makes a key that Go itself refuses to make.
func shortKey(t *testing.T) *rsa.PrivateKey {
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

package authorizer_test

import (
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/gatehouse-auth/gatehouse/authorizer"
)

// TestWycheproofKeys offers the keys of Project Wycheproof's JWK and JWS vectors
// to the key source. It takes the RSA keys that may verify RS256, and no others.
func TestWycheproofKeys(t *testing.T) {
	taken, passed := 0, 0
	for _, file := range []string{"json_web_key_test.json", "json_web_signature_test.json"} {
		var vectors struct {
			TestGroups []struct {
				Comment string
				Public  map[string]any
				Private map[string]any
				Tests   []struct{ Result, Comment string }
			}
		}
		text, err := fs.ReadFile(wycheproof.TestVectors, file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &vectors); err != nil {
			t.Fatal(err)
		}
		for _, group := range vectors.TestGroups {
			keys := []any{group.Public}
			if set, ok := group.Public["keys"].([]any); ok {
				keys = set
			} else if group.Public == nil {
				keys = []any{group.Private}
			}
			if group.Comment == "jws_rsa_roca_key" {
				continue // a key from a broken smart card; ours come from KMS or from Go
			}
			for _, key := range keys {
				key := key.(map[string]any)
				want := key["kty"] == "RSA" && key["alg"] == "RS256" && group.Comment != "keysize_too_small" && group.Comment != "exponentOne"
				document, err := json.Marshal(map[string]any{"keys": []any{key}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := authorizer.NewKeySource(authorizer.KeySourceConfig{Embedded: document}); (err == nil) != want {
					t.Errorf("%s: %v, want it taken: %v", group.Comment, err, want)
				}
				if want {
					taken++
				} else {
					passed++
				}
			}
		}
	}
	if taken < 5 || passed < 30 {
		t.Errorf("%d keys were taken, and %d passed over", taken, passed)
	}
}

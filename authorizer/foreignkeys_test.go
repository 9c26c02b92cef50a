package authorizer_test

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/internal/token/tokentest"
)

// TestForeignKeySets reads key sets as other issuers publish them: with
// certificates, without alg, and with keys that are not for us beside.
func TestForeignKeySets(t *testing.T) {
	ours := tokentest.Ours()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, ours.Public(), ours.Private)
	if err != nil {
		t.Fatal(err)
	}
	thumbprint := sha1.Sum(certificate)
	x5c, x5t := base64.StdEncoding.EncodeToString(certificate), base64.RawURLEncoding.EncodeToString(thumbprint[:])
	thumbprint256 := sha256.Sum256(certificate)
	x5t256 := base64.RawURLEncoding.EncodeToString(thumbprint256[:])
	n := base64.RawURLEncoding.EncodeToString(ours.Public().N.Bytes())
	const others = `,{"kty":"EC","kid":"e","crv":"P-256","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}` +
		`,{"kty":"OKP","kid":"o","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	for name, key := range map[string]string{
		"Auth0":    fmt.Sprintf(`{"kty":"RSA","use":"sig","n":%q,"e":"AQAB","kid":%q,"x5t":%q,"x5c":[%q],"alg":"RS256"}`, n, ours.ID(), x5t, x5c),
		"Entra":    fmt.Sprintf(`{"kty":"RSA","use":"sig","kid":%q,"x5t":%q,"n":%q,"e":"AQAB","x5c":[%q],"cloud_instance_name":"x","issuer":"https://login.microsoftonline.com/t/v2.0"}`, ours.ID(), x5t, n, x5c),
		"Cognito":  fmt.Sprintf(`{"alg":"RS256","e":"AQAB","kid":%q,"kty":"RSA","n":%q,"use":"sig"}`, ours.ID(), n),
		"Okta":     fmt.Sprintf(`{"kty":"RSA","alg":"RS256","kid":%q,"use":"sig","e":"AQAB","n":%q}`, ours.ID(), n),
		"Keycloak": fmt.Sprintf(`{"kid":"enc","kty":"RSA","alg":"RSA-OAEP","use":"enc","n":%q,"e":"AQAB"},{"kid":%q,"kty":"RSA","alg":"RS256","use":"sig","n":%q,"e":"AQAB","x5c":[%q],"x5t":%q,"x5t#S256":%q}`, n, ours.ID(), n, x5c, x5t, x5t256),
	} {
		k, err := authorizer.NewKeySource(authorizer.KeySourceConfig{Embedded: []byte(`{"keys":[` + key + others + `]}`)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if pub, err := k.Key(t.Context(), ours.ID()); err != nil || !pub.Equal(ours.Public()) {
			t.Errorf("%s: %v", name, err)
		}
		for _, other := range []string{"e", "o", "enc"} {
			unknown(t, k, other)
		}
	}
}

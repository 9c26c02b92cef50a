package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// AppleKey makes the client's secret at Apple: a JWT that is signed with the key
// of a developer team.
type AppleKey struct {
	TeamID, KeyID string
	PrivateKey    client.Secret // the text of the .p8 file
}

// appleSecretTTL is how long a secret lives. Apple takes up to six months, and one
// is made for each exchange.
const appleSecretTTL = 5 * time.Minute

// parse returns the private key, which is one for ES256.
func (k AppleKey) parse() (*ecdsa.PrivateKey, error) {
	// A variable can hold the file in one line, with \n for a line's end.
	block, _ := pem.Decode([]byte(strings.ReplaceAll(string(k.PrivateKey), `\n`, "\n")))
	if block == nil {
		return nil, errNoKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errNoKey
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errNoKey
	}
	return key, nil
}

// secret returns a fresh client secret for a client id.
func (k AppleKey) secret(clientID, audience string, now time.Time) (string, error) {
	key, err := k.parse()
	if err != nil {
		return "", err
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": k.TeamID, "sub": clientID, "aud": audience, "iat": now.Unix(), "exp": now.Add(appleSecretTTL).Unix(),
	})
	t.Header["kid"] = k.KeyID
	return t.SignedString(key)
}

// nameOf reads the form field user, which Apple sends on the first sign-in alone
// and does not sign. So it says what a person is called, and nothing else.
func nameOf(user string) string {
	var sent struct {
		Name struct {
			First string `json:"firstName"`
			Last  string `json:"lastName"`
		} `json:"name"`
	}
	if len(user) > 4096 || json.Unmarshal([]byte(user), &sent) != nil {
		return ""
	}
	return strings.TrimSpace(sent.Name.First + " " + sent.Name.Last)
}

package revocation_test

import (
	"crypto/sha256"
	"encoding/base64"
)

// version1 is an entry as version 1 writes it.
func version1(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

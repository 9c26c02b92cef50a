package kmstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"
	"time"
)

// key is one KMS key.
type key struct {
	id, description string
	usage, spec     string
	state           string // Enabled, Disabled or PendingDeletion
	created         time.Time
	deletion        time.Time     // while PendingDeletion
	private         crypto.Signer // nil: symmetric
	tags            map[string]string
	asked           int // how often it was looked up
}

func (k *key) arn() string { return arnPrefix + "key/" + k.id }

// rsaAlgorithms are what an RSA key of usage SIGN_VERIFY can do.
var rsaAlgorithms = []string{
	"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
	"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512",
}

func (k *key) algorithms() []string {
	switch {
	case k.usage != "SIGN_VERIFY":
		return nil
	case k.spec == "ECC_NIST_P256":
		return []string{"ECDSA_SHA_256"}
	}
	return rsaAlgorithms
}

// generate returns the private key of a key spec, nil for a symmetric one.
func (s *Server) generate(spec string) (crypto.Signer, error) {
	bits := map[string]int{"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}[spec]
	switch {
	case bits > 0 && s.Generate != nil:
		return s.Generate(bits)
	case bits > 0:
		return rsa.GenerateKey(rand.Reader, bits)
	case spec == "ECC_NIST_P256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case spec == "SYMMETRIC_DEFAULT":
		return nil, nil
	}
	return nil, constraint("keySpec", "Member must satisfy enum value set")
}

// find returns the key that ref names: a key id, a key ARN, an alias name or an
// alias ARN.
func (s *Server) find(ref string) (*key, error) {
	if len(ref) < 1 || len(ref) > 2048 {
		return nil, constraint("keyId", "Member must have length between 1 and 2048")
	}
	name := strings.TrimPrefix(ref, arnPrefix)
	if strings.HasPrefix(name, "arn:") {
		return nil, &apiError{400, "InvalidArnException", "Invalid arn " + ref}
	}
	if strings.HasPrefix(name, "alias/") {
		id, ok := s.aliases[name]
		if !ok {
			return nil, &apiError{400, "NotFoundException", "Alias " + arnPrefix + name + " is not found."}
		}
		name = id
	}
	id := strings.TrimPrefix(name, "key/")
	k, ok := s.keys[id]
	if ok {
		k.asked++
	}
	if !ok || k.asked <= s.faults.NotYet {
		return nil, &apiError{400, "NotFoundException", fmt.Sprintf("Key '%skey/%s' does not exist", arnPrefix, id)}
	}
	return k, nil
}

// own is find for operations that take no alias.
func (s *Server) own(ref string) (*key, error) {
	if strings.Contains(ref, "alias/") {
		return nil, &apiError{400, "NotFoundException", "Invalid keyId '" + ref + "'"}
	}
	return s.find(ref)
}

// usable refuses a key that is not enabled. AWS names the two cases apart.
func (k *key) usable() error {
	if k.state == "Disabled" {
		return &apiError{400, "DisabledException", k.arn() + " is disabled."}
	}
	return k.notDoomed()
}

func (k *key) notDoomed() error {
	if k.state == "PendingDeletion" {
		return &apiError{400, "KMSInvalidStateException", k.arn() + " is pending deletion."}
	}
	return nil
}

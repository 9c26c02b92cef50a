package kmstest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // SHA-384 and SHA-512 for crypto.Hash
	"crypto/x509"
	"slices"
	"strings"
	"sync"
)

type getPublicKeyIn struct{ KeyId string }

type getPublicKeyOut struct {
	KeyId                 string
	PublicKey             []byte // DER of a SubjectPublicKeyInfo
	CustomerMasterKeySpec string
	KeySpec, KeyUsage     string
	SigningAlgorithms     []string `json:",omitempty"`
	EncryptionAlgorithms  []string `json:",omitempty"`
}

func (s *Server) getPublicKey(in getPublicKeyIn) (any, error) {
	k, err := s.find(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.private == nil {
		return nil, &apiError{400, "UnsupportedOperationException", k.arn() + " is a symmetric key."}
	}
	// A disabled key still tells its public half.
	if err := k.notDoomed(); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		return nil, &apiError{500, "KMSInternalException", ""}
	}
	out := getPublicKeyOut{KeyId: k.arn(), PublicKey: der, CustomerMasterKeySpec: k.spec, KeySpec: k.spec, KeyUsage: k.usage,
		SigningAlgorithms: k.algorithms()}
	if k.usage == "ENCRYPT_DECRYPT" {
		out.EncryptionAlgorithms = []string{"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"}
	}
	return out, nil
}

type signIn struct {
	KeyId            string
	Message          []byte
	MessageType      string // RAW if left out
	SigningAlgorithm string
}

// decoy is the key that signs in place of the right one.
var decoy = sync.OnceValue(func() crypto.Signer {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

type signOut struct {
	KeyId            string
	Signature        []byte
	SigningAlgorithm string
}

func (s *Server) sign(in signIn) (any, error) {
	if len(in.Message) > 4096 {
		return nil, constraint("message", "Member must have length less than or equal to 4096")
	}
	k, err := s.find(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := k.usable(); err != nil {
		return nil, err
	}
	if !slices.Contains(k.algorithms(), in.SigningAlgorithm) {
		return nil, &apiError{400, "InvalidKeyUsageException", "Algorithm " + in.SigningAlgorithm + " is incompatible with key spec " + k.spec + "."}
	}
	hash := hashOf(in.SigningAlgorithm)
	digest, err := digestOf(in, hash)
	if err != nil {
		return nil, err
	}
	private := k.private
	if s.faults.WrongKey && s.faults.concern("Sign") {
		private = decoy()
	}
	var opts crypto.SignerOpts = hash
	if strings.HasPrefix(in.SigningAlgorithm, "RSASSA_PSS_") {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	signature, err := private.Sign(rand.Reader, digest, opts)
	if err != nil {
		return nil, &apiError{500, "KMSInternalException", ""}
	}
	return signOut{k.arn(), signature, in.SigningAlgorithm}, nil
}

func hashOf(algorithm string) crypto.Hash {
	switch {
	case strings.HasSuffix(algorithm, "_384"):
		return crypto.SHA384
	case strings.HasSuffix(algorithm, "_512"):
		return crypto.SHA512
	}
	return crypto.SHA256
}

// digestOf returns what is signed: the hash of a RAW message, and a DIGEST as
// it is, which "must match the length of hashed messages for the specified
// signing algorithm" (KMS API Reference, Sign).
func digestOf(in signIn, hash crypto.Hash) ([]byte, error) {
	switch in.MessageType {
	case "", "RAW":
		h := hash.New()
		h.Write(in.Message)
		return h.Sum(nil), nil
	case "DIGEST":
		if len(in.Message) != hash.Size() {
			return nil, invalid("Digest is invalid length for algorithm %s.", in.SigningAlgorithm)
		}
		return in.Message, nil
	}
	return nil, constraint("messageType", "Member must satisfy enum value set: [RAW, DIGEST]")
}

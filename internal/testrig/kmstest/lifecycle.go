package kmstest

import (
	"crypto/rand"
	"fmt"
	"strings"
)

type createKeyIn struct {
	Description           string
	KeySpec               string
	CustomerMasterKeySpec string // the old name of KeySpec
	KeyUsage              string
	Tags                  []tag
}

type metadata struct {
	AWSAccountId          string
	Arn, KeyId            string
	CreationDate          float64 // Unix seconds
	CustomerMasterKeySpec string
	DeletionDate          float64 `json:",omitempty"`
	Description           string
	Enabled               bool
	KeyManager            string
	KeySpec               string
	KeyState              string
	KeyUsage              string
	MultiRegion           bool
	Origin                string
	SigningAlgorithms     []string `json:",omitempty"`
}

type metadataOut struct{ KeyMetadata metadata }

func (s *Server) createKey(in createKeyIn) (any, error) {
	spec := in.KeySpec + in.CustomerMasterKeySpec
	if in.KeySpec != "" && in.CustomerMasterKeySpec != "" {
		return nil, invalid("You cannot specify KeySpec and CustomerMasterKeySpec in the same request.")
	}
	if spec == "" {
		spec = "SYMMETRIC_DEFAULT"
	}
	if in.KeyUsage == "" && spec == "SYMMETRIC_DEFAULT" {
		in.KeyUsage = "ENCRYPT_DECRYPT"
	}
	if in.KeyUsage == "" {
		return nil, invalid("You must specify a KeyUsage value for an asymmetric CMK.")
	}
	if in.KeyUsage == "SIGN_VERIFY" && spec == "SYMMETRIC_DEFAULT" || in.KeyUsage == "ENCRYPT_DECRYPT" && strings.HasPrefix(spec, "ECC_") {
		return nil, invalid("KeyUsage %s is not compatible with KeySpec %s", in.KeyUsage, spec)
	}
	private, err := s.generate(spec)
	if err != nil {
		return nil, err
	}
	k := &key{id: newID(), description: in.Description, usage: in.KeyUsage, spec: spec, state: "Enabled", created: s.now(),
		private: private, tags: make(map[string]string)}
	if err := k.tag(in.Tags); err != nil {
		return nil, err
	}
	if s.keys == nil {
		s.keys = make(map[string]*key)
	}
	s.keys[k.id] = k
	s.order = append(s.order, k.id)
	return metadataOut{k.metadata()}, nil
}

// newID returns a random UUID (RFC 9562, Section 5.4).
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (k *key) metadata() metadata {
	m := metadata{AWSAccountId: Account, Arn: k.arn(), KeyId: k.id, CreationDate: float64(k.created.Unix()),
		CustomerMasterKeySpec: k.spec, Description: k.description, Enabled: k.state == "Enabled", KeyManager: "CUSTOMER",
		KeySpec: k.spec, KeyState: k.state, KeyUsage: k.usage, Origin: "AWS_KMS", SigningAlgorithms: k.algorithms()}
	if k.state == "PendingDeletion" {
		m.DeletionDate = float64(k.deletion.Unix())
	}
	return m
}

type keyIn struct{ KeyId string }

func (s *Server) describeKey(in keyIn) (any, error) {
	k, err := s.find(in.KeyId)
	if err != nil {
		return nil, err
	}
	return metadataOut{k.metadata()}, nil
}

func (s *Server) enableKey(in keyIn) (any, error)  { return s.setState(in, "Enabled") }
func (s *Server) disableKey(in keyIn) (any, error) { return s.setState(in, "Disabled") }

func (s *Server) setState(in keyIn, state string) (any, error) {
	k, err := s.own(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := k.notDoomed(); err != nil {
		return nil, err
	}
	k.state = state
	return nil, nil
}

type scheduleKeyDeletionIn struct {
	KeyId               string
	PendingWindowInDays *int
}

type scheduleKeyDeletionOut struct {
	KeyId, KeyState     string
	DeletionDate        float64
	PendingWindowInDays int
}

func (s *Server) scheduleKeyDeletion(in scheduleKeyDeletionIn) (any, error) {
	days := 30
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return nil, constraint("pendingWindowInDays", "Member must have value between 7 and 30")
	}
	k, err := s.own(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := k.notDoomed(); err != nil {
		return nil, err
	}
	k.state, k.deletion = "PendingDeletion", s.now().AddDate(0, 0, days)
	return scheduleKeyDeletionOut{k.arn(), k.state, float64(k.deletion.Unix()), days}, nil
}

func (s *Server) cancelKeyDeletion(in keyIn) (any, error) {
	k, err := s.own(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.state != "PendingDeletion" {
		return nil, &apiError{400, "KMSInvalidStateException", k.arn() + " is not pending deletion."}
	}
	k.state = "Disabled"
	return keyIn{k.arn()}, nil
}

type listIn struct{ Marker string }

type listKeysOut struct {
	Keys      []listedKey
	Truncated bool
}

type listedKey struct{ KeyArn, KeyId string }

func (s *Server) listKeys(listIn) (any, error) {
	out := listKeysOut{Keys: []listedKey{}}
	for _, id := range s.order {
		out.Keys = append(out.Keys, listedKey{s.keys[id].arn(), id})
	}
	return out, nil
}

// Package issuers is what gatehouse.yml says about other issuers whose tokens an
// API accepts, as the build tells it to the authorizer.
package issuers

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
)

// Issuer is one of them.
type Issuer struct {
	Issuer     string            `json:"issuer"`  // letter for letter as its tokens say
	Profile    string            `json:"profile"` // which kind of issuer it is
	Audiences  []string          `json:"audiences"`
	JWKSURI    string            `json:"jwks_uri,omitempty"`    // "": where the profile says
	MaxAge     policy.Span       `json:"max_age,omitzero"`      // 0: 1 hour
	RolesClaim string            `json:"roles_claim,omitempty"` // "": where the profile says
	Roles      map[string]string `json:"roles,omitempty"`       // from its names to ours
}

// File is the file beside the authorizer's program.
const File = "issuers.json"

// Marshal writes them for [Load].
func Marshal(all []Issuer) ([]byte, error) { return json.Marshal(all) }

// Load reads them.
func Load(data []byte) ([]Issuer, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var all []Issuer
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("reading issuers: %w", err)
	}
	return all, nil
}

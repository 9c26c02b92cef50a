package demoidp

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Person is somebody who can sign in at the provider.
type Person struct {
	ID      string // ada, lin or sam; "" for someone else
	Subject string
	Name    string
	Email   string
	Note    string // what Gatehouse makes of the person, for the card

	EmailVerified bool
	Claims        map[string]any // further claims, which may override the ones above
}

// People are those with a card. Their subjects never change.
func People() []Person {
	return []Person{
		{ID: "ada", Subject: "demo-ada", Name: "Ada", Email: "ada@example.com", EmailVerified: true, Note: "Administrator"},
		{ID: "lin", Subject: "demo-lin", Name: "Lin", Email: "lin@example.com", EmailVerified: true, Note: "User"},
		{ID: "sam", Subject: "demo-sam", Name: "Sam", Email: "sam@example.com", EmailVerified: true, Note: "Suspended"},
	}
}

// reserved claims are the provider's own: somebody's further claims cannot set
// them, or the token would be nobody's.
var reserved = [...]string{"iss", "aud", "exp", "iat", "nonce", "azp", "at_hash", "auth_time"}

// chosen returns the person that a form chooses: one of [People] by user=lin, or
// someone else by name, e-mail and further claims.
func chosen(form url.Values) (Person, error) {
	id := form.Get("user")
	for _, p := range People() {
		if p.ID == id {
			return p, nil
		}
	}
	if id != "other" {
		return Person{}, fmt.Errorf("nobody here is called %q: choose ada, lin, sam or other", id)
	}
	email := strings.TrimSpace(form.Get("email"))
	if email == "" {
		return Person{}, errors.New("someone else needs an e-mail address")
	}
	sum := sha256.Sum256([]byte(email))
	p := Person{
		Subject:       "demo-" + hex.EncodeToString(sum[:8]), // the same person next time
		Name:          strings.TrimSpace(form.Get("name")),
		Email:         email,
		EmailVerified: form.Get("email_verified") == "yes",
	}
	if extra := strings.TrimSpace(form.Get("claims")); extra != "" {
		if err := json.Unmarshal([]byte(extra), &p.Claims); err != nil {
			return Person{}, errors.New(`further claims must be a JSON object, such as {"hd": "example.com"}`)
		}
		for _, name := range reserved {
			delete(p.Claims, name)
		}
	}
	return p, nil
}

// claims are what the provider says of p.
func (p Person) claims() map[string]any {
	c := map[string]any{"sub": p.Subject, "email": p.Email, "email_verified": p.EmailVerified}
	if p.Name != "" {
		c["name"] = p.Name
	}
	for name, value := range p.Claims {
		c[name] = value
	}
	return c
}

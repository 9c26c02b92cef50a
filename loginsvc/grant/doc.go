// Package grant holds what clients were granted and have not used up yet:
// authorization codes, device codes, and families of refresh tokens. It knows
// their rows in the table and their states, and nothing of HTTP.
//
// Internal to Gatehouse: the login service is its only caller.
//
//   - The table holds SHA-256 fingerprints. Reading it lets no one redeem
//     anything.
//   - A code and a device code are spent by one conditional write. A refresh
//     token is replaced by one conditional write.
//   - Expiry is judged here, on each read. The table's own deletion of old rows
//     only saves space.
package grant

import (
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// Store reads and writes grants.
type Store struct {
	Table table.Table
	Users *usersvc.Users
}

// Approval is what a user approved: what a code or a device code stands for.
type Approval struct {
	UserID    string
	SessionID string
	AuthTime  time.Time
	Scopes    []string  // as requested: the most that a token can get
	Audiences []string  // the APIs that tokens can be for; nil: the default audience
	Nonce     string    // of the authorization request
	Consent   string    // id of the user's consent; "" if none was needed, or the row is older than this
	At        time.Time // when the user approved; zero: unknown
}

// ErrChanged says that a row changed between reading it and the write that
// depends on it. The caller reads again.
var ErrChanged = errors.New("changed meanwhile")

// Attempts bounds how often an operation starts again because of [ErrChanged].
const Attempts = 8

// setConsent writes the id of the user's consent into a row.
func setConsent(item map[string]any, id string) {
	if id != "" {
		item["consent"] = id
	}
}

// consentOf reads what setConsent wrote; "" if it wrote nothing.
func consentOf(r *table.Reader) string {
	if _, ok := r.Item["consent"]; !ok {
		return ""
	}
	return r.Text("consent")
}

// setAudiences writes the APIs that something is for into its row.
func setAudiences(item table.Item, audiences []string) {
	if audiences != nil {
		item["aud"] = strings.Join(audiences, " ")
	}
}

// audiencesOf reads what setAudiences wrote; nil if it wrote nothing.
func audiencesOf(r *table.Reader) []string {
	if _, ok := r.Item["aud"]; !ok {
		return nil
	}
	return strings.Fields(r.Text("aud"))
}

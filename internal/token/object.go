package token

import (
	"errors"
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// maxMembers bounds how many members an object of ours has. It keeps the search
// for duplicates short.
const maxMembers = 64

// members calls each for every member of the JSON object doc, with its name and
// its value as written. A name that appears twice is refused: "a JWT with
// duplicate Claim Names MUST be rejected" (RFC 7519, Section 4).
func members(doc []byte, each func(name, value string) error) error {
	seen := make([]string, 0, 24)
	err := strictjson.Members(string(doc), func(name, value string) error {
		if slices.Contains(seen, name) {
			return refuse(ReasonDuplicate)
		}
		if seen = append(seen, name); len(seen) > maxMembers {
			return refuse(ReasonMalformed)
		}
		return each(name, value)
	})
	if errors.Is(err, strictjson.ErrSyntax) {
		return refuse(ReasonMalformed)
	}
	return err
}

package client

import (
	"fmt"
	"regexp"
)

// maxID bounds a client id, in bytes.
const maxID = 100

// identifier is what a client id can be. RFC 6749, Appendix A.1, allows every
// printable character of ASCII; we leave out those that would need escaping in
// text, logs or pages, and "#", which [Client.Ref] uses.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~:/?@!$&+,;=-]*$`)

// CheckID tells why no client can have the id, in words for the person who wrote
// it; nil means that one can.
func CheckID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("want an id, such as shop-web")
	case len(id) > maxID || !identifier.MatchString(id):
		return fmt.Errorf("want at most %d letters, digits and . _ ~ : / ? @ ! $ & + , ; = -, beginning with a letter or digit, not %q", maxID, id)
	}
	return nil
}

package usersvc

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// The configuration gives the role admin once to each address in [Users.Admins].
// The row of the address remembers it beyond the user, by the address's SHA-256:
// who has lost the role does not get it back by deleting the account, nor by
// another identity with the same address.

// errAdminGiven says that the configuration has given the role to this address
// before.
var errAdminGiven = errors.New("role admin was given to this address before")

// putAdminGiven writes the row of a canonical address.
func (u *Users) putAdminGiven(canonical string) table.Write {
	hash := sha256.Sum256([]byte(canonical))
	key := schema.AdminGiven(base64.RawURLEncoding.EncodeToString(hash[:]))
	return table.Put(table.Item{table.PK: key.PK, table.SK: key.SK, "given_at": u.now().UnixMilli()})
}

// rememberAdmin returns the writes that remember the addresses of a user who
// loses the role, or can no longer use it. Older versions wrote no row when they
// gave the role.
func (u *Users) rememberAdmin(user User) []table.Write {
	shown := Profile{Email: user.Email}.canonicalEmail()
	var writes []table.Write
	for _, address := range []string{shown, user.owns.email} {
		if address != "" && u.signInRules().namesAdmin(address) && (len(writes) == 0 || address != shown) {
			writes = append(writes, u.putAdminGiven(address))
		}
	}
	return writes
}

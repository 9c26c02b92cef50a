// Package schema spells the key of every row of the table. A row has one owner:
// the package that writes it and knows its attributes. Other packages read such a
// row, or change it, through its owner.
//
// One contract crosses packages. The partition of a user holds rows of several
// owners, and all of them end with the user: usersvc deletes every row of
// [UserPartition] when it deletes the user, except for the user's own row, which
// then holds nothing but the id, and the audit trail. An owner that needs a row to
// outlive its user puts it into another partition.
package schema

import "github.com/gatehouse-auth/gatehouse/internal/table"

// Row is one kind of row.
type Row struct {
	Name  string
	Key   table.Key // with words in capitals in the place of values
	Owner string    // the package that writes it, relative to the module
}

// Rows returns every kind of row.
func Rows() []Row {
	return []Row{
		{"user", User("ID"), "usersvc"},
		{"identity, to its user", Identity("ISSUER", "SUBJECT"), "usersvc"},
		{"identity, of its user", LinkedIdentity("ID", "ISSUER", "SUBJECT"), "usersvc"},
		{"e-mail address, to its user", Email("ADDRESS"), "usersvc"},
		{"session", Session("ID", "SID"), "usersvc"},
		{"consent to an app", Consent("ID", "CLIENT"), "usersvc"},
		{"entry of the audit trail", UserAudit("ID", "TIME#RANDOM"), "usersvc"},
		{"the same about a client", ClientAudit("ID", "TIME#RANDOM"), "usersvc"},
		{"who is an admin", Admin("ID"), "usersvc"},
		{"address that was made admin once", AdminGiven("HASH"), "usersvc"},
		{"entry of the revocation feed", Revocation(0, "SECOND", "ID"), "usersvc"},
		{"marker that the feed is spread", RevocationMarker("TIME"), "usersvc"},
		{"what the feed has about a user, of earlier versions", Revoked(UserPartition("ID")), "usersvc"},
		{"what the feed has about a client", Revoked(ClientPartition("ID")), "usersvc"},
		{"finished sign-in", Flow("HASH"), "loginsvc"},
		{"authorization code", Code("HASH"), "loginsvc"},
		{"device that waits to be signed in", Device("HASH"), "loginsvc"},
		{"what people type, to its device", UserCode("HASH"), "loginsvc"},
		{"count against a limit", Limit("NAME", "HASH", "TIME"), "loginsvc"},
		{"refresh tokens of one sign-in at one app", Refresh("ID", "FAMILY"), "loginsvc"},
		{"client that is not in `gatehouse.yml`", Client("ID"), "loginsvc/registry"},
		{"ring of signing keys", KeyRing(), "keys/keyring"},
	}
}

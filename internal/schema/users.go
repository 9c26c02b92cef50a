package schema

import (
	"strconv"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Prefixes of the sort keys in a user's partition.
const (
	IdentityPrefix = "identity#" // also of the partition of the row that leads to the user
	SessionPrefix  = "session#"
	ConsentPrefix  = "consent#"
	AuditPrefix    = "audit#"
	RefreshPrefix  = "refresh#"
)

// UsersIndex is the partition of GSI1 with all users by id, and of GSI2 with all
// users by e-mail address.
const UsersIndex = "users"

// AuditIndexes is the number of partitions of GSI1 with all entries of the audit
// trail. Eight take 8,000 writes a second, which is 8,000 sign-ins.
const AuditIndexes = 8

// AuditIndex returns the partition of GSI1 with the number, from 0. Its entries
// are in the order of time. Partition 0 also has the entries of older versions,
// which had one partition.
func AuditIndex(n int) string {
	if n == 0 {
		return "audit"
	}
	return "audit#" + strconv.Itoa(n)
}

// UserPartition holds the rows that end with the user.
func UserPartition(userID string) string { return "user#" + userID }

// User is the key of a user.
func User(id string) table.Key { return table.Key{PK: UserPartition(id), SK: "user"} }

// Identity is the key of the row that leads from an identity to its user, and
// makes the identity unique. An issuer has no "#".
func Identity(issuer, subject string) table.Key {
	return table.Key{PK: IdentityPrefix + issuer + "#" + subject, SK: "identity"}
}

// LinkedIdentity is the key of an identity among the rows of its user. Its sort
// key is the partition of [Identity].
func LinkedIdentity(userID, issuer, subject string) table.Key {
	return table.Key{PK: UserPartition(userID), SK: Identity(issuer, subject).PK}
}

// Email is the key of the row that leads from a canonical address to its user.
func Email(canonical string) table.Key { return table.Key{PK: "email#" + canonical, SK: "email"} }

// Session is the key of a session.
func Session(userID, sessionID string) table.Key {
	return table.Key{PK: UserPartition(userID), SK: SessionPrefix + sessionID}
}

// Consent is the key of what a user has allowed a client.
func Consent(userID, clientID string) table.Key {
	return table.Key{PK: UserPartition(userID), SK: ConsentPrefix + clientID}
}

// UserAudit is the key of an entry of the audit trail about a user.
func UserAudit(userID, entryID string) table.Key {
	return table.Key{PK: UserPartition(userID), SK: AuditPrefix + entryID}
}

// ClientAudit is the key of an entry of the audit trail about a client.
func ClientAudit(clientID, entryID string) table.Key {
	return table.Key{PK: ClientPartition(clientID), SK: AuditPrefix + entryID}
}

// ActorIndex is the partition of GSI2 with what a user did to others.
func ActorIndex(userID string) string { return "actor#" + userID }

// AdminPartition has a row for each user with the role admin.
const AdminPartition = "role#admin"

// Admin is the key of the row that says that a user has the role admin.
func Admin(userID string) table.Key { return table.Key{PK: AdminPartition, SK: userID} }

// AdminGiven is the key of the row that says that gatehouse.yml has given the role
// admin to an e-mail address. hash is the SHA-256 of the canonical address in
// base64. The row outlives the user.
func AdminGiven(hash string) table.Key {
	return table.Key{PK: AdminPartition + "#" + hash, SK: "given"}
}

// RevocationPartitions is the number of partitions of the revocation feed. Rows are
// in partition 0 or, when there are many, spread over all of them by whose tokens they
// revoke: so none takes more than the 1,000 writes a second that DynamoDB allows.
const RevocationPartitions = 4

// RevocationPartition returns the partition with the number, from 0. Its rows are
// in the order of time.
func RevocationPartition(n int) string { return "revocations#" + strconv.Itoa(n) }

// OldRevocationPartition holds rows of the feed that version 1 wrote.
const OldRevocationPartition = "revocations"

// Revocation is the key of an entry of the revocation feed: in the partition with
// the number, of the time up to which it revokes, for a user or a client.
func Revocation(partition int, time, id string) table.Key {
	return table.Key{PK: RevocationPartition(partition), SK: time + "#" + id}
}

// RevocationMarker is the key of a row that tells readers of partition 0 to read the
// other partitions as well, until a time. No user or client has its id.
func RevocationMarker(until string) table.Key { return Revocation(0, until, RevocationMarkerID) }

// RevocationMarkerID stands in the place of the id of a user or a client.
const RevocationMarkerID = "#spread"

// Revoked is the key of what the revocation feed has about a client, in its
// partition. Of a user, it is in the user's row; earlier versions had such a row.
func Revoked(partition string) table.Key { return table.Key{PK: partition, SK: "revoked"} }

package schema

import "github.com/gatehouse-auth/gatehouse/internal/table"

// Prefixes of the sort keys in a user's partition.
const (
	IdentityPrefix = "identity#" // also of the partition of the row that leads to the user
	SessionPrefix  = "session#"
	ConsentPrefix  = "consent#"
	AuditPrefix    = "audit#"
	RefreshPrefix  = "refresh#"
)

// Partitions of the indexes.
const (
	UsersIndex = "users" // of GSI1, by id, and of GSI2, by e-mail address
	AuditIndex = "audit" // of GSI1, by time
)

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

// RevocationPartition holds the revocation feed, in the order of time.
const RevocationPartition = "revocations"

// Revocation is the key of an entry of the revocation feed.
func Revocation(entry string) table.Key { return table.Key{PK: RevocationPartition, SK: entry} }

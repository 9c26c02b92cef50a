package schema

import "github.com/gatehouse-auth/gatehouse/internal/table"

// ClientsIndex is the partition of GSI1 with all clients, and of GSI2 with those
// that have origins, by their ids.
const ClientsIndex = "clients"

// ClientPartition holds a client and the audit trail about it.
func ClientPartition(id string) string { return "client#" + id }

// Client is the key of a client that is not in gatehouse.yml.
func Client(id string) table.Key { return table.Key{PK: ClientPartition(id), SK: "client"} }

// Refresh is the key of the refresh tokens of one sign-in at one client.
func Refresh(userID, family string) table.Key {
	return table.Key{PK: UserPartition(userID), SK: RefreshPrefix + family}
}

// Flow is the key of a sign-in that was finished; hash is that of its flow id.
func Flow(hash string) table.Key { return table.Key{PK: "flow#" + hash, SK: "flow"} }

// Code is the key of an authorization code.
func Code(hash string) table.Key { return table.Key{PK: "code#" + hash, SK: "code"} }

// Device is the key of a device code.
func Device(hash string) table.Key { return DeviceAt("device#" + hash) }

// DeviceAt is the key of a device code in a partition that another row names.
func DeviceAt(partition string) table.Key { return table.Key{PK: partition, SK: "device"} }

// UserCode is the key of what people type, which leads to a device code.
func UserCode(hash string) table.Key { return table.Key{PK: "usercode#" + hash, SK: "usercode"} }

// Limit is the key of a count against a limit: in the window that began at a
// number of Unix seconds, of a caller with the hash.
func Limit(name, hash, began string) table.Key {
	return table.Key{PK: "limit#" + name + "#" + hash + "#" + began, SK: "limit"}
}

// KeyRing is the key of the ring of signing keys.
func KeyRing() table.Key { return table.Key{PK: "keys", SK: "ring"} }

package usersvc

import (
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// memberKey is a row that tells that a user has the role admin. It exists so
// that another admin is found without going through all users.
func memberKey(userID string) table.Key { return table.Key{PK: "role#" + Admin, SK: userID} }

func putMember(userID string) table.Write {
	key := memberKey(userID)
	return table.Put(table.Item{table.PK: key.PK, table.SK: key.SK, "user_id": userID})
}

// sortedRoles returns roles in order and each once; never nil.
func sortedRoles(roles []string) []string {
	sorted := append([]string{}, roles...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

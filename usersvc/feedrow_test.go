package usersvc

import (
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// FeedRow is the row that revokes all tokens of a user at a time.
func FeedRow(userID string, at time.Time) table.Item {
	users := Users{Now: func() time.Time { return at }}
	h := userHolder(userID)
	h.all.before = users.tokensFrom()
	return feedRow(int(h.all.entry[0])%schema.RevocationPartitions, h, h.all.before, []item{h.all})
}

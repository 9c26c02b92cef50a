package usersvc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// The row that leads from an identity to its user remembers the user as they were
// at a version. A sign-in checks in its write that the user still has this
// version, which spares it a read; if not, it starts again and reads the user.

// rememberedPrefix stands before the names of a user's attributes in that row.
const rememberedPrefix = "user."

// remembered is the user for the row of an identity.
func remembered(u User) map[string]any {
	attributes := map[string]any{}
	for name, value := range u.attributes() {
		switch name {
		case table.GSI1PK, table.GSI1SK, table.GSI2PK, table.GSI2SK:
		default:
			attributes[rememberedPrefix+name] = value
		}
	}
	return attributes
}

// linkRowsOf is linkRows for a user whose row is written in the same transaction.
func linkRowsOf(user User, p Profile, now time.Time) []table.Write {
	rows := linkRows(user.ID, p, now)
	maps.Copy(rows[0].Item, remembered(user))
	return rows
}

// readIdentity returns what the row of an identity says: no user id if there is no
// row, and no known user if the row remembers none, or in a form that this
// version does not understand.
func (u *Users) readIdentity(ctx context.Context, key table.Key) (facts, error) {
	item, err := u.Table.Get(ctx, key)
	if errors.Is(err, table.ErrNotFound) {
		return facts{}, nil
	}
	if err != nil {
		return facts{}, fmt.Errorf("reading %s: %w", key.SK, err)
	}
	r := table.Reader{Item: item}
	f := facts{userID: r.Text("user_id")}
	if r.Err != nil {
		return facts{}, r.Err
	}
	row := table.Item{table.PK: userKey(f.userID).PK, table.SK: userKey(f.userID).SK}
	for name, value := range item {
		if name, ok := strings.CutPrefix(name, rememberedPrefix); ok {
			row[name] = value
		}
	}
	if known, err := userFrom(row); err == nil {
		f.known = known
	}
	return f, nil
}

// versionIs holds if the user's row is still what user was read or remembered
// from. The version says so; the other attributes say that the row is intact.
func versionIs(user User) table.Cond {
	return table.All{
		table.Equal{Name: "version", Value: user.Version}, table.Equal{Name: "schema", Value: int64(userSchema)},
		table.Equal{Name: "id", Value: user.ID}, table.Equal{Name: "status", Value: string(user.Status)},
		table.Equal{Name: "epoch", Value: user.epoch},
	}
}

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
// version, which spares it a read; if not, it begins anew by reading the user.

// rememberedPrefix stands before the names of a user's attributes in that row.
const rememberedPrefix = "user."

// remembered is the user for the row of an identity.
func remembered(u User) map[string]any {
	attributes := map[string]any{}
	for name, value := range u.item() {
		switch name {
		case table.PK, table.SK, table.GSI1PK, table.GSI1SK, table.GSI2PK, table.GSI2SK:
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

// knownBy returns the id of the user that an identity leads to, "" if there is
// none, and the user as its row remembers them: the zero User if it does not, or
// not in a way that this version understands.
func (u *Users) knownBy(ctx context.Context, key table.Key) (id string, known User, err error) {
	item, err := u.Table.Get(ctx, key)
	if errors.Is(err, table.ErrNotFound) {
		return "", User{}, nil
	}
	if err != nil {
		return "", User{}, fmt.Errorf("reading %s: %w", key.SK, err)
	}
	r := table.Reader{Item: item}
	if id = r.Text("user_id"); r.Err != nil {
		return "", User{}, r.Err
	}
	row := table.Item{table.PK: userKey(id).PK, table.SK: userKey(id).SK}
	for name, value := range item {
		if name, ok := strings.CutPrefix(name, rememberedPrefix); ok {
			row[name] = value
		}
	}
	if known, err = userFrom(row); err != nil {
		return id, User{}, nil
	}
	return id, known, nil
}

// as holds if the user's row is what user was read from, or is remembered from.
// The version says it; the others say that nobody has damaged the row since.
func as(user User) table.Cond {
	return table.All{
		table.Equal{Name: "version", Value: user.Version}, table.Equal{Name: "schema", Value: int64(userSchema)},
		table.Equal{Name: "id", Value: user.ID}, table.Equal{Name: "status", Value: string(user.Status)},
		table.Equal{Name: "epoch", Value: user.epoch},
	}
}

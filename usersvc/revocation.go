package usersvc

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// The revocation feed is rows in the order of time, see [Feed] for how they are
// read. A user has one row, which each revocation replaces, and so has a client:
// nobody can fill the feed with what they may do over and over. What the row holds
// stands also in the ledger, among the rows of the user or client.

const (
	// authorizerSkew is how far an authorizer's clock can be behind ours.
	authorizerSkew = time.Minute
	// instanceSkew is how far apart the clocks of two of our instances can be:
	// one of them issues a token, the other one revokes it.
	instanceSkew = 250 * time.Millisecond
	// maxRemembered is the longest life of a row: the greatest life of an access
	// token that gatehouse.yml allows, and the skew.
	maxRemembered = time.Hour + authorizerSkew
	// maxEntries is how many entries the row of one user has. Beyond, those of one
	// client become one; see [ledger.add].
	maxEntries = 8
	// maxLate is how long a revocation can take from reading the clock to the
	// acknowledgment of its write. See [Users.onTime].
	maxLate = time.Second
)

// remembers is how long the feed lists a revocation: as long as the tokens live.
func (u *Users) remembers() time.Duration { return u.accessTTL() + authorizerSkew }

// tokensFrom is the second from which a token is alive that is issued after a
// revocation now. The claim iat is a whole second, and the clock of the instance
// that issues can be a little ahead of ours.
func (u *Users) tokensFrom() time.Time {
	return u.now().Add(instanceSkew).Truncate(time.Second).Add(time.Second)
}

// revokeUser makes every access token of the user dead: [Users.change] puts that
// into the feed, in the transaction of the change. TokensFrom is at most 2 seconds
// ahead, so that a new token does not wait longer. Revocations within one second
// are one.
func (u *Users) revokeUser(user *User) {
	next := u.tokensFrom()
	if user.TokensFrom.Before(next) || user.TokensFrom.After(u.now().Add(2*time.Second)) {
		user.TokensFrom = next
	}
}

// holder is a user or a client whose tokens the feed names.
type holder struct {
	id        string
	partition string // with its rows
	all       item   // names all of its tokens
}

func userHolder(id string) holder {
	return holder{id, schema.UserPartition(id), item{entry: revocation.Subject(id), bucket: revocation.BucketOf(id)}}
}

func clientHolder(id string) holder {
	return holder{id, schema.ClientPartition(id), item{entry: revocation.Client(id), bucket: revocation.Everyone}}
}

// errLedger says that another revocation of the same holder came first.
var errLedger = fmt.Errorf("%w: another revocation came first", errChanged)

// revoke returns the writes that put an entry into the feed. All is that of every
// token of the holder, which needs no other entry beside it. They fail with
// errLedger if another revocation of the holder comes first.
func (u *Users) revoke(ctx context.Context, h holder, entry item) ([]table.Write, error) {
	l, err := u.readLedger(ctx, h)
	if err != nil {
		return nil, err
	}
	before := l.row
	l.add(entry, h.all, u.now().Add(-u.remembers()))
	row := feedRow(h, entry.before, l.items)
	l.row = row.Key()
	writes := []table.Write{l.write(), table.Put(row)}
	if before.PK != "" && before != l.row {
		writes = append(writes, table.Delete(before))
	}
	return writes, nil
}

// feedRow is the row of a holder in the feed.
func feedRow(h holder, before time.Time, items []item) table.Item {
	key := schema.Revocation(int(h.all.entry[0])%schema.RevocationPartitions, before.Format(time.RFC3339), h.id)
	return table.Item{table.PK: key.PK, table.SK: key.SK, table.TTL: before.Add(maxRemembered).Unix() + 1, "entries": packItems(items)}
}

// onTime writes the rows of the feed again that took too long: since they read the
// clock, readers have read what is newer. Until it has, the revocation is not
// acknowledged. It is called after the writes that began at the time.
func (u *Users) onTime(ctx context.Context, began time.Time, writes []table.Write) error {
	for range attempts {
		late := u.now().Sub(began)
		if 0 <= late && late <= maxLate {
			return nil
		}
		began = u.now()
		var again []table.Write
		for _, w := range writes {
			if id, ok := ofFeed(w); ok {
				key := table.Key{PK: w.Key.PK, SK: u.tokensFrom().Format(time.RFC3339) + "#" + id}
				again = append(again, table.Put(table.Item{
					table.PK: key.PK, table.SK: key.SK, table.TTL: w.Item[table.TTL], "entries": w.Item["entries"],
				}))
			}
		}
		if again == nil {
			return nil
		}
		if err := u.Table.Write(ctx, again...); err != nil {
			return fmt.Errorf("writing a late revocation again: %w", err)
		}
	}
	return fmt.Errorf("%w: revocations take longer than %v", table.ErrUnavailable, maxLate)
}

// ofFeed tells whether w puts a row of the feed, and about whom.
func ofFeed(w table.Write) (id string, ok bool) {
	if w.Op != table.OpPut || !strings.HasPrefix(w.Key.PK, schema.OldRevocationPartition) {
		return "", false
	}
	_, id, ok = strings.Cut(w.Key.SK, "#")
	return id, ok
}

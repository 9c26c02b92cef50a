package usersvc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// The revocation feed is rows in the order of time, see [Feed] for how they are
// read. A user has one row, which each revocation replaces, and so has a client:
// nobody can fill the feed with what they may do over and over. What the row holds
// stands also in the ledger, which is in the user's own row, or beside the client's.

const (
	// authorizerSkew is how far an authorizer's clock can be behind ours.
	authorizerSkew = time.Minute
	// authorizerLeeway is how long after its expiry an authorizer accepts a token.
	authorizerLeeway = 30 * time.Second
	// instanceSkew is how far apart the clocks of two of our instances can be:
	// one of them issues a token, the other one revokes it.
	instanceSkew = 250 * time.Millisecond
	// writeTime is how long a revocation can take from reading the clock to the
	// acknowledgment of its write. One that takes longer is written again.
	writeTime = 250 * time.Millisecond
	// maxAhead is how far the instant of a revocation can be ahead of the clock.
	maxAhead = 2 * time.Second
	// maxRemembered is the longest life of a row: the greatest life of an access
	// token that gatehouse.yml allows, the leeway and the skew.
	maxRemembered = time.Hour + authorizerLeeway + authorizerSkew
	// maxEntries is how many entries the row of one user has. Beyond, those of one
	// client become one; see [ledger.add].
	maxEntries = 8
)

// remembers is how long the feed lists a revocation: as long as an authorizer can
// accept the tokens.
func (u *Users) remembers() time.Duration { return u.accessTTL() + authorizerLeeway + authorizerSkew }

// tokensFrom is the second from which a token is alive that is issued after a
// revocation now. The claim iat is a whole second, the revocation has yet to be
// written, and the clock of the instance that issues can be a little ahead of ours.
func (u *Users) tokensFrom() time.Time {
	return u.now().Add(instanceSkew + writeTime).Truncate(time.Second).Add(time.Second)
}

// onTime tells whether a revocation of tokens from before an instant, which has just
// been written, covers every token that was issued until now. One that took long
// does not: until it was there, tokens were issued and the feed was read.
func (u *Users) onTime(before time.Time) bool { return u.now().Add(instanceSkew).Before(before) }

// revokeUser makes every access token of the user dead: [Users.change] puts that
// into the feed, in the transaction of the change. TokensFrom is at most 2 seconds
// ahead, so that a new token does not wait longer.
func (u *Users) revokeUser(user *User) {
	user.revokes = true
	next := u.tokensFrom()
	if user.TokensFrom.Before(next) || user.TokensFrom.After(u.now().Add(maxAhead)) {
		user.TokensFrom = next
	}
}

// holder is a user or a client whose tokens the feed names.
type holder struct {
	id     string
	row    table.Key // with its ledger
	isUser bool
	active bool // the holder is a user who must be active
	all    item // names all of its tokens
}

func userHolder(id string) holder {
	return holder{id: id, row: userKey(id), isUser: true, all: item{entry: revocation.Subject(id), bucket: revocation.BucketOf(id)}}
}

func clientHolder(id string) holder {
	return holder{id: id, row: schema.Revoked(schema.ClientPartition(id)), all: item{entry: revocation.Client(id), bucket: revocation.Everyone}}
}

// errLedger says that another revocation of the same holder came first.
var errLedger = fmt.Errorf("%w: another revocation came first", errChanged)

// revoke returns the ledger of a holder with one more entry, and the writes that put
// it into the feed. They belong into the transaction that writes the ledger.
func (u *Users) revoke(ctx context.Context, h holder, l ledger, entry item) (ledger, []table.Write, error) {
	partition, err := u.partition(ctx, h)
	if err != nil {
		return ledger{}, nil, err
	}
	now := u.now()
	next := ledger{items: slices.Clone(l.items)}
	next.add(entry, h.all, now.Add(-u.remembers()), now.Add(maxAhead))
	row := feedRow(partition, h, entry.before, next.items)
	next.row = row.Key()
	feed := []table.Write{table.Put(row)}
	if l.row.PK != "" && l.row != next.row {
		feed = append(feed, table.Delete(l.row))
	}
	return next, feed, nil
}

// revokeAll is revoke for all tokens of a user from before TokensFrom. It changes the
// user's ledger, of which before is the present one.
func (u *Users) revokeAll(ctx context.Context, user *User, before ledger) (feed []table.Write, err error) {
	h := userHolder(user.ID)
	h.all.before = user.TokensFrom
	user.ledger, feed, err = u.revoke(ctx, h, before, h.all)
	return feed, err
}

// finishRevoking follows the write of a user whose tokens may be revoked by it.
func (u *Users) finishRevoking(ctx context.Context, user *User) error {
	revokes := user.revokes
	user.revokes = false
	if !revokes || u.onTime(user.TokensFrom) {
		return nil
	}
	h := userHolder(user.ID)
	return u.putEntry(ctx, h, h.all)
}

// putEntry revokes tokens of a holder, in one transaction with writes, and does so
// again if it was not on time. Before that, the revocation is not acknowledged. It
// returns [ErrNotFound] for a user who never was.
func (u *Users) putEntry(ctx context.Context, h holder, entry item, writes ...table.Write) error {
	for range attempts {
		l, err := u.readLedger(ctx, h)
		if err != nil {
			return err
		}
		entry.before = u.tokensFrom()
		next, feed, err := u.revoke(ctx, h, l, entry)
		if err != nil {
			return err
		}
		err = u.Table.Write(ctx, slices.Concat(writes, []table.Write{h.write(l, next)}, feed)...)
		switch {
		case errors.Is(err, errLedger):
		case err != nil:
			return fmt.Errorf("revoking tokens: %w", err)
		case u.onTime(entry.before):
			return nil
		default:
			writes = nil // they are there
		}
	}
	return errContended
}

// feedRow is the row of a holder in a partition of the feed.
func feedRow(partition int, h holder, before time.Time, items []item) table.Item {
	key := schema.Revocation(partition, before.Format(time.RFC3339), h.id)
	return table.Item{table.PK: key.PK, table.SK: key.SK, table.TTL: before.Add(maxRemembered).Unix() + 1, "entries": packItems(items)}
}

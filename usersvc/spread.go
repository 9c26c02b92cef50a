package usersvc

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// DynamoDB takes 1,000 writes a second into one partition, and a reader of the feed
// asks each partition in a request of its own. So rows go into partition 0 as long as
// they are few. A process that has more of them spreads its rows over all partitions,
// by whose they are, and puts a marker into partition 0 before it does. A reader that
// finds a marker reads the other partitions as well.

const (
	// quietRows is how many rows a process puts into partition 0 in each quietFor
	// before it spreads them. With 500 processes, these are 100 rows a second.
	quietRows = 4
	quietFor  = 20 * time.Second
	// markedFor is how long a marker holds, at most. It holds for half of that at
	// least, and for all of it where its minute begins.
	markedFor = 2 * time.Minute
	// markedSlack is how long after a marker ended there can be rows that were
	// written by it: clocks differ, and a late row is written again.
	markedSlack = time.Minute
)

// spreading is what a process remembers in order to choose partitions. The zero value
// is ready. A copy goes on by itself.
type spreading struct {
	quiet  int64 // a number of quietFor since 1970, and in the last 8 bits the rows in it
	marked int64 // Unix seconds: the process need not put a marker until then
}

// partition returns where a row of the holder goes in the feed.
func (u *Users) partition(ctx context.Context, h holder) (int, error) {
	now := u.now()
	if u.spreading.isQuiet(now) {
		return 0, nil
	}
	if now.Unix() >= atomic.LoadInt64(&u.spreading.marked) {
		until := now.Truncate(markedFor / 2).Add(markedFor)
		key := schema.RevocationMarker(until.Format(time.RFC3339))
		marker := table.Item{table.PK: key.PK, table.SK: key.SK, table.TTL: until.Add(maxRemembered).Unix(), "entries": []byte{}}
		if err := u.Table.Write(ctx, table.Put(marker)); err != nil {
			return 0, fmt.Errorf("marking the revocation feed: %w", err)
		}
		early := rand.N(markedFor / 4) // not all processes at once
		atomic.StoreInt64(&u.spreading.marked, until.Add(-early).Unix())
	}
	return int(h.all.entry[0]) % schema.RevocationPartitions, nil
}

// isQuiet tells whether one more row can go into partition 0, and counts it.
func (s *spreading) isQuiet(now time.Time) bool {
	for {
		before := atomic.LoadInt64(&s.quiet)
		next := now.UnixNano() / int64(quietFor) << 8
		if before>>8 == next>>8 {
			next = before
		}
		if next&0xff >= quietRows {
			return false
		}
		if atomic.CompareAndSwapInt64(&s.quiet, before, next+1) {
			return true
		}
	}
}

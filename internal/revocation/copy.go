package revocation

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"
)

// Copy is the feed as its writer has it in memory. The zero Copy is empty. It is
// not safe for concurrent use.
type Copy struct {
	// Remembers is how long an entry is kept: the life of an access token, and
	// how far an authorizer's clock may be behind. Required, at most 18 hours.
	Remembers time.Duration

	entries map[Entry]kept
	buckets [Buckets]int64 // Unix seconds
	floor   int64          // Unix seconds
	latest  int64          // Unix seconds: no later instant is written; 0: any is
}

type kept struct {
	before int64 // Unix seconds
	bucket Bucket
}

// Add adds an entry: tokens that it names and that were issued before the instant
// are dead. A fraction of a second counts as the next one. Of two instants for
// one entry, the later counts. The bucket is that of the tokens' subject, or
// [Everyone].
func (c *Copy) Add(e Entry, bucket Bucket, before time.Time) {
	if c.entries == nil {
		c.entries = map[Entry]kept{}
	}
	if at := second(before); at > c.entries[e].before {
		c.entries[e] = kept{at, bucket}
	}
}

// Raise makes all tokens dead that were issued before the instant. It covers
// entries that the writer did not read.
func (c *Copy) Raise(before time.Time) { c.floor = max(c.floor, second(before)) }

// Len returns how many entries are listed.
func (c *Copy) Len() int { return len(c.entries) }

// Trim forgets what has been remembered long enough at now, and moves the oldest
// entries beyond [MaxEntries] into their buckets.
func (c *Copy) Trim(now time.Time) {
	oldest := now.Add(-c.Remembers).Unix()
	c.latest = now.Add(time.Minute).Unix() // no token is younger; a wrong clock must not stretch the document
	for e, k := range c.entries {
		if k.before <= oldest {
			delete(c.entries, e)
		}
	}
	for i, before := range c.buckets {
		if before <= oldest {
			c.buckets[i] = 0
		}
	}
	if c.floor <= oldest {
		c.floor = 0
	}
	c.overflow()
}

// overflow moves the oldest entries beyond [MaxEntries] into their buckets. Those
// of everyone go last: they cost all clients a renewal. Of entries of one second,
// the order is that of their hashes.
func (c *Copy) overflow() {
	if len(c.entries) <= MaxEntries {
		return
	}
	seconds := map[int64]int{} // entries of each
	for _, k := range c.entries {
		seconds[k.rank()]++
	}
	room := MaxEntries
	last := int64(math.MinInt64) // the second of which only some stay
	for _, rank := range slices.Backward(slices.Sorted(maps.Keys(seconds))) {
		if last = rank; seconds[rank] > room {
			break
		}
		room -= seconds[rank]
	}
	var some []Entry
	for e, k := range c.entries {
		switch rank := k.rank(); {
		case rank == last:
			some = append(some, e)
		case rank < last:
			c.move(e, k)
		}
	}
	slices.SortFunc(some, compare)
	for _, e := range some[room:] {
		c.move(e, c.entries[e])
	}
}

// rank is the second of an entry, or the greatest if it concerns everyone.
func (k kept) rank() int64 {
	if k.bucket == Everyone {
		return math.MaxInt64
	}
	return k.before
}

// move takes an entry from the list, and has its bucket or the floor cover it.
func (c *Copy) move(e Entry, k kept) {
	if k.bucket == Everyone {
		c.floor = max(c.floor, k.before)
	} else {
		c.buckets[k.bucket] = max(c.buckets[k.bucket], k.before)
	}
	delete(c.entries, e)
}

// document is version 2 of the feed.
type document struct {
	Version   int    `json:"version"`
	Remembers int64  `json:"remembers"` // seconds
	Base      int64  `json:"base"`      // Unix seconds
	Floor     int64  `json:"floor"`     // Unix seconds
	Entries   string `json:"entries"`
	Buckets   string `json:"buckets"`
}

// MarshalJSON writes the copy as it was after the last [Copy.Trim]. Equal copies
// are equal bytes, so that they have equal ETags.
func (c *Copy) MarshalJSON() ([]byte, error) {
	entries := make([]listed, 0, len(c.entries))
	earliest, overflowed := int64(math.MaxInt64), false
	for e, k := range c.entries {
		k.before = c.bounded(k.before)
		entries = append(entries, listed{e, k.before})
		earliest = min(earliest, k.before)
	}
	for _, before := range c.buckets {
		if before != 0 {
			earliest, overflowed = min(earliest, c.bounded(before)), true
		}
	}
	d := document{Version: 2, Remembers: int64(c.Remembers / time.Second), Floor: c.bounded(c.floor)}
	if earliest != math.MaxInt64 {
		d.Base = earliest - 1
	}
	slices.SortFunc(entries, func(a, b listed) int { return compare(a.entry, b.entry) })
	blocks := make([]byte, 0, len(entries)*entryBlock)
	for _, l := range entries {
		blocks = binary.BigEndian.AppendUint16(append(blocks, l.entry[:]...), offset(l.before, d.Base))
	}
	d.Entries = base64.StdEncoding.EncodeToString(blocks)
	if overflowed {
		blocks = make([]byte, 0, Buckets*bucketBlock)
		for _, before := range c.buckets {
			blocks = binary.BigEndian.AppendUint16(blocks, offset(c.bounded(before), d.Base))
		}
		d.Buckets = base64.StdEncoding.EncodeToString(blocks)
	}
	return json.Marshal(d)
}

// bounded returns an instant that is not later than a token can be issued.
func (c *Copy) bounded(before int64) int64 {
	if c.latest != 0 {
		return min(before, c.latest)
	}
	return before
}

// offset is an instant in seconds after base; 0 is no instant.
func offset(before, base int64) uint16 {
	if before == 0 {
		return 0
	}
	return uint16(min(before-base, math.MaxUint16))
}

package revocation

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/strictjson"
)

// errDocument drops the cause, which may quote an error page.
var errDocument = errors.New("reading revocations: not a list of them")

// UnmarshalJSON reads a document of version 1 or 2. What it does not understand
// is an error: an entry that is passed over would be a token that lives on.
func (l *List) UnmarshalJSON(data []byte) error {
	if len(data) > MaxSize {
		return fmt.Errorf("reading revocations: %d bytes, want at most %d", len(data), MaxSize)
	}
	members := map[string]string{}
	err := strictjson.Members(string(data), func(name, value string) error {
		if _, twice := members[name]; twice {
			return fmt.Errorf("member %q twice", name)
		}
		members[name] = value
		return nil
	})
	if err != nil {
		return errDocument
	}
	var read List
	switch version := members["version"]; version {
	case "1":
		err = read.readVersion1(members["sessions"], members["subjects"])
	case "2":
		err = read.readVersion2(members)
	default:
		return errors.New("reading revocations: want version 1 or 2: deploy the authorizer before the login service")
	}
	if err != nil {
		return errDocument
	}
	*l = read
	return nil
}

const (
	entryBlock  = len(Entry{}) + 2
	bucketBlock = 2
)

func (l *List) readVersion2(members map[string]string) error {
	var numbers [3]int64
	for i, name := range []string{"remembers", "base", "floor"} {
		n, err := strconv.ParseInt(members[name], 10, 64)
		if err != nil || n < 0 {
			return errDocument
		}
		numbers[i] = n
	}
	remembers, base := numbers[0], numbers[1]
	if remembers == 0 || remembers > math.MaxInt32 {
		return errDocument
	}
	l.remembers, l.floor = time.Duration(remembers)*time.Second, numbers[2]
	entries, err := block(members["entries"], entryBlock)
	if err != nil {
		return err
	}
	l.entries = make([]listed, len(entries)/entryBlock)
	for i := range l.entries {
		at := entries[i*entryBlock:]
		l.entries[i] = listed{Entry(at[:len(Entry{})]), base + int64(binary.BigEndian.Uint16(at[len(Entry{}):]))}
		if i > 0 && bytes.Compare(l.entries[i-1].entry[:], l.entries[i].entry[:]) >= 0 {
			return errDocument // a search would overlook entries
		}
	}
	buckets, err := block(members["buckets"], bucketBlock)
	if err != nil || len(buckets) != 0 && len(buckets) != Buckets*bucketBlock {
		return errDocument
	}
	if len(buckets) == 0 {
		return nil
	}
	l.buckets = make([]int64, Buckets)
	for i := range l.buckets {
		if offset := binary.BigEndian.Uint16(buckets[i*bucketBlock:]); offset != 0 {
			l.buckets[i] = base + int64(offset)
		}
	}
	return nil
}

// block reads a string of blocks in base64.
func block(value string, size int) ([]byte, error) {
	text, ok := strictjson.Text(value)
	if !ok {
		return nil, errDocument
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b)%size != 0 || base64.StdEncoding.EncodedLen(len(b)) != len(text) {
		return nil, errDocument
	}
	return b, nil
}

// readVersion1 reads what version 1 lists. Its entries have 12 bytes of the same
// hashes. A session has no instant there: all of its tokens are dead.
func (l *List) readVersion1(sessions, subjects string) error {
	err := strictjson.Elements(sessions, func(element string) error {
		e, err := version1Entry(strictjson.Text(element))
		l.entries = append(l.entries, listed{e, math.MaxInt64})
		return err
	})
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	err = strictjson.Members(subjects, func(name, value string) error {
		if seen[name] {
			return errDocument
		}
		seen[name] = true
		e, err := version1Entry(name, true)
		if err != nil {
			return err
		}
		before, err := strconv.ParseInt(value, 10, 64)
		l.entries = append(l.entries, listed{e, before})
		return err
	})
	// Of two instants for one entry, the later counts, and stands first.
	slices.SortFunc(l.entries, func(a, b listed) int {
		if c := bytes.Compare(a.entry[:], b.entry[:]); c != 0 {
			return c
		}
		return int(max(-1, min(1, b.before-a.before)))
	})
	l.entries = slices.CompactFunc(l.entries, func(a, b listed) bool { return a.entry == b.entry })
	return err
}

func version1Entry(text string, ok bool) (Entry, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(text) != 16 || len(b) != 12 {
		return Entry{}, errDocument
	}
	return Entry(b[:len(Entry{})]), nil
}

package table

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Engines call the functions of this file before anything else, so that a
// mistake is refused in the same way everywhere, and on a laptop first.

// CheckKey returns [ErrInvalid] for a key with an empty part, and [ErrNotFound]
// for one that no item can have.
func CheckKey(k Key) error {
	if k.PK == "" || k.SK == "" {
		return invalid("empty key")
	}
	if !fits(k.PK, MaxPK) || !fits(k.SK, MaxSK) {
		return ErrNotFound
	}
	return nil
}

// CheckWrites returns [ErrInvalid] unless writes may be done together.
func CheckWrites(writes []Write) error {
	if len(writes) == 0 || len(writes) > MaxWrites {
		return invalid("%d writes, want 1 to %d", len(writes), MaxWrites)
	}
	seen := make(map[Key]bool, len(writes))
	size := 0
	for i, w := range writes {
		if err := checkWrite(w); err != nil {
			return fmt.Errorf("write %d: %w", i, err)
		}
		if seen[w.Key] {
			return invalid("write %d: a second write on one key", i)
		}
		seen[w.Key] = true
		size += Size(w.Item) + Size(w.Set)
	}
	if size > MaxWriteSize {
		return invalid("%d bytes in one call, want at most %d", size, MaxWriteSize)
	}
	return nil
}

func checkWrite(w Write) error {
	if err := CheckKey(w.Key); err != nil {
		return invalid("key empty, too long or not UTF-8")
	}
	if w.Cond != nil {
		if err := checkCond(w.Cond); err != nil {
			return err
		}
	}
	if w.Cond == nil && w.Err != nil {
		return invalid("an error without a condition")
	}
	isPut, isUpdate := w.Op == OpPut, w.Op == OpUpdate
	if isPut != (w.Item != nil) || !isUpdate && len(w.Set)+len(w.Add)+len(w.Remove) > 0 {
		return invalid("fields of another kind of write")
	}
	switch w.Op {
	case OpPut:
		if w.Item.Key() != w.Key {
			return invalid("the item has another key")
		}
		return CheckItem(w.Item)
	case OpUpdate:
		return checkUpdate(w)
	case OpDelete:
		return nil
	case OpCheck:
		if w.Cond == nil {
			return invalid("a check without a condition")
		}
		return nil
	}
	return invalid("unknown operation %d", w.Op)
}

func checkUpdate(w Write) error {
	names := slices.Concat(slices.Collect(maps.Keys(w.Set)), slices.Collect(maps.Keys(w.Add)), w.Remove)
	if len(names) == 0 {
		return invalid("an update that changes nothing")
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if name == PK || name == SK {
			return invalid("an update of the key")
		}
		if seen[name] {
			return invalid("attribute %q is changed twice", name)
		}
		seen[name] = true
		if err := checkName(name); err != nil {
			return err
		}
	}
	return checkAttributes(w.Set)
}

// CheckItem returns [ErrInvalid] unless item may be stored. Engines ask it about
// every item that they write, also about what an update makes.
func CheckItem(item Item) error {
	if err := CheckKey(item.Key()); err != nil {
		return invalid("key empty, too long or not UTF-8")
	}
	return checkAttributes(item)
}

// indexKeys holds the greatest length of each key of an index.
var indexKeys = map[string]int{GSI1PK: MaxPK, GSI1SK: MaxSK, GSI2PK: MaxPK, GSI2SK: MaxSK}

func checkAttributes(attributes map[string]any) error {
	for name, value := range attributes {
		if err := checkName(name); err != nil {
			return err
		}
		if err := checkValue(value); err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
		if limit := indexKeys[name]; limit > 0 {
			if s, ok := value.(string); !ok || s == "" || len(s) > limit {
				return invalid("attribute %q: want a string of 1 to %d bytes", name, limit)
			}
		}
		if _, ok := value.(int64); name == TTL && !ok {
			return invalid("attribute %q: want an int64", name)
		}
	}
	if size := Size(attributes); size > MaxItemSize {
		return invalid("an item of %d bytes, want at most %d", size, MaxItemSize)
	}
	return nil
}

func checkName(name string) error {
	if name == "" || !fits(name, 255) || strings.HasPrefix(name, "_") || strings.ContainsAny(name, "[]") {
		return invalid("attribute name %q", name)
	}
	return nil
}

func checkValue(value any) error {
	switch v := value.(type) {
	case int64, bool, []byte:
		return nil
	case string:
		if utf8.ValidString(v) {
			return nil
		}
	case []string:
		if !slices.ContainsFunc(v, func(s string) bool { return !utf8.ValidString(s) }) {
			return nil
		}
	default:
		return invalid("a value of type %T", value)
	}
	return invalid("a string that is not UTF-8")
}

// Size returns the bytes that attributes take of [MaxItemSize].
func Size(attributes map[string]any) int {
	n := 0
	for name, value := range attributes {
		n += len(name)
		switch v := value.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		case []string:
			n += 3
			for _, s := range v {
				n += len(s) + 1
			}
		default:
			n += 12 // as much as any int64 takes
		}
	}
	return n
}

func fits(s string, limit int) bool { return len(s) <= limit && utf8.ValidString(s) }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

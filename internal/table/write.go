package table

// Write is one write of a [Table.Write] call: made by [Put], [Update],
// [Delete] or [Check], and bound to a condition by [Write.If].
type Write struct {
	Op     Op
	Key    Key
	Item   Item             // of a Put: the whole item
	Set    map[string]any   // of an Update: attributes to set
	Add    map[string]int64 // of an Update: numbers to add; an absent attribute counts as 0, any but an int64 is ErrInvalid
	Remove []string         // of an Update: attributes to remove
	Cond   Cond             // nil: unconditional
	Err    error            // what the call returns if Cond does not hold; nil: ErrConditionFailed alone
}

// Op is a kind of write.
type Op int

// The kinds of writes.
const (
	OpPut    Op = iota + 1 // replaces the whole item
	OpUpdate               // changes attributes; creates the item if it is absent
	OpDelete               // no effect if the item is absent
	OpCheck                // writes nothing, and fails the call if its condition does not hold
)

// Put writes item as a whole, in place of any item under its key.
func Put(item Item) Write { return Write{Op: OpPut, Key: item.Key(), Item: item} }

// Update sets the attributes of set on the item under key and leaves the others
// as they are. Unless a condition forbids it, an absent item is created. It
// changes something, no attribute twice, and never the key.
func Update(key Key, set map[string]any) Write { return Write{Op: OpUpdate, Key: key, Set: set} }

// Delete removes the item under key.
func Delete(key Key) Write { return Write{Op: OpDelete, Key: key} }

// Check writes nothing: the call succeeds only if cond holds for the item.
func Check(key Key, cond Cond) Write { return Write{Op: OpCheck, Key: key, Cond: cond} }

// If binds the write to cond, in place of a condition it had.
func (w Write) If(cond Cond) Write { w.Cond = cond; return w }

// Else names the failure of the write's condition: if it does not hold, errors.Is
// finds err in the error of [Table.Write]. A write without a condition cannot
// carry an error.
func (w Write) Else(err error) Write { w.Err = err; return w }

// Adding makes an Update add n to the number under name.
func (w Write) Adding(name string, n int64) Write {
	add := map[string]int64{name: n}
	for k, v := range w.Add {
		if k != name {
			add[k] = v
		}
	}
	w.Add = add
	return w
}

// Removing makes an Update remove the attributes.
func (w Write) Removing(names ...string) Write {
	w.Remove = append(append([]string(nil), w.Remove...), names...)
	return w
}

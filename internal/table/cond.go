package table

// Cond is a condition on one item: of a write, on the item as it was before;
// of a query, on each item found. The set is closed: an engine translates it or
// asks [Holds].
type Cond interface{ isCond() }

// The conditions. An attribute that is absent makes every comparison false;
// so does a value of another type.
type (
	// Exists holds if there is an item.
	Exists struct{}
	// NotExists holds if there is no item.
	NotExists struct{}
	// Has holds if the attribute is present.
	Has struct{ Name string }
	// Equal holds if the attribute has this value (a string, int64 or bool).
	Equal struct {
		Name  string
		Value any
	}
	// Less holds if the attribute is smaller than the value (string or int64).
	Less struct {
		Name  string
		Value any
	}
	// Begins holds if the attribute is a string that begins with Prefix.
	Begins struct{ Name, Prefix string }
	// Contains holds if the attribute is a []string with this element.
	Contains struct{ Name, Element string }
	// Not holds if Cond does not.
	Not struct{ Cond Cond }
	// All holds if each one holds; an empty All holds.
	All []Cond
	// Any holds if at least one holds; an empty Any does not.
	Any []Cond
)

func (Exists) isCond()    {}
func (NotExists) isCond() {}
func (Has) isCond()       {}
func (Equal) isCond()     {}
func (Less) isCond()      {}
func (Begins) isCond()    {}
func (Contains) isCond()  {}
func (Not) isCond()       {}
func (All) isCond()       {}
func (Any) isCond()       {}

package table

import (
	"iter"
	"slices"
)

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

// checkCond returns [ErrInvalid] for a condition that an engine could not ask.
func checkCond(cond Cond) error {
	switch c := cond.(type) {
	case Exists, NotExists:
		return nil
	case Has:
		return checkName(c.Name)
	case Equal:
		switch c.Value.(type) {
		case string, int64, bool:
			return checkOperand(c.Name, c.Value)
		}
		return invalid("comparing %q with a %T", c.Name, c.Value)
	case Less:
		switch c.Value.(type) {
		case string, int64:
			return checkOperand(c.Name, c.Value)
		}
		return invalid("comparing %q with a %T", c.Name, c.Value)
	case Begins:
		return checkOperand(c.Name, c.Prefix)
	case Contains:
		return checkOperand(c.Name, c.Element)
	case Not:
		return checkCond(c.Cond)
	case All:
		return checkConds(c)
	case Any:
		return checkConds(c)
	}
	return invalid("a condition of type %T", cond)
}

func checkConds(conds []Cond) error {
	for _, c := range conds {
		if err := checkCond(c); err != nil {
			return err
		}
	}
	return nil
}

func checkOperand(name string, value any) error {
	if err := checkName(name); err != nil {
		return err
	}
	return checkValue(value)
}

// names yields the names of the attributes that cond looks at.
func names(cond Cond) iter.Seq[string] {
	return func(yield func(string) bool) { yieldNames(cond, yield) }
}

func yieldNames(cond Cond, yield func(string) bool) bool {
	switch c := cond.(type) {
	case Has:
		return yield(c.Name)
	case Equal:
		return yield(c.Name)
	case Less:
		return yield(c.Name)
	case Begins:
		return yield(c.Name)
	case Contains:
		return yield(c.Name)
	case Not:
		return yieldNames(c.Cond, yield)
	case All:
		return !slices.ContainsFunc(c, func(c Cond) bool { return !yieldNames(c, yield) })
	case Any:
		return !slices.ContainsFunc(c, func(c Cond) bool { return !yieldNames(c, yield) })
	}
	return true
}

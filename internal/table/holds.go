package table

import (
	"slices"
	"strings"
)

// Holds tells whether cond holds for item; a nil item is an absent one. A nil
// cond holds for every item.
func Holds(cond Cond, item Item) bool {
	switch c := cond.(type) {
	case nil:
		return true
	case Exists:
		return item != nil
	case NotExists:
		return item == nil
	case Not:
		return !Holds(c.Cond, item)
	case All:
		return !slices.ContainsFunc(c, func(c Cond) bool { return !Holds(c, item) })
	case Any:
		return slices.ContainsFunc(c, func(c Cond) bool { return Holds(c, item) })
	}
	return attributeHolds(cond, item)
}

func attributeHolds(cond Cond, item Item) bool {
	switch c := cond.(type) {
	case Has:
		_, ok := item[c.Name]
		return ok
	case Equal:
		switch want := c.Value.(type) {
		case string, int64, bool:
			switch item[c.Name].(type) {
			case string, int64, bool:
				return item[c.Name] == want
			}
		}
		return false
	case Less:
		return less(item[c.Name], c.Value)
	case Begins:
		s, ok := item[c.Name].(string)
		return ok && strings.HasPrefix(s, c.Prefix)
	case Contains:
		list, _ := item[c.Name].([]string)
		return slices.Contains(list, c.Element)
	}
	return false
}

// less compares strings by their bytes and numbers by value.
func less(a, b any) bool {
	switch b := b.(type) {
	case string:
		a, ok := a.(string)
		return ok && a < b
	case int64:
		a, ok := a.(int64)
		return ok && a < b
	}
	return false
}

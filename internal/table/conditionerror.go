package table

import "fmt"

// conditionError is the error of a [Table.Write] call whose conditions did not
// hold. Callers ask errors.Is about it.
type conditionError struct {
	failed []int // positions of the writes in the call, ascending
	errs   []error
}

// ConditionFailed returns the error of a call that wrote nothing because the
// conditions of the writes with these indexes did not hold. It is for engines.
func ConditionFailed(writes []Write, failed ...int) error {
	e := &conditionError{failed: failed, errs: []error{ErrConditionFailed}}
	for _, i := range failed {
		if err := writes[i].Err; err != nil {
			e.errs = append(e.errs, err)
		}
	}
	return e
}

// Error names the writes by their positions, because keys can hold e-mail
// addresses, and then the errors that the writes carry.
func (e *conditionError) Error() string {
	text := fmt.Sprintf("%v: writes %v", ErrConditionFailed, e.failed)
	for _, err := range e.errs[1:] {
		text += ": " + err.Error()
	}
	return text
}

// Unwrap returns [ErrConditionFailed] and the errors of the failed writes.
func (e *conditionError) Unwrap() []error { return e.errs }

package kmstest

import "fmt"

// Where the keys are. These must never reach the public.
const (
	Region  = "eu-central-1"
	Account = "111122223333"

	arnPrefix = "arn:aws:kms:" + Region + ":" + Account + ":"
	caller    = "arn:aws:sts::" + Account + ":assumed-role/gatehouse/function"
)

// apiError is an error as AWS sends it: name and message, in the clear.
type apiError struct {
	status  int
	name    string
	message string
}

func (e *apiError) Error() string { return e.name + ": " + e.message }

func invalid(format string, args ...any) error {
	return &apiError{400, "ValidationException", fmt.Sprintf(format, args...)}
}

func constraint(member, want string) error {
	return invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: %s", member, want)
}

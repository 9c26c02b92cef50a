package keys

import "errors"

// ErrUnavailable says that a key could not be used now: KMS is throttled, out of
// reach, or the key is disabled for a while. The caller answers 503.
var ErrUnavailable = errors.New("signing key unavailable")

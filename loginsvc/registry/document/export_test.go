package document

import "net/http"

// Through returns the configuration with another transport.
func (c Config) Through(transport http.RoundTripper) Config {
	c.transport = transport
	return c
}

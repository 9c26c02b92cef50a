package token

import "slices"

// readHeader returns the key id of a header that is as ours are: signed with
// RS256, of one of the types, and with nothing that asks us to fetch a key,
// bring another, or read the rest in another way.
func readHeader(header []byte, types ...string) (keyID string, err error) {
	var alg, typ string
	err = members(header, func(name, value string) error {
		switch name {
		case "alg":
			alg, _ = text(value)
		case "typ":
			if typ, _ = text(value); typ == "" {
				typ = value // not a name, nor absent
			}
		case "kid":
			keyID, _ = text(value)
		case "crit":
			// "If any of the listed extension Header Parameters are not
			// understood and supported by the recipient, then the JWS is
			// invalid" (RFC 7515, Section 4.1.11). We support none.
			return refuse(ReasonCritical)
		case "cty":
			// The payload would be another token (RFC 7519, Section 5.2). Ours
			// holds claims.
			return refuse(ReasonContentType)
		case "jwk", "jku", "x5u", "x5c", "zip", "enc", "b64":
			return refuse(ReasonHeader)
		}
		return nil
	})
	switch {
	case err != nil:
		return "", err
	case alg != "RS256":
		return "", refuse(ReasonAlgorithm)
	case !slices.Contains(types, typ):
		return "", refuse(ReasonType)
	case keyID == "":
		return "", refuse(ReasonKeyIDMissing)
	}
	return keyID, nil
}

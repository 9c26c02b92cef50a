package guard

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse-auth/gatehouse/authorizer"
	"github.com/gatehouse-auth/gatehouse/internal/issuers"
)

// CheckIssuers returns an error for every mistake in the issuers that an authorizer
// would refuse at its start; own is our issuer.
func CheckIssuers(own string, all []issuers.Issuer) error {
	return authorizer.CheckIssuers(own, configured(all))
}

// Issuers returns the issuers with their keys, which are fetched when the first
// token of each comes. It does no I/O.
func Issuers(own string, all []issuers.Issuer, now func() time.Time, log *slog.Logger) ([]authorizer.Issuer, error) {
	ready := configured(all)
	if err := authorizer.CheckIssuers(own, ready); err != nil {
		return nil, err
	}
	var mistakes []error
	for i, one := range all {
		keys, err := authorizer.NewKeySource(authorizer.KeySourceConfig{
			URL: cmp.Or(one.JWKSURI, authorizer.KeysURL(one.Profile, one.Issuer)), Now: now, Log: log,
		})
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("issuer %q: %w", one.Issuer, err))
			continue
		}
		ready[i].Keys = keys.Key
	}
	return ready, errors.Join(mistakes...)
}

func configured(all []issuers.Issuer) []authorizer.Issuer {
	var found []authorizer.Issuer
	for _, one := range all {
		found = append(found, authorizer.Issuer{
			URL: one.Issuer, Profile: one.Profile, Audiences: one.Audiences,
			MaxAge: time.Duration(one.MaxAge), RolesClaim: one.RolesClaim, Roles: one.Roles,
		})
	}
	return found
}

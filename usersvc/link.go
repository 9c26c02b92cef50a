package usersvc

import (
	"context"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// hasIssuer tells whether the user has, or has had, an identity of the issuer. A
// provider that knows two people by one address has given it to the second after
// the first had left: they are different people. And an identity that a user has
// unlinked must not come back without them.
func (u *Users) hasIssuer(ctx context.Context, userID, issuer string) (*bool, error) {
	page, err := u.Table.Query(ctx, table.Query{PK: userKey(userID).PK, Prefix: identityPrefix + issuer + "#", Limit: 1})
	if err != nil {
		return nil, fmt.Errorf("reading identities: %w", err)
	}
	has := len(page.Items) > 0
	return &has, nil
}

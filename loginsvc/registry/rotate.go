package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// RotateSecret gives the client another secret, which is returned and cannot be
// told again. The one before stays good, until the next rotation or
// [Clients.DropOldSecret]; any that is older is dead. It returns
// [client.ErrUnknown], [ErrPublic] or [ErrChanged].
func (c *Clients) RotateSecret(ctx context.Context, by usersvc.By, id string) (client.Secret, error) {
	r, err := c.Get(ctx, id)
	if err != nil {
		return "", err
	}
	if r.Public() {
		return "", ErrPublic
	}
	secret := newSecret()
	newest := r.SecretHashes[len(r.SecretHashes)-1]
	if err := c.setSecrets(ctx, r, map[string]any{
		"secret_hashes": []string{newest, client.HashSecret(string(secret))}, "secret_at": c.now().UnixMilli(),
	}, usersvc.ClientAudit(usersvc.ClientSecretRotated, id, by, "", c.now())); err != nil {
		return "", err
	}
	return secret, nil
}

// DropOldSecret ends the older of the client's two secrets. It returns
// [client.ErrUnknown], [ErrPublic], [ErrOneSecret] or [ErrChanged].
func (c *Clients) DropOldSecret(ctx context.Context, by usersvc.By, id string) error {
	r, err := c.Get(ctx, id)
	switch {
	case err != nil:
		return err
	case r.Public():
		return ErrPublic
	case len(r.SecretHashes) < 2:
		return ErrOneSecret
	}
	return c.setSecrets(ctx, r, map[string]any{"secret_hashes": r.SecretHashes[len(r.SecretHashes)-1:]},
		usersvc.ClientAudit(usersvc.ClientSecretDropped, id, by, "", c.now()))
}

// setSecrets changes the row that was read as r, and none that is newer.
func (c *Clients) setSecrets(ctx context.Context, r Registered, set map[string]any, audit table.Write) error {
	err := c.Table.Write(ctx, table.Update(keyOf(r.ID), set).Adding("version", 1).If(r.unchanged()).Else(ErrChanged), audit)
	if errors.Is(err, ErrChanged) {
		return ErrChanged
	}
	if err != nil {
		return fmt.Errorf("changing the secrets of a client: %w", err)
	}
	return nil
}

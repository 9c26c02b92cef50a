// Package setup makes parts of Gatehouse as gatehouse.yml describes them.
package setup

import (
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream/preset"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// Users returns the users in t, with the roles, admins and lifetimes of c.
func Users(c *config.Config, t table.Table) *usersvc.Users {
	u := &usersvc.Users{
		Table: t, Admins: c.Admins, DefaultRoles: c.DefaultRoles,
		AccessTTL: c.LongestToken(), SessionTTL: c.Lifetimes.Session, SessionIdle: c.Lifetimes.SessionIdle,
	}
	for _, r := range c.Roles {
		u.Roles = append(u.Roles, r.Name)
	}
	for _, p := range c.Providers {
		if p.TrustEmail {
			u.TrustedProviders = append(u.TrustedProviders, p.ID)
		}
		if p.EmailVerified == preset.VerifiedAlways && preset.SeveralTenants(p.Issuer) {
			u.NoAdminProviders = append(u.NoAdminProviders, p.ID)
		}
	}
	return u
}

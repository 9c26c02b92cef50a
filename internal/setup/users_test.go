package setup_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/setup"
)

func TestUsers(t *testing.T) {
	c := &config.Config{
		Admins: []string{"ada@example.com"}, Roles: []config.Role{{Name: "user"}, {Name: "admin"}}, DefaultRoles: []string{"user"},
		Providers: []config.Provider{{ID: "google", TrustEmail: true}, {ID: "other"}},
		Lifetimes: config.Lifetimes{AccessToken: time.Minute, Session: time.Hour, SessionIdle: 30 * time.Minute},
	}
	u := setup.Users(c, nil)
	if !slices.Equal(u.Roles, []string{"user", "admin"}) || !slices.Equal(u.TrustedProviders, []string{"google"}) || !slices.Equal(u.Admins, c.Admins) ||
		!slices.Equal(u.DefaultRoles, c.DefaultRoles) || u.AccessTTL != time.Minute || u.SessionTTL != time.Hour || u.SessionIdle != 30*time.Minute {
		t.Errorf("got %+v", u)
	}
}

package pages_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

// signedInStates are the pages of somebody who is signed in. or returns the
// friendly value it is given, or a hostile one.
func signedInStates(or func(string) string) []state {
	at := time.Date(2026, 3, 1, 14, 5, 0, 0, time.UTC)
	frame := pages.Frame{Who: or("Ada Lovelace"), Admin: true}
	scopes := []pages.Scope{{Name: "openid"}, {Name: "email"}, {Name: or("offline_access")}, {Name: "notes", Description: or("Read your notes")}}
	sessions := []pages.SessionRow{
		{ID: or("s_1"), This: true, UserAgent: or("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), Provider: or("Google"), CreatedAt: at, LastUsedAt: at.Add(time.Hour)},
		{ID: or("s_2"), UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1", Provider: or("Demo"), CreatedAt: at, LastUsedAt: at},
		{ID: or("s_3"), UserAgent: or(""), CreatedAt: at, LastUsedAt: at},
	}
	identities := []pages.IdentityRow{
		{ID: or("i1"), Provider: or("Google"), Email: or("ada@example.com"), LinkedAt: at},
		{ID: or("i2"), Provider: or("Demo"), LinkedAt: at},
	}
	account := pages.Account{
		Frame: frame, ID: "u_1k825a1cvgm35x6qe3su7phg", Name: or("Ada Lovelace"), Email: or("ada@example.com"), EmailVerified: true,
		Roles: []string{"admin", or("user")}, CreatedAt: at, Sessions: sessions, Identities: identities,
		Linkable: []pages.ProviderLink{{ID: or("entra"), Name: or("Microsoft Entra ID")}},
		Apps:     []pages.AppRow{{ClientID: or("print"), Name: or("Print shop"), Scopes: []string{"openid", "email", or("notes")}, Since: at}}, ConfirmWith: or("ada@example.com"),
	}
	user := pages.UserRow{ID: or("u_1k825a1cvgm35x6qe3su7phg"), Name: or("Lin"), Email: or("lin@example.com"), Roles: []string{or("user")}, CreatedAt: at}
	suspended := pages.UserRow{ID: "u_1k825a1cvdhx3fnj5sg66iapc", Name: or("Sam"), Email: or("sam@example.com"), Suspended: true, CreatedAt: at}
	trail := []pages.AuditRow{
		{At: at, Action: "roles.changed", Actor: or("u_1k825a1cvgm35x6qe3su7phg"), UserID: user.ID, Detail: or("+editor -user"), From: or("192.0.2.7")},
		{At: at, Action: or("user.created"), Actor: or("gatehouse.yml"), UserID: or(user.ID)},
	}
	roles := []pages.RoleChoice{{Name: "admin", Has: true, Kept: true}, {Name: or("editor")}, {Name: "user", Has: true}}
	admin := pages.AdminUser{Frame: frame, User: user, Version: 3, Roles: roles, Sessions: sessions, Identities: identities, Trail: trail, TrailURL: or("/admin/audit?user=u_1")}

	all := []state{
		{"consent", pages.Consent{AppName: or("Print shop"), Next: or("print.example.net"), Who: or("Ada"), Scopes: scopes, Request: or("r"), SwitchURL: or("/login?request=r")}},
		{"consent-document", pages.Consent{AppName: or("Tool (tool.example.org)"), Host: or("tool.example.org"), Local: true, Next: or("127.0.0.1"), Who: or("Ada"), Scopes: scopes, APIs: []string{or("Notes (mcp.example.com/mcp)")}, Request: or("r")}},
		{"consent-bare", pages.Consent{AppName: or("Print shop"), Who: or("Ada"), Action: or("/authorize")}},
		{"device-code", pages.DeviceCode{}},
		{"device-code-wrong", pages.DeviceCode{Code: or("WDJB-MJHT"), Wrong: true, Action: or("/device")}},
		{"device-confirm", pages.DeviceConfirm{AppName: or("Television"), Code: or("WDJB-MJHT"), Who: or("Ada"), Scopes: scopes, SwitchURL: or("/login?request=r")}},
		{"device-confirm-bare", pages.DeviceConfirm{AppName: or("Television"), Code: or("WDJB-MJHT"), Who: or("Ada")}},
		{"device-allowed", pages.DeviceDone{AppName: or("Television"), Allowed: true}},
		{"device-denied", pages.DeviceDone{AppName: or("Television")}},
		{"account", account},
		{"account-small", pages.Account{Frame: pages.Frame{Base: or("/auth"), Who: or("Lin")}, ID: "u_1", Name: or("Lin"), CreatedAt: at, Sessions: sessions[:1], Identities: identities[:1], Action: or("/account")}},
		{"account-deleted", pages.AccountDeleted{}},
		{"users", pages.AdminUsers{Frame: frame, Users: []pages.UserRow{user, suspended, {ID: "u_2", CreatedAt: at}}, Roles: []string{"admin", or("user")}, Next: or("n"), Previous: or("p")}},
		{"users-filtered", pages.AdminUsers{Frame: frame, Search: or("zoe@"), Private: true, Role: "admin", Status: "active", Roles: []string{"admin", or("user")}, Next: or("n")}},
		{"users-none", pages.AdminUsers{Frame: frame}},
		{"user", admin},
		{"user-bare", pages.AdminUser{Frame: frame, User: suspended, Self: true}},
		{"user-nameless", pages.AdminUser{Frame: frame, User: pages.UserRow{ID: "u_2", CreatedAt: at}}},
		{"audit", pages.AdminAudit{Frame: frame, Rows: trail, NextURL: or("/admin/audit?cursor=n"), User: or("u_1"), Actor: or("u_2"), Time: or("2026-03")}},
		{"audit-none", pages.AdminAudit{Frame: frame}},
		{"keys", pages.AdminKeys{Frame: frame, Keys: []pages.KeyRow{
			{ID: or("iM5E53zXM5wi0TwOitEPYbhbtNMR8aiNCFgSWEcbrX4"), State: "next", Since: at},
			{ID: "yTwOitEPYbhbtNMR8aiNCFgSWEcbrX4iM5E53zXM5wi", State: "current", Since: at, Until: at.Add(720 * time.Hour)},
			{ID: "a1", State: or("retiring"), Since: at, Until: at},
		}}},
		{"keys-none", pages.AdminKeys{Frame: frame}},
	}
	for _, n := range pages.AccountNotices() {
		account.Notice = n
		all = append(all, state{"account-notice-bare-" + string(n), account})
	}
	for _, n := range pages.AdminNotices() {
		admin.Notice = n
		all = append(all, state{"user-notice-bare-" + string(n), admin})
	}
	account.Notice, admin.Notice = pages.LastIdentity, pages.UserChanged
	return append(all, state{"account-notice", account}, state{"user-notice", admin})
}

// fullLists are the longest lists that a page is given.
func fullLists() []state {
	at := time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC)
	frame := pages.Frame{Base: "/login-service", Who: "Ada", Admin: true}
	var (
		users    []pages.UserRow
		rows     []pages.AuditRow
		sessions []pages.SessionRow
	)
	for i := range pages.AdminRows {
		id := fmt.Sprintf("u_1k825a1cvgm35x6qe3su7p%02d", i)
		users = append(users, pages.UserRow{ID: id, Name: "Maximiliane Musterfrau-Beispiel", Email: "maximiliane.musterfrau-beispiel@department.example.com", Roles: []string{"admin", "editor", "user"}, Suspended: true, CreatedAt: at})
		rows = append(rows, pages.AuditRow{At: at, Action: "identity.unlinked", Actor: id, UserID: id, Detail: "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0", From: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"})
	}
	for range 300 {
		sessions = append(sessions, pages.SessionRow{ID: "s_1k825a1cvdhx3fnj5sg66iapc", UserAgent: "Firefox/140.0 Linux", Provider: "Microsoft Entra ID", CreatedAt: at, LastUsedAt: at})
	}
	var identities []pages.IdentityRow
	for range 20 {
		identities = append(identities, pages.IdentityRow{ID: "i_1k825a1cvdhx3fnj5sg66iapc", Provider: "Microsoft Entra ID", Email: users[0].Email, LinkedAt: at})
	}
	return []state{
		{"users-full", pages.AdminUsers{Frame: frame, Users: users, Roles: []string{"admin"}, Next: strings.Repeat("n", 300), Previous: strings.Repeat("p", 300)}},
		{"audit-full", pages.AdminAudit{Frame: frame, Rows: rows, NextURL: "/n", PreviousURL: "/p"}},
		{"account-full", pages.Account{Frame: frame, ID: "u_1", Name: "Ada", CreatedAt: at, Sessions: sessions, Identities: identities, ConfirmWith: users[0].Email}},
		{"user-full", pages.AdminUser{Frame: frame, User: users[0], Sessions: sessions, Identities: identities, Trail: rows[:5]}},
	}
}

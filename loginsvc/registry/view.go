package registry

import (
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// View is what admins and their scripts see of a client: no secret, and no hash of one.
type View struct {
	ID                     string   `json:"id"`
	Name                   string   `json:"name"`
	Public                 bool     `json:"public"`
	ThirdParty             bool     `json:"third_party"`
	RedirectURIs           []string `json:"redirect_uris"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris"`
	Origins                []string `json:"origins"`
	Grants                 []string `json:"grants"`
	Scopes                 []string `json:"scopes"`
	Audiences              []string `json:"audiences"` // empty: that of gatehouse.yml
	Serves                 []string `json:"serves"`
	AccessToken            string   `json:"access_token_lifetime,omitempty"` // "": that of gatehouse.yml
	RefreshToken           string   `json:"refresh_token_lifetime,omitempty"`
	RefreshIdle            string   `json:"refresh_idle_lifetime,omitempty"`
	SecretEnv              string   `json:"secret_env,omitempty"`

	Exceptions map[string][]string `json:"exceptions,omitempty"` // by their keys in gatehouse.yml
	In         string              `json:"in"`                   // "file", "table", or "table, hidden by the file"
	Secrets    int                 `json:"secrets,omitempty"`
	SecretAt   *time.Time          `json:"secret_at,omitempty"` // when the newest was made
	CreatedAt  *time.Time          `json:"created_at,omitempty"`
	Version    int64               `json:"version,omitempty"` // for an edit

	Audit []usersvc.Entry `json:"audit,omitempty"` // what was done to it, the newest first
}

// ViewOf returns the view of a client of gatehouse.yml.
func ViewOf(app client.Client) View {
	grants := app.Grants
	if len(grants) == 0 && app.MayUse(client.GrantCode) {
		grants = []string{client.GrantCode}
	}
	exceptions := make(map[string][]string)
	for _, e := range client.All() {
		if values := e.Get(app.Exceptions); len(values) > 0 {
			exceptions[e.Key] = values
		}
	}
	return View{
		Exceptions: exceptions,
		ID:         app.ID, Name: app.DisplayName(), Public: app.Public(), ThirdParty: app.ThirdParty,
		RedirectURIs: listed(app.RedirectURIs), PostLogoutRedirectURIs: listed(app.PostLogoutRedirectURIs),
		Origins: listed(app.Origins), Grants: listed(grants), Scopes: listed(app.AllowedScopes()), SecretEnv: app.SecretEnv, In: "file",
		Audiences: listed(app.Audiences), Serves: listed(app.Serves), AccessToken: span(app.Lifetimes.AccessToken),
		RefreshToken: span(app.Lifetimes.RefreshToken), RefreshIdle: span(app.Lifetimes.RefreshIdle),
	}
}

// span is a span of time, or "" for that of gatehouse.yml.
func span(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// listed is list as JSON shows a list that can be empty.
func listed(list []string) []string { return append([]string{}, list...) }

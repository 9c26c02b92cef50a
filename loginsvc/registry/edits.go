package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// Edits are changes to a client; what is nil stays as it is. A list whose values begin
// with + or - adds and takes out values; without a sign it is the new list, and one ""
// empties it.
type Edits struct {
	Name                   *string        `json:"name,omitempty"`
	ThirdParty             *bool          `json:"third_party,omitempty"`
	RedirectURIs           []string       `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string       `json:"post_logout_redirect_uris,omitempty"`
	Origins                []string       `json:"origins,omitempty"`
	Grants                 []string       `json:"grants,omitempty"`
	Scopes                 []string       `json:"scopes,omitempty"`
	Audiences              []string       `json:"audiences,omitempty"`
	Serves                 []string       `json:"serves,omitempty"`
	AccessToken            *time.Duration `json:"access_token_lifetime,omitempty"` // nanoseconds; 0: that of gatehouse.yml
	RefreshToken           *time.Duration `json:"refresh_token_lifetime,omitempty"`
	RefreshIdle            *time.Duration `json:"refresh_idle_lifetime,omitempty"`

	Exceptions map[string][]string `json:"exceptions,omitempty"` // by their keys in gatehouse.yml
}

// Apply changes app, or returns what is wrong with the edits. An error can come after
// some of the changes.
func (e Edits) Apply(app *client.Client) error {
	set(&app.Name, e.Name)
	set(&app.ThirdParty, e.ThirdParty)
	set(&app.Lifetimes.AccessToken, e.AccessToken)
	set(&app.Lifetimes.RefreshToken, e.RefreshToken)
	set(&app.Lifetimes.RefreshIdle, e.RefreshIdle)
	for _, list := range []struct {
		name string
		said []string
		into *[]string
	}{
		{"redirect-uri", e.RedirectURIs, &app.RedirectURIs},
		{"post-logout-redirect-uri", e.PostLogoutRedirectURIs, &app.PostLogoutRedirectURIs},
		{"origin", e.Origins, &app.Origins},
		{"grant", e.Grants, &app.Grants},
		{"scope", e.Scopes, &app.Scopes},
		{"audience", e.Audiences, &app.Audiences},
		{"serves", e.Serves, &app.Serves},
	} {
		after, err := editList(*list.into, list.said)
		if err != nil {
			return &AdminError{fmt.Sprintf("--%s: %v", list.name, err), err}
		}
		*list.into = after
	}
	for _, exception := range client.All() {
		said := e.Exceptions[exception.Key]
		values, err := editList(exception.Get(app.Exceptions), said)
		if err == nil && said != nil {
			err = exception.Set(&app.Exceptions, values)
		}
		if err != nil {
			return &AdminError{fmt.Sprintf("%s: %v", exception.Key, err), err}
		}
	}
	return nil
}

func set[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}

// editList returns list after what was said of it.
func editList(list, said []string) ([]string, error) {
	if len(said) == 0 {
		return list, nil
	}
	signed := 0
	for _, value := range said {
		if strings.HasPrefix(value, "+") || strings.HasPrefix(value, "-") {
			signed++
		}
	}
	switch {
	case signed == 0 && len(said) == 1 && said[0] == "":
		return nil, nil
	case signed == 0:
		return said, nil
	case signed < len(said):
		return nil, errors.New("with + and - it changes the list, without it sets it: write all in one way")
	}
	after := slices.Clone(list)
	for _, value := range said {
		add, value := value[0] == '+', value[1:]
		i := slices.Index(after, value)
		switch {
		case add && i < 0:
			after = append(after, value)
		case !add && i < 0:
			return nil, fmt.Errorf("%s is not in the list: there are %s", value, strings.Join(list, ", "))
		case !add:
			after = slices.Delete(after, i, i+1)
		}
	}
	return after, nil
}

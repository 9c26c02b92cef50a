package testkit_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/identity/lambdahttp"
	"github.com/gatehouse-auth/gatehouse/identity/testkit"
)

func TestPathParameters(t *testing.T) {
	for _, test := range []struct {
		route, target string
		http, rest    map[string]string
	}{
		{"GET /notes/{id}", "/notes/7?q=1", map[string]string{"id": "7"}, map[string]string{"id": "7"}},
		{"ANY /notes/{id}/pages/{page}", "/notes/a%2Fb/pages/2%203", map[string]string{"id": "a/b", "page": "2 3"}, map[string]string{"id": "a%2Fb", "page": "2%203"}},
		{"GET /files/{proxy+}", "/files/a/b%20c", map[string]string{"proxy": "a/b c"}, map[string]string{"proxy": "a/b%20c"}},
		{"GET /", "/", map[string]string{}, map[string]string{}},
		{"$default", "/any/thing", nil, nil},
	} {
		t.Run(test.route, func(t *testing.T) {
			lin := testkit.As("lin")
			e := testkit.HTTP(lin, "GET", test.target, "", testkit.Route(test.route))
			if diff := cmp.Diff(test.http, e.PathParameters); diff != "" || e.RouteKey != test.route || e.RequestContext.RouteKey != test.route {
				t.Error(diff, e.RouteKey)
			}
			r := testkit.REST(lin, "GET", test.target, "", testkit.Route(test.route))
			if diff := cmp.Diff(test.rest, r.PathParameters); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, wrong := range [][3]string{
		{"GET /notes/{id}", "GET", "/notes"}, {"GET /notes/{id}", "GET", "/notes/7/8"}, {"POST /notes/{id}", "GET", "/notes/7"},
		{"GET /notes/{id}", "GET", "/notes/"}, {"GET /a", "GET", "/b"}, {"GET /files/{proxy+}", "GET", "/files"},
	} {
		t.Run("not "+wrong[0]+" for "+wrong[2], func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			testkit.HTTP(testkit.As("lin"), wrong[1], wrong[2], "", testkit.Route(wrong[0]))
		})
	}
}

func TestNative(t *testing.T) {
	ada := testkit.As("ada", testkit.Roles("user", "admin"))
	e := testkit.HTTP(ada, "GET", "/notes", "", testkit.Native())
	if who, err := identity.FromEvent(again(t, e)); err != nil || e.RequestContext.Authorizer.Lambda != nil {
		t.Error(err)
	} else if diff := cmp.Diff(ada, who); diff != "" {
		t.Error(diff)
	}
	job := identity.Identity{Subject: "job", ClientID: "job", Scopes: []string{"a"}, ExpiresAt: ada.ExpiresAt}
	if who, err := identity.FromEvent(testkit.HTTP(job, "GET", "/", "", testkit.Native())); err != nil || who.Roles != nil {
		t.Error(who, err)
	}
	want := ada
	want.Roles, want.SessionID = nil, ""
	if who, err := identity.FromEvent(again(t, testkit.REST(ada, "GET", "/notes", "", testkit.Native()))); err != nil {
		t.Error(err)
	} else if diff := cmp.Diff(want, who); diff != "" {
		t.Error(diff)
	}
	var nobody identity.Identity
	if _, err := identity.FromEvent(testkit.HTTP(nobody, "GET", "/", "", testkit.Native())); err != identity.ErrNone {
		t.Error(err)
	}
	if _, err := identity.FromEvent(testkit.REST(nobody, "GET", "/", "", testkit.Native())); err != identity.ErrNone {
		t.Error(err)
	}
}

// The events are those that the adapter takes for requests.
func TestEventsOfTheAdapter(t *testing.T) {
	mux := http.NewServeMux()
	id := ""
	mux.HandleFunc("GET /notes/{id}", func(_ http.ResponseWriter, r *http.Request) { id = r.PathValue("id") })
	for _, event := range []any{
		testkit.HTTP(testkit.As("lin"), "GET", "/notes/a%2Fb", "", testkit.Route("GET /notes/{id}")),
		testkit.REST(testkit.As("lin"), "GET", "/notes/a%2Fb", "", testkit.Route("GET /notes/{id}")),
	} {
		id = ""
		if _, err := lambdahttp.Handler(mux)(t.Context(), marshal(t, event)); err != nil || id != "a/b" {
			t.Errorf("%q, %v", id, err)
		}
	}
}

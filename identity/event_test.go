package identity_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// The claims of an access token of Gatehouse as an HTTP API's JWT authorizer hands
// them on.
const nativeClaims = `{"iss":"https://auth.example.com","aud":"https://api.example.com","sub":"u_ada","email":"ada@example.com",
	"name":"Ada Löwe","roles":"[user admin]","scope":"openid notes:write","client_id":"shop-spa","sid":"s_1","jti":"t",
	"auth_time":"1700000000","iat":"1700000000","exp":"1700000600"}`

func TestNativeAuthorizers(t *testing.T) {
	t.Run("HTTP API, payload 2.0", func(t *testing.T) {
		e := decode[events.APIGatewayV2HTTPRequest](t, `{"version":"2.0","requestContext":{"authorizer":{"jwt":{"claims":`+nativeClaims+`,"scopes":null}}}}`)
		wantAda(t)(identity.FromEvent(e))
	})
	t.Run("HTTP API, payload 1.0", func(t *testing.T) {
		e := decode[events.APIGatewayProxyRequest](t, `{"version":"1.0","requestContext":{"authorizer":{"claims":`+nativeClaims+`,"scopes":null}}}`)
		wantAda(t)(identity.FromEvent(e))
	})
	t.Run("Gatehouse's authorizer and payload 1.0", func(t *testing.T) {
		e := decode[events.APIGatewayProxyRequest](t, `{"version":"1.0","requestContext":{"authorizer":{"lambda":{"sub":"u_ada",
			"email":"ada@example.com","name":"Ada Löwe","roles":"user admin","scope":"openid notes:write","client_id":"shop-spa",
			"sid":"s_1","auth_time":1700000000,"exp":1700000600}}}}`)
		wantAda(t)(identity.FromEvent(e))
	})
	t.Run("REST API, Cognito", func(t *testing.T) {
		e := decode[events.APIGatewayProxyRequest](t, `{"requestContext":{"authorizer":{"claims":{
			"sub":"7c1e22aa","aud":"5k2m7q9r","email":"mei@example.com","email_verified":"true","token_use":"id",
			"cognito:groups":"admin,editors","auth_time":"1469814773","iss":"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab",
			"name":"Mei","exp":"Fri Jul 29 18:52:53 UTC 2016","iat":"Fri Jul 29 17:52:53 UTC 2016"}}}}`)
		want := identity.Identity{Subject: "7c1e22aa", Email: "mei@example.com", Name: "Mei",
			AuthTime: time.Unix(1469814773, 0).UTC(), ExpiresAt: time.Date(2016, 7, 29, 18, 52, 53, 0, time.UTC)}
		who, err := identity.FromEvent(e)
		if diff := cmp.Diff(want, who); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}

func TestNativeClaims(t *testing.T) {
	read := func(claims string) (identity.Identity, error) {
		return identity.FromEvent(decode[events.APIGatewayV2HTTPRequest](t, `{"requestContext":{"authorizer":{"jwt":{"claims":`+claims+`}}}}`))
	}
	for _, test := range []struct {
		name, claims string
		want         identity.Identity
	}{
		{"one element", `{"sub":"u_1","roles":"[admin]"}`, identity.Identity{Subject: "u_1", Roles: []string{"admin"}}},
		{"an empty list is a user without roles", `{"sub":"u_1","roles":"[]"}`, identity.Identity{Subject: "u_1", Roles: []string{}}},
		{"no roles are a machine", `{"sub":"job","client_id":"job","scope":"a b"}`, identity.Identity{Subject: "job", ClientID: "job", Scopes: []string{"a", "b"}}},
		{"scopes in a list", `{"sub":"u_1","scp":"[a b]","cid":"0oaz"}`, identity.Identity{Subject: "u_1", ClientID: "0oaz", Scopes: []string{"a", "b"}}},
		{"an exponent", `{"sub":"u_1","exp":"1.7000006E9"}`, identity.Identity{Subject: "u_1", ExpiresAt: time.Unix(1_700_000_600, 0).UTC()}},
		{"brackets of a name are its own", `{"sub":"u_1","name":"[Ada]"}`, identity.Identity{Subject: "u_1", Name: "[Ada]"}},
		{"an address that the issuer has not verified", `{"sub":"u_1","client_id":"c","email":"a@example.com","email_verified":"false"}`, identity.Identity{Subject: "u_1", ClientID: "c"}},
		{"an address of which nothing is known", `{"sub":"u_1","azp":"c","email":"a@example.com"}`, identity.Identity{Subject: "u_1", ClientID: "c"}},
		{"groups are no roles", `{"sub":"u_1","cognito:groups":"[admin]","groups":"[admin]"}`, identity.Identity{Subject: "u_1"}},
		{"the route's scopes are not the token's", `{"sub":"u_1"},"scopes":["notes:write"]`, identity.Identity{Subject: "u_1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			who, err := read(test.claims)
			if diff := cmp.Diff(test.want, who); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
	for _, damaged := range []string{`{"sub":"u 1"}`, `{"sub":"u_1","roles":"[a\tb]"}`, `{"sub":"u_1","exp":"soon"}`, `{"sub":"u_1","sid":"[a b]"}`,
		`{"sub":"u_1","exp":"Fri Jul 29 18:52:53 UTC 1916"}`, `{"sub":"u_1","client_id":"a\nb"}`} {
		if who, err := read(damaged); err == nil || errors.Is(err, identity.ErrNone) {
			t.Errorf("%s: %v, %v, want an error", damaged, who, err)
		}
	}
	if _, err := read(`{"iss":"https://auth.example.com"}`); !errors.Is(err, identity.ErrNone) {
		t.Error(err)
	}
}

// Nothing is verified in the events of function URLs and load balancers, whatever
// they say and whatever they are decoded as.
func TestNothingVerified(t *testing.T) {
	const url = `{"version":"2.0","routeKey":"$default","headers":{"x-gatehouse-sub":"u_eve","authorization":"Bearer x"},
		"requestContext":{"domainName":"abc.lambda-url.eu-west-1.on.aws","authorizer":{"iam":{"userId":"u_eve"},
		"lambda":{"sub":"u_eve"},"jwt":{"claims":{"sub":"u_eve"}}}}}`
	const alb = `{"httpMethod":"GET","path":"/","headers":{"x-amzn-oidc-identity":"u_eve","x-gatehouse-sub":"u_eve"},
		"requestContext":{"elb":{"targetGroupArn":"arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/x/1"}}}`
	_, typed := identity.FromEvent(decode[events.LambdaFunctionURLRequest](t, url))
	_, as2 := identity.FromEvent(decode[events.APIGatewayV2HTTPRequest](t, url))
	_, elb := identity.FromEvent(decode[events.ALBTargetGroupRequest](t, alb))
	_, as1 := identity.FromEvent(decode[events.APIGatewayProxyRequest](t, alb))
	for _, err := range []error{typed, as2, elb, as1} {
		if !errors.Is(err, identity.ErrNone) {
			t.Errorf("err = %v, want ErrNone", err)
		}
	}
}

// The gateway runs one authorizer. An event with the words of two was not made by it.
func TestTwoAuthorizers(t *testing.T) {
	for _, authorizer := range []string{
		`{"lambda":{"sub":"u_ada"},"claims":{"sub":"u_eve"}}`,
		`{"sub":"u_ada","claims":{"sub":"u_eve"}}`,
		`{"sub":"u_ada","lambda":{"sub":"u_ada"}}`,
		`{"claims":{"sub":"u_ada"},"jwt":{"claims":{"sub":"u_ada"}}}`,
	} {
		who, err := identity.FromEvent(decode[events.APIGatewayProxyRequest](t, `{"requestContext":{"authorizer":`+authorizer+`}}`))
		if err == nil || errors.Is(err, identity.ErrNone) || who.Subject != "" {
			t.Errorf("%s: %v, %v", authorizer, who, err)
		}
	}
	_, err := identity.FromEvent(decode[events.APIGatewayV2HTTPRequest](t,
		`{"requestContext":{"authorizer":{"lambda":{"sub":"u_ada"},"jwt":{"claims":{"sub":"u_eve"}}}}}`))
	if err == nil || errors.Is(err, identity.ErrNone) {
		t.Error(err)
	}
}

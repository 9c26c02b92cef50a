package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/lambdazip"
	"github.com/gatehouse-auth/gatehouse/internal/revocation"
	"github.com/gatehouse-auth/gatehouse/internal/token"
	"github.com/gatehouse-auth/gatehouse/keys/jwks"
	"github.com/gatehouse-auth/gatehouse/keys/localkey"
)

const (
	audience = "https://api.bench"
	route    = "GET /notes/{id}"

	// policy is of the size of a small team's; most routes have no rule.
	policyJSON = `{"rules":[{"route":"GET /notes/{id}","scopes":["notes:read"]},{"route":"POST /notes","scopes":["notes:write"]},` +
		`{"route":"GET /users","roles":["admin"]},{"route":"DELETE /users/{id}","roles":["admin"]}]}`
)

// issuer signs tokens, and serves the keys for them and an empty list of
// revocations.
type issuer struct {
	key    *localkey.Key
	server *httptest.Server
	files  []lambdazip.File // what lies beside the authorizer in its zip
}

func newIssuer() (*issuer, error) {
	key, err := localkey.Generate()
	if err != nil {
		return nil, err
	}
	document, err := jwks.Marshal([]*rsa.PublicKey{key.Public()})
	if err != nil {
		return nil, err
	}
	var embedded map[string]any
	if err := json.Unmarshal(document, &embedded); err != nil {
		return nil, err
	}
	embedded["fetched_at"] = time.Now().Unix()
	set, err := json.Marshal(embedded)
	if err != nil {
		return nil, err
	}
	h := &issuer{key: key, files: []lambdazip.File{{Name: "jwks.json", Data: set}, {Name: "policy.json", Data: []byte(policyJSON)}}}
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/revocations" {
			json.NewEncoder(w).Encode(&revocation.Copy{Remembers: 11 * time.Minute})
			return
		}
		w.Write(document)
	}))
	return h, nil
}

// sign returns a token that nobody has seen, for the scopes.
func (h *issuer) sign(ctx context.Context, scopes ...string) (string, error) {
	now := time.Now()
	return token.Access{
		Issuer: h.server.URL, Subject: "u_" + rand.Text(), Audience: audience, ClientID: "notes-web", ID: rand.Text(), SessionID: "s_" + rand.Text(),
		Roles: []string{"user", "editor"}, Scopes: scopes, Name: "Lin", Email: "lin@example.com",
		IssuedAt: now, ExpiresAt: now.Add(10 * time.Minute), AuthTime: now.Add(-time.Minute),
	}.Sign(ctx, h.key)
}

// events returns n events of an HTTP API, each with a token of its own.
func (h *issuer) events(ctx context.Context, n int) ([][]byte, error) {
	out := make([][]byte, n)
	for i := range out {
		rawToken, err := h.sign(ctx, "openid", "profile", "notes:read")
		if err != nil {
			return nil, err
		}
		out[i] = event(rawToken)
	}
	return out, nil
}

// event is what an HTTP API sends about a browser's request, in payload 2.0.
func event(rawToken string) []byte {
	return fmt.Appendf(nil, `{"version":"2.0","type":"REQUEST","routeArn":"arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/$default/GET/notes/42",`+
		`"identitySource":["Bearer %[1]s","%[2]s"],"routeKey":"%[2]s","rawPath":"/notes/42","rawQueryString":"expand=tags",`+
		`"cookies":["theme=dark","lang=de"],"headers":{"accept":"application/json, text/plain, */*","accept-encoding":"gzip, deflate, br, zstd",`+
		`"accept-language":"de-DE,de;q=0.9,en;q=0.8","authorization":"Bearer %[1]s","content-length":"0","host":"abcdef1234.execute-api.eu-central-1.amazonaws.com",`+
		`"origin":"https://app.example.com","referer":"https://app.example.com/","sec-fetch-dest":"empty","sec-fetch-mode":"cors","sec-fetch-site":"cross-site",`+
		`"user-agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",`+
		`"x-amzn-trace-id":"Root=1-68f0c0de-0123456789abcdef01234567","x-forwarded-for":"192.0.2.7","x-forwarded-port":"443","x-forwarded-proto":"https"},`+
		`"queryStringParameters":{"expand":"tags"},"pathParameters":{"id":"42"},"requestContext":{"accountId":"123456789012","apiId":"abcdef1234",`+
		`"domainName":"abcdef1234.execute-api.eu-central-1.amazonaws.com","domainPrefix":"abcdef1234","http":{"method":"GET","path":"/notes/42","protocol":"HTTP/1.1",`+
		`"sourceIp":"192.0.2.7","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"},`+
		`"requestId":"JKJaXmPLvHcESHA=","routeKey":"%[2]s","stage":"$default","time":"22/Nov/2026:18:00:00 +0000","timeEpoch":1795370400000}}`, rawToken, route)
}

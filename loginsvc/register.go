package loginsvc

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
)

// maxRegistration bounds a registration request, in bytes.
const maxRegistration = 16 << 10

// registration is the answer to a client that registered itself (RFC 7591, Section
// 3.2.1): what it got, which can be less than it asked for.
type registration struct {
	ID           string   `json:"client_id"`
	IssuedAt     int64    `json:"client_id_issued_at"` // Unix seconds
	Name         string   `json:"client_name"`
	RedirectURIs []string `json:"redirect_uris"`
	Grants       []string `json:"grant_types"`
	Responses    []string `json:"response_types"`
	AuthMethod   string   `json:"token_endpoint_auth_method"`
	Scope        string   `json:"scope"`
}

// handleRegister registers a client that nobody here knows (RFC 7591, Section 3.1). It
// gets no secret, and what people allow it.
func (s *Service) handleRegister(w http.ResponseWriter, r *http.Request) error {
	if s.Self == nil {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Detail: "clients are registered beforehand"}
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		return invalidMetadata("want a JSON object, and Content-Type: application/json")
	}
	if err := s.count(r.Context(), limitRegister, source(r)); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRegistration))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return &httpx.Error{Status: http.StatusRequestEntityTooLarge, Code: "invalid_client_metadata", Detail: "the request is larger than 16 kB"}
	}
	if err != nil {
		return invalidMetadata("the request ended early")
	}
	described, err := client.ParseRegistration(body, *s.Self)
	if err != nil {
		return refuseMetadata(err)
	}
	app, err := s.registry().AddSelf(r.Context(), described)
	if errors.Is(err, registry.ErrFull) {
		return &httpx.Error{Status: http.StatusTooManyRequests, Code: "temporarily_unavailable", Detail: "too many clients have registered themselves", RetryAfter: time.Hour, Err: err}
	}
	if _, wrong := errors.AsType[client.Problem](err); wrong {
		return refuseMetadata(err)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	return httpx.JSON(w, registration{
		ID: app.ID, IssuedAt: app.RegisteredAt.Unix(), Name: app.Name, RedirectURIs: app.RedirectURIs, Grants: app.Grants,
		Responses: []string{"code"}, AuthMethod: "none", Scope: strings.Join(app.AllowedScopes(), " "),
	})
}

// registry returns the clients of the table, for those that register themselves.
func (s *Service) registry() *registry.Clients {
	terms := client.Limits{Issuer: s.Issuer, Audience: s.Audience}
	if s.Self != nil {
		terms.Scopes = s.Self.Scopes
	}
	return &registry.Clients{Table: s.Table, Now: s.Now, Limits: terms}
}

// refuseMetadata says which member is wrong (RFC 7591, Section 3.2.2).
func refuseMetadata(err error) error {
	problem, _ := errors.AsType[client.Problem](err)
	if strings.HasPrefix(problem.Field, "redirect_uris") {
		return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_redirect_uri", Detail: problem.Error(), Err: err}
	}
	return invalidMetadata(problem.Error())
}

func invalidMetadata(detail string) error {
	return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_client_metadata", Detail: detail}
}

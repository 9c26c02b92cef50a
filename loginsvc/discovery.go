package loginsvc

import (
	"maps"
	"net/http"
	"slices"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// metadata describes the service (RFC 8414, Section 2; OpenID Connect Discovery,
// Section 3). It lists what works and nothing else.
type metadata struct {
	Issuer                   string   `json:"issuer"`
	AuthorizationEndpoint    string   `json:"authorization_endpoint"`
	TokenEndpoint            string   `json:"token_endpoint"`
	UserInfoEndpoint         string   `json:"userinfo_endpoint"`
	DeviceEndpoint           string   `json:"device_authorization_endpoint"`
	RevocationEndpoint       string   `json:"revocation_endpoint"`
	IntrospectionEndpoint    string   `json:"introspection_endpoint"`
	EndSessionEndpoint       string   `json:"end_session_endpoint"`
	JWKSURI                  string   `json:"jwks_uri"`
	ScopesSupported          []string `json:"scopes_supported"`
	ResponseTypesSupported   []string `json:"response_types_supported"`
	ResponseModesSupported   []string `json:"response_modes_supported"`
	GrantTypesSupported      []string `json:"grant_types_supported"`
	TokenAuthMethods         []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuthMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	CodeChallengeMethods     []string `json:"code_challenge_methods_supported"`
	SubjectTypesSupported    []string `json:"subject_types_supported"`
	IDTokenAlgs              []string `json:"id_token_signing_alg_values_supported"`
	PromptValuesSupported    []string `json:"prompt_values_supported"`
	ClaimsSupported          []string `json:"claims_supported"`
	IssParameterSupported    bool     `json:"authorization_response_iss_parameter_supported"`
	RegistrationEndpoint     string   `json:"registration_endpoint,omitempty"`
	DocumentsSupported       bool     `json:"client_id_metadata_document_supported,omitempty"`
	ProtectedResources       []string `json:"protected_resources,omitempty"` // RFC 9728, Section 4
	ClaimsParameterSupported bool     `json:"claims_parameter_supported"`
	RequestSupported         bool     `json:"request_parameter_supported"`
	RequestURISupported      bool     `json:"request_uri_parameter_supported"` // true if it were left out
}

func (s *Service) metadata() metadata {
	register := ""
	if s.Self != nil {
		register = s.url("/register")
	}
	return metadata{
		RegistrationEndpoint:     register,
		Issuer:                   s.Issuer,
		AuthorizationEndpoint:    s.url("/authorize"),
		TokenEndpoint:            s.url("/token"),
		UserInfoEndpoint:         s.url("/userinfo"),
		DeviceEndpoint:           s.url("/device_authorization"),
		RevocationEndpoint:       s.url("/revoke"),
		IntrospectionEndpoint:    s.url("/introspect"),
		EndSessionEndpoint:       s.url("/logout"),
		JWKSURI:                  s.url("/.well-known/jwks.json"),
		ScopesSupported:          s.scopes(),
		ResponseTypesSupported:   []string{"code"},
		ResponseModesSupported:   []string{"query", "form_post"},
		GrantTypesSupported:      []string{client.GrantCode, client.GrantRefresh, client.GrantClientCredentials, client.GrantDevice},
		TokenAuthMethods:         []string{"none", "client_secret_basic", "client_secret_post"},
		RevocationAuthMethods:    []string{"none", "client_secret_basic", "client_secret_post"},
		IntrospectionAuthMethods: []string{"client_secret_basic", "client_secret_post"},
		CodeChallengeMethods:     []string{"S256"},
		SubjectTypesSupported:    []string{"public"},
		IDTokenAlgs:              []string{"RS256"},
		PromptValuesSupported:    []string{"none", "login", "consent", "select_account"},
		ClaimsSupported:          []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "sid", "name", "picture", "email", "email_verified"},
		IssParameterSupported:    true,
		DocumentsSupported:       s.Documents,
		ProtectedResources:       s.resourceURLs(),
	}
}

// scopes returns the scopes that any client could be allowed to ask for. The scopes
// account and admin are missing on purpose: some clients ask for every scope they find here.
func (s *Service) scopes() []string {
	scopes := map[string]bool{}
	for _, ofRole := range s.RoleScopes {
		for _, scope := range ofRole {
			scopes[scope] = true
		}
	}
	return append([]string{scopeOpenID, scopeProfile, scopeEmail, scopeOffline}, slices.Sorted(maps.Keys(scopes))...)
}

func (s *Service) handleDiscovery(w http.ResponseWriter, r *http.Request) error {
	s.discovery.serve(w, r)
	return nil
}

// handleJWKS publishes the keys that verify our tokens (RFC 7517, Section 5). If
// there is none, that is an error: verifiers would forget the keys they have.
// Which keys are published is asked each time; the document is made again when
// they have changed.
func (s *Service) handleJWKS(w http.ResponseWriter, r *http.Request) error {
	published := s.Published
	if published == nil {
		published = s.Keys
	}
	now, err := published(r.Context())
	if err != nil {
		return err
	}
	set := s.keySet.Load()
	if !set.of(now.Published) {
		if set, err = newKeySet(now.Published); err != nil {
			return httpx.Unavailable(err)
		}
		s.keySet.Store(set)
	}
	set.serve(w, r)
	return nil
}

package doctor

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/env"
)

// Live examines the service at an issuer's address, as a stranger can: it sends
// a dozen requests without a token.
func Live(ctx context.Context, issuer string) *Report {
	l := &live{Report: &Report{}, issuer: issuer, client: &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if err := env.CheckURL(issuer); err != nil {
		l.wrong("issuer-url", issuer, "%v", err)
		return l.Report
	}
	m, ok := l.discovery(ctx)
	if !ok {
		return l.Report
	}
	l.metadata(m)
	l.keys(ctx, m.JWKS)
	l.feed(ctx)
	l.guards(ctx)
	l.pages(ctx)
	l.tokenEndpoint(ctx)
	return l.Report
}

// live is an examination under way.
type live struct {
	*Report
	issuer string
	client *http.Client
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body []byte
	took time.Duration
}

// ask sends a request to a path of the issuer, or to a whole address. Headers
// are given in pairs.
func (l *live) ask(ctx context.Context, method, path string, headers ...string) (*answer, bool) {
	where := path
	if strings.HasPrefix(path, "/") {
		where = l.issuer + path
	}
	r, err := http.NewRequestWithContext(ctx, method, where, nil)
	if err != nil {
		l.wrong("live-unreachable", where, "%v", err)
		return nil, false
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	began := time.Now()
	resp, err := l.client.Do(r)
	if err != nil {
		l.wrong("live-unreachable", where, "does not answer: %v", cause(err))
		return nil, false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		l.wrong("live-unreachable", where, "breaks off: %v", err)
		return nil, false
	}
	return &answer{resp, body, time.Since(began)}, true
}

// cause leaves out the address, which stands before it.
func cause(err error) error {
	if inner, ok := err.(*url.Error); ok {
		return inner.Err
	}
	return err
}

// metadata is what of the discovery document is looked at.
type metadata struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	UserInfo      string   `json:"userinfo_endpoint"`
	JWKS          string   `json:"jwks_uri"`
	ResponseTypes []string `json:"response_types_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	IDTokenAlgs   []string `json:"id_token_signing_alg_values_supported"`
	IssParameter  bool     `json:"authorization_response_iss_parameter_supported"`
}

const discoveryPath = "/.well-known/openid-configuration"

// slowest is how long API Gateway's own JWT authorizers wait for either
// document.
const slowest = 1500 * time.Millisecond

// discovery reads the document twice: the second time as if by way of another
// host, which must change nothing.
func (l *live) discovery(ctx context.Context) (m metadata, ok bool) {
	where := l.issuer + discoveryPath
	a, ok := l.ask(ctx, "GET", discoveryPath)
	if !ok {
		return m, false
	}
	if a.StatusCode != http.StatusOK || json.Unmarshal(a.body, &m) != nil {
		l.wrong("live-discovery", where, "answers %d, and not with the metadata: is this the issuer's address?", a.StatusCode)
		return m, false
	}
	if a.took > slowest {
		l.wrong("live-slow", where, "took %v: API Gateway's own JWT authorizers wait 1.5 s: give loginsvc more memory", a.took.Round(time.Millisecond))
	}
	l.clock(where, a)
	if other, ok := l.ask(ctx, "GET", discoveryPath, "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example"); ok && strings.Contains(string(other.body), "evil.example") {
		l.wrong("live-discovery", where, "takes its address from a header of the request: anybody can have links point elsewhere: set GATEHOUSE_ISSUER and use nothing else")
	}
	return m, true
}

func (l *live) clock(where string, a *answer) {
	date, err := http.ParseTime(a.Header.Get("Date"))
	if off := time.Since(date); err == nil && off.Abs() > 30*time.Second {
		l.remark("live-clock", where, "its clock and this machine's differ by %v: tokens may be refused as not yet valid or as expired", off.Round(time.Second))
	}
}

func (l *live) metadata(m metadata) {
	where := l.issuer + discoveryPath
	if m.Issuer != l.issuer {
		l.wrong("live-discovery", where, "says that the issuer is %s: verifiers compare byte by byte: set GATEHOUSE_ISSUER to one of the two, and use it everywhere", m.Issuer)
	}
	for name, endpoint := range map[string]string{"authorization_endpoint": m.Authorization, "token_endpoint": m.Token, "userinfo_endpoint": m.UserInfo, "jwks_uri": m.JWKS} {
		if !strings.HasPrefix(endpoint, m.Issuer+"/") {
			l.wrong("live-discovery", where, "%s is %q, outside of the issuer: codes and secrets would be sent there: have it under the issuer", name, endpoint)
		}
	}
	if !slices.Equal(m.ResponseTypes, []string{"code"}) {
		l.wrong("live-discovery", where, "response_types_supported is %v: only code keeps tokens out of addresses", m.ResponseTypes)
	}
	if !slices.Equal(m.Challenges, []string{"S256"}) {
		l.wrong("live-discovery", where, "code_challenge_methods_supported is %v: want S256 alone: plain protects from nobody", m.Challenges)
	}
	if slices.Contains(m.IDTokenAlgs, "none") || !slices.Contains(m.IDTokenAlgs, "RS256") {
		l.wrong("live-discovery", where, "id_token_signing_alg_values_supported is %v: want RS256, and never none", m.IDTokenAlgs)
	}
	if !m.IssParameter {
		l.wrong("live-discovery", where, "answers carry no iss (RFC 9207): apps cannot tell issuers apart")
	}
}

// feed looks at what tells the authorizer who has been revoked.
func (l *live) feed(ctx context.Context) {
	a, ok := l.ask(ctx, "GET", "/revocations")
	if !ok {
		return
	}
	var list struct {
		Version  int
		Sessions []string
		Subjects map[string]int64
	}
	switch {
	case a.StatusCode != http.StatusOK || json.Unmarshal(a.body, &list) != nil || list.Version == 0:
		l.wrong("live-feed", l.issuer+"/revocations", "answers %d, and no list: the authorizer will refuse everybody a minute from now: add GET /revocations as a public route", a.StatusCode)
	case a.Header.Get("ETag") == "":
		l.wrong("live-feed", l.issuer+"/revocations", "has no ETag: every authorizer fetches all of it every few seconds: let the header through")
	default:
		l.fact("the revocation feed has %d entries in %d bytes", len(list.Sessions)+len(list.Subjects), len(a.body))
	}
}

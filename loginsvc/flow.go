package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/flow"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
	"github.com/gatehouse-auth/gatehouse/loginsvc/upstream"
)

// attempt is one way to a provider and back: a sign-in, or a link. It travels
// sealed in state (see package flow); the table hears of it only once the
// provider has vouched for a person.
//
// The browser's owner can seal any attempt they like. So the callback judges the
// provider, the age, the purpose and, for a link, the session again.
type attempt struct {
	provider  string // its id
	purpose   purpose
	createdAt time.Time

	id   flow.ID
	keys flow.Keys
}

var (
	errFlowUnknown = errors.New("state is unknown")
	errFlowUsed    = errors.New("state was used before")
	errFlowExpired = errors.New("state has expired")
	errFlowForeign = errors.New("state belongs to another provider")
	errFlowBrowser = errors.New("state belongs to another browser")
)

// maxProviderURL bounds a request to a provider, in bytes: Microsoft Entra
// refuses longer ones.
const maxProviderURL = 2000

// maxSealed bounds a sealed attempt in a cookie, in bytes: a browser drops a
// cookie of more than 4,096 with its name, and base64 takes a third more.
const maxSealed = 3000

// start seals an attempt and returns where the browser has to go. What ask holds
// besides state, nonce and verifier is sent as it is.
func (s *Service) start(w http.ResponseWriter, r *http.Request, p *upstream.Provider, what purpose, ask upstream.Request) (string, error) {
	name, secret := s.flowSecret(w, r)
	content := attempt{provider: p.ID(), purpose: what, createdAt: s.now()}.content()
	// begin asks the provider for a new flow, whose sealed content is part of the
	// state if inState, and else returned.
	var id flow.ID
	begin := func(content []byte, inState bool) (location string, sealed []byte, err error) {
		id = flow.NewID()
		state := flow.State{Browser: name, ID: id}
		keys := secret.Keys(id)
		if sealed = keys.Seal(content); inState {
			state.Sealed = sealed
		}
		ask.State, ask.Nonce, ask.Verifier = state.String(), keys.Nonce, keys.Verifier
		location, err = p.AuthURL(r.Context(), ask)
		return location, sealed, err
	}
	location, _, err := begin(content, true)
	if err != nil {
		return "", s.providerTrouble(p, what, err)
	}
	if len(location) <= maxProviderURL && len(ask.State) <= p.MaxState() {
		return location, nil
	}
	// An image on another site could fill the browser with large cookies, until a
	// gateway refuses all that it sends.
	if dest := r.Header.Get("Sec-Fetch-Dest"); dest != "" && dest != "document" {
		return "", fail(pages.Failure{Kind: pages.BadRequest}, errors.New("a request this large begins only as a page of its own"))
	}
	location, sealed, err := begin(flow.Compress(content), false)
	if err == nil && len(location) > maxProviderURL {
		ask.LoginHint, ask.ACRValues, ask.UILocales = "", "", "" // what can be spared
		location, sealed, err = begin(flow.Compress(content), false)
	}
	if err != nil {
		return "", s.providerTrouble(p, what, err)
	}
	if len(sealed) > maxSealed {
		return "", s.tooLarge(what)
	}
	s.setSealedCookie(w, r, id, sealed)
	return location, nil
}

// tooLarge refuses a request that no cookie holds.
func (s *Service) tooLarge(what purpose) error {
	if what.app != nil {
		return s.tell(what.app, &authError{"invalid_request", "the request is too large to sign in with: shorten state or nonce"}, nil)
	}
	return fail(pages.Failure{Kind: pages.BadRequest}, errors.New("the request is too large to sign in with"))
}

// content is what is sealed: the fields that resume reads.
func (a attempt) content() []byte {
	fields := []string{a.provider, strconv.FormatInt(a.createdAt.Unix(), 10), a.purpose.path}
	switch p := a.purpose; p.path {
	case atAuthorize:
		fields = append(fields, p.app.expected)
		kept := p.withoutHints().app.kept
		for name, values := range kept {
			for _, value := range values {
				fields = append(fields, name, value)
			}
		}
	case atLogin:
		fields = append(fields, p.returnTo, p.query().Get("fresh"))
	case atDevice:
		fields = append(fields, p.userCode)
	case atAccount:
		fields = append(fields, p.link.UserID, p.link.SessionID)
	}
	return flow.Join(fields...)
}

// resume returns the attempt that a state belongs to, and why it cannot be
// finished in this browser at the provider; nil means that it can.
func (s *Service) resume(ctx context.Context, r *http.Request, rawState, provider string) (attempt, error) {
	state, ok := flow.ParseState(rawState)
	if !ok {
		return attempt{}, errFlowUnknown
	}
	secret, ok := flow.ParseSecret(s.cookie(r, flowCookie+state.Browser))
	if !ok {
		return attempt{}, errFlowBrowser
	}
	a := attempt{id: state.ID, keys: secret.Keys(state.ID)}
	content, err := a.keys.Open(state.Sealed)
	switch {
	case len(state.Sealed) == 0:
		if content, ok = s.openSealedCookie(r, a); !ok {
			return attempt{}, errFlowUnknown // later requests left its cookie no room
		}
	case err != nil:
		return attempt{}, errFlowBrowser
	}
	fields, ok := flow.Split(content)
	if !ok || len(fields) < 3 {
		return attempt{}, errFlowUnknown
	}
	seconds, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return attempt{}, errFlowUnknown
	}
	a.provider, a.createdAt = fields[0], time.Unix(seconds, 0)
	var invalid error
	a.purpose, invalid = s.unsealPurpose(ctx, fields[2], fields[3:])
	switch {
	case a.provider != provider:
		return a, errFlowForeign
	case !grant.Alive(s.now(), a.createdAt, a.createdAt.Add(s.flowTTL)):
		return a, errFlowExpired
	}
	return a, invalid
}

// openSealedCookie returns the content of an attempt that was too large for a URL.
func (s *Service) openSealedCookie(r *http.Request, a attempt) ([]byte, bool) {
	sealed, ok := flow.ParseSealedText(s.cookie(r, sealedCookie+a.id.Text()))
	if !ok {
		return nil, false
	}
	short, err := a.keys.Open(sealed)
	if err != nil {
		return nil, false
	}
	return flow.Decompress(short)
}

// unsealPurpose reads what content has written, and validates it as a request.
func (s *Service) unsealPurpose(ctx context.Context, path string, fields []string) (purpose, error) {
	field := func(i int) string {
		if i < len(fields) {
			return fields[i]
		}
		return ""
	}
	switch path {
	case atAuthorize:
		values := url.Values{}
		for pair := range slices.Chunk(fields[min(1, len(fields)):], 2) {
			values.Add(pair[0], pair[len(pair)-1])
		}
		p, err := s.readPurpose(ctx, path, params(values))
		if err == nil {
			p.app.expected = field(0)
		}
		return p, err
	case atLogin:
		return s.readPurpose(ctx, path, params{"return_to": {field(0)}, "fresh": {field(1)}})
	case atDevice:
		return s.readPurpose(ctx, path, params{"user_code": {field(0)}})
	case atAccount:
		return purpose{path: atAccount, link: linking{field(0), field(1)}}, nil
	}
	return s.readPurpose(ctx, path, params{})
}

func usedKey(id flow.ID) table.Key { return schema.Flow(grant.Fingerprint(string(id[:]))) }

// once is the write that finishes the attempt. It belongs into the transaction
// that the attempt is for, which it fails with errFlowUsed the second time. Its
// row lives for as long as the state could be opened.
func (s *Service) once(a attempt) table.Write {
	key := usedKey(a.id)
	return table.Put(table.Item{
		table.PK: key.PK, table.SK: key.SK, table.TTL: a.createdAt.Add(s.flowTTL + 2*grant.Skew).Unix(),
	}).If(table.NotExists{}).Else(errFlowUsed)
}

// wasUsed tells whether the attempt was finished before.
func (s *Service) wasUsed(ctx context.Context, a attempt) (bool, error) {
	_, err := s.Table.Get(ctx, usedKey(a.id))
	if errors.Is(err, table.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

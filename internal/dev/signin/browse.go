package signin

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// maxHops is more than the longest way that a sign-in takes.
const maxHops = 12

// authorize goes from the authorization endpoint by way of the demo provider to
// the client's redirect URI, and returns the parameters it arrives with.
func (b *browser) authorize(ctx context.Context, server metadata, query url.Values, user string) (url.Values, error) {
	start := server.Authorization + "?" + query.Encode()
	p, err := b.get(ctx, start)
	chosen, asked := false, false
	back := query.Get("redirect_uri") // which can have a query of its own
	if strings.Contains(back, "?") {
		back += "&"
	} else {
		back += "?"
	}
	for range maxHops {
		if err != nil {
			return nil, err
		}
		if p.next != "" {
			if rest, ok := strings.CutPrefix(p.next, back); ok {
				return url.ParseQuery(rest)
			}
			p, err = b.get(ctx, p.next)
			continue
		}
		ours := strings.HasPrefix(p.url, server.Issuer+"/")
		switch {
		case p.status != http.StatusOK:
			return nil, fmt.Errorf("%w: %s", ErrRefused, p.words())
		case ours && asked: // they are known now, and asked something else
			return nil, fmt.Errorf("%w: %q is to be answered in a browser once, by %s", ErrRefused, p.words(), user)
		case ours && !chosen: // several providers: we want the demo provider
			p, err = b.get(ctx, start+"&idp_hint=demo")
			chosen = true
		case !ours && !asked:
			p, err = b.post(ctx, p.url, url.Values{"user": {user}}, nil)
			asked = true
		default:
			return nil, fmt.Errorf("%w: %s", ErrRefused, p.words())
		}
	}
	return nil, errors.New("the sign-in goes round in circles")
}

// page is an answer as a browser has it before it.
type page struct {
	url    string
	status int
	next   string // where it redirects to; ""
	body   []byte
}

func (b *browser) get(ctx context.Context, address string) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return page{}, err
	}
	return b.do(req)
}

func (b *browser) post(ctx context.Context, address string, form url.Values, change func(*http.Request)) (page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(req)
	}
	return b.do(req)
}

func (b *browser) do(req *http.Request) (page, error) {
	req.Header.Set("User-Agent", "gatehouse token")
	resp, err := b.client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return page{}, err
	}
	p := page{url: req.URL.String(), status: resp.StatusCode, body: body}
	if location, err := resp.Location(); err == nil {
		p.next = location.String()
	}
	return p, nil
}

var (
	alert   = regexp.MustCompile(`(?s)<(\w+)[^>]* role="alert"[^>]*>(.*?)</(?:div|p)>`)
	heading = regexp.MustCompile(`(?s)<(h1)\b[^>]*>(.*?)</h1>`)
	tag     = regexp.MustCompile(`<[^>]*>`)
)

// words is what a page says to a person: what it warns of, or its heading.
func (p page) words() string {
	for _, part := range []*regexp.Regexp{alert, heading} {
		if m := part.FindSubmatch(p.body); m != nil {
			text := html.UnescapeString(tag.ReplaceAllString(string(m[2]), " "))
			if text = strings.Join(strings.Fields(text), " "); text != "" {
				return text
			}
		}
	}
	return fmt.Sprintf("%d %s", p.status, http.StatusText(p.status))
}

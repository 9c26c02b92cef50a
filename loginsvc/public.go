package loginsvc

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/keys/jwks"
)

// publicCaching lets everyone keep a document for a quarter of an hour, and a
// little longer while it is fetched again or cannot be had.
const publicCaching = "public, max-age=900, stale-while-revalidate=60, stale-if-error=3600"

// document is a public document as it is sent. It is made once for many answers,
// which all share its headers: nobody changes them.
type document struct {
	header http.Header
	body   []byte
}

func newDocument(contentType, caching string, body []byte) *document {
	sum := sha256.Sum256(body)
	return &document{body: body, header: http.Header{
		"Content-Type":                {contentType},
		"Cache-Control":               {caching},
		"Access-Control-Allow-Origin": {"*"},
		"Etag":                        {`"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`},
	}}
}

// serve answers with the document, or says that it has not changed. What answers
// a condition or a range is for who asked alone: a cache that kept "412
// Precondition Failed" would give it to everybody else.
func (d *document) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	maps.Copy(h, d.header)
	_, conditional := r.Header["If-Match"]
	_, partial := r.Header["Range"]
	_, again := r.Header["If-None-Match"]
	if conditional || partial {
		h["Cache-Control"] = []string{"no-store"}
	}
	if conditional || partial || again {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.body))
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(len(d.body))}
	w.Write(d.body) // an error is the client's, who has left
}

// keySet is the JWK Set of some keys.
type keySet struct {
	keys []*rsa.PublicKey
	*document
}

func newKeySet(published []*rsa.PublicKey) (*keySet, error) {
	body, err := jwks.Marshal(published)
	if err != nil {
		return nil, err
	}
	return &keySet{slices.Clone(published), newDocument("application/jwk-set+json", publicCaching, body)}, nil
}

// of tells whether the set is that of exactly these keys, in their order.
func (s *keySet) of(published []*rsa.PublicKey) bool {
	return s != nil && slices.EqualFunc(s.keys, published, func(a, b *rsa.PublicKey) bool { return a == b || a.Equal(b) })
}

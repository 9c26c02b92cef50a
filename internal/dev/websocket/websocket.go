// Package websocket is the WebSocket API of API Gateway on one machine: it asks
// the authorizer about $connect, sends functions the events of connections and
// messages, and serves @connections.
package websocket

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
)

// Config is what an API needs.
type Config struct {
	Stage     string                      // the first segment of its path
	Routes    map[string]gateway.Function // by route key; "$connect", "$disconnect", "$default", …
	Selection string                      // the member of a message that names its route
	Judge     *gateway.Judge              // of $connect; nil: everyone can connect
	// Ready is waited for before the function of a route is called, outside of its
	// time; may be nil.
	Ready   func(ctx context.Context, route string) error
	Observe func(gateway.Exchange) // may be nil
	Now     func() time.Time
}

// How long a function has, and how long a connection is open at most.
const (
	integrationTimeout = 29 * time.Second
	maxDuration        = 2 * time.Hour
)

// API serves connections. It is safe for concurrent use.
type API struct {
	cfg Config

	mu   sync.Mutex
	open map[string]*connection
}

type connection struct {
	*socket
	id         string
	since      time.Time
	request    *http.Request
	authorizer json.RawMessage // what the authorizer said, or nil
}

// New returns an API.
func New(cfg Config) *API { return &API{cfg: cfg, open: map[string]*connection{}} }

// Serves tells whether r is for the API: a handshake at its stage, or a request
// of @connections.
func (a *API) Serves(r *http.Request) bool {
	under := "/" + a.cfg.Stage
	return strings.TrimSuffix(r.URL.Path, "/") == under || strings.HasPrefix(r.URL.Path, under+"/@connections/")
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := strings.CutPrefix(r.URL.Path, "/"+a.cfg.Stage+"/@connections/"); ok {
		a.manage(w, r, id)
		return
	}
	started := a.cfg.Now()
	x := gateway.Exchange{Time: started, Method: r.Method, Path: r.URL.EscapedPath(), Route: "$connect", By: "gateway"}
	c, status := a.connect(r, &x)
	if status == 0 {
		var err error
		if c.socket, err = accept(w, r, protocol(r)); err != nil {
			status, x.Err = http.StatusInternalServerError, err
		}
	}
	if x.Status = http.StatusSwitchingProtocols; status != 0 {
		x.Status = status
		http.Error(w, http.StatusText(status), status)
	}
	a.observe(x)
	if status == 0 {
		a.serve(c)
	}
}

func (a *API) observe(x gateway.Exchange) {
	x.Took = a.cfg.Now().Sub(x.Time)
	if a.cfg.Observe != nil {
		a.cfg.Observe(x)
	}
}

// protocol echoes the first protocol that the client offers: browsers put the
// token into the second, and close a connection without an answer.
func protocol(r *http.Request) http.Header {
	first, _, _ := strings.Cut(r.Header.Get("Sec-Websocket-Protocol"), ",")
	if first = strings.TrimSpace(first); first == "" {
		return nil
	}
	return http.Header{"Sec-Websocket-Protocol": {first}}
}

// connect judges a handshake and calls $connect. A status is a refusal.
func (a *API) connect(r *http.Request, x *gateway.Exchange) (*connection, int) {
	c := &connection{id: rand.Text(), since: a.cfg.Now(), request: r}
	if !isHandshake(r) {
		x.Reason = "not a handshake"
		return nil, http.StatusForbidden
	}
	if a.cfg.Judge != nil {
		judged := a.cfg.Judge.Judge(r.Context(), gateway.Request{Request: r, Route: "$connect", API: "arn:aws:execute-api:local-1:000000000000:local", Stage: a.cfg.Stage})
		if x.Reason, x.Err = judged.Reason, judged.Err; judged.Asked {
			x.By = "authorizer"
		}
		if judged.Status != http.StatusOK {
			return nil, judged.Status
		}
		c.authorizer = judged.Context
	}
	if a.cfg.Routes["$connect"] == nil {
		return c, 0
	}
	status, _, err := a.call(r.Context(), c, "$connect", "CONNECT", nil, false)
	if err != nil || status >= 300 {
		x.By, x.Err = "$connect", err
		if err != nil {
			return nil, http.StatusInternalServerError
		}
		return nil, status
	}
	return c, 0
}

// serve hands on the messages of a connection until it ends.
func (a *API) serve(c *connection) {
	a.mu.Lock()
	a.open[c.id] = c
	a.mu.Unlock()
	end := time.AfterFunc(maxDuration, func() { c.close(1001) })
	defer func() {
		end.Stop()
		c.conn.Close()
		a.mu.Lock()
		delete(a.open, c.id)
		a.mu.Unlock()
		if a.cfg.Routes["$disconnect"] != nil {
			a.message(c, "$disconnect", "DISCONNECT", nil, false)
		}
	}()
	for {
		text, message, err := c.read()
		if errors.Is(err, errProtocol) {
			c.close(1002)
		}
		if err != nil {
			return
		}
		a.message(c, a.route(message), "MESSAGE", message, !text)
	}
}

// route is the route of a message: the member of its JSON that selects it, or
// $default.
func (a *API) route(message []byte) string {
	var members map[string]any
	if json.Unmarshal(message, &members) == nil {
		if key, ok := members[a.cfg.Selection].(string); ok && !strings.HasPrefix(key, "$") && a.cfg.Routes[key] != nil {
			return key
		}
	}
	return "$default"
}

// message calls the function of a route. A failure is a message to the client, as
// AWS sends it.
func (a *API) message(c *connection, route, kind string, body []byte, binary bool) {
	x := gateway.Exchange{Time: a.cfg.Now(), Method: kind, Path: "/" + a.cfg.Stage, Route: route, Status: http.StatusOK, By: route}
	if a.cfg.Routes[route] == nil {
		x.Status, x.Reason = http.StatusForbidden, "no route"
	} else {
		x.Status, _, x.Err = a.call(context.Background(), c, route, kind, body, binary)
	}
	if x.Err != nil {
		x.Status = http.StatusInternalServerError
	}
	a.observe(x)
	if kind == "MESSAGE" && (x.Err != nil || x.Status == http.StatusForbidden && x.Reason != "") {
		text := map[bool]string{true: "Internal server error", false: "Forbidden"}[x.Err != nil]
		c.write(opText, fmt.Appendf(nil, `{"message":%q,"connectionId":%q}`, text, c.id))
	}
}

// call sends a function an event and returns its statusCode and body.
func (a *API) call(ctx context.Context, c *connection, route, kind string, body []byte, binary bool) (int, []byte, error) {
	payload, err := json.Marshal(a.event(c, route, kind, body, binary))
	if err != nil {
		return 0, nil, err
	}
	if a.cfg.Ready != nil {
		if err := a.cfg.Ready(ctx, route); err != nil {
			return 0, nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, integrationTimeout)
	defer cancel()
	raw, err := a.cfg.Routes[route](ctx, payload)
	if err != nil {
		return 0, nil, err
	}
	var answer struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.StatusCode == 0 {
		return 0, nil, errors.New("a response without statusCode")
	}
	return answer.StatusCode, []byte(answer.Body), nil
}

// manage serves @connections: send to a connection, look at it, end it.
func (a *API) manage(w http.ResponseWriter, r *http.Request, id string) {
	a.mu.Lock()
	c := a.open[id]
	a.mu.Unlock()
	if c == nil {
		w.Header().Set("X-Amzn-Errortype", "GoneException")
		w.WriteHeader(http.StatusGone)
		return
	}
	switch r.Method {
	case http.MethodPost:
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
		if err != nil {
			w.Header().Set("X-Amzn-Errortype", "PayloadTooLargeException")
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		opcode := byte(opText)
		if !utf8.Valid(data) {
			opcode = opBinary
		}
		if c.write(opcode, data) != nil {
			w.WriteHeader(http.StatusGone)
		}
	case http.MethodDelete:
		c.close(1000)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"connectedAt": c.since.UTC().Format(time.RFC3339), "identity": map[string]string{"sourceIp": sourceOf(c.request)}})
	default:
		w.WriteHeader(http.StatusForbidden)
	}
}

// Close ends every connection.
func (a *API) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.open {
		c.close(1001)
	}
}

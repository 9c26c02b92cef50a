package dynamotest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Fault is what happens to a request.
type Fault int

// The faults.
const (
	None        Fault = iota
	Throttle          // DynamoDB refuses, with no effect: too many requests
	Conflict          // DynamoDB refuses, with no effect: a transaction is at work on an item
	ServerError       // the request takes effect, and the answer is an internal error
	Reset             // the connection breaks before the request is sent
	Lose              // the request takes effect, and the connection breaks before the answer
	Cut               // the request takes effect, and the connection breaks within the answer
	Hang              // the request takes effect, and there is no answer, ever
)

// Request is a request as the service sees it.
type Request struct {
	Operation string         // such as PutItem
	Body      map[string]any // its JSON
}

// Faults is a transport with faults. Besides, it answers each read that did not
// ask to be strongly consistent as if nothing had ever been written: a table
// may rely on no other answer. Queries on an index alone are left as they are.
type Faults struct {
	Base http.RoundTripper // nil: as for [Client]

	// Choose chooses the fault for request n, counted from 0. It is called
	// for one request at a time; nil is never a fault.
	Choose func(n int, r Request) Fault

	mu       sync.Mutex
	requests []Request
}

// Requests returns the requests so far.
func (f *Faults) Requests() []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests
}

// RoundTrip implements [http.RoundTripper].
func (f *Faults) RoundTrip(r *http.Request) (*http.Response, error) {
	request, fault, err := f.receive(r)
	if err != nil {
		return nil, err
	}
	base := f.Base
	if base == nil {
		base = pooled
	}
	switch fault {
	case Throttle:
		return refusal(r, "ProvisionedThroughputExceededException", nil), nil
	case Conflict:
		return conflict(r, request), nil
	case Reset:
		return nil, broken("write")
	case None:
		if isStale(request) {
			return answer(r, http.StatusOK, map[string]any{"Count": 0}), nil
		}
		return base.RoundTrip(r)
	}
	// The request arrives, also if the caller gives up waiting.
	response, err := base.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	switch fault {
	case Lose:
		return nil, broken("read")
	case Hang:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case Cut:
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), brokenReader{}))
		return response, nil
	}
	return answer(r, http.StatusInternalServerError, map[string]any{"__type": typeOf("InternalServerError"), "message": "injected"}), nil
}

func (f *Faults) receive(r *http.Request) (Request, Fault, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Request{}, None, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	request := Request{Operation: operation(r)}
	if err := json.Unmarshal(body, &request.Body); err != nil {
		return Request{}, None, fmt.Errorf("reading a request: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.requests)
	f.requests = append(f.requests, request)
	if f.Choose == nil {
		return request, None, nil
	}
	return request, f.Choose(n, request), nil
}

func isStale(r Request) bool {
	index, _ := r.Body["IndexName"].(string)
	isRead := r.Operation == "GetItem" || r.Operation == "Query" && index != table.GSI1 && index != table.GSI2
	return isRead && r.Body["ConsistentRead"] != true
}

// conflict refuses a write as DynamoDB does while a transaction is at work on
// the last of its items. Reads are throttled instead.
func conflict(r *http.Request, request Request) *http.Response {
	switch request.Operation {
	case "GetItem", "Query":
		return refusal(r, "ThrottlingException", nil)
	case "TransactWriteItems":
		writes, _ := request.Body["TransactItems"].([]any)
		codes := strings.Split(strings.Repeat("None ", len(writes)-1)+"TransactionConflict", " ")
		return refusal(r, "TransactionCanceledException", codes)
	}
	return refusal(r, "TransactionConflictException", nil)
}

// refusal answers with an error; codes are the reasons of a canceled
// transaction.
func refusal(r *http.Request, name string, codes []string) *http.Response {
	body := map[string]any{"__type": typeOf(name), "message": "injected"}
	var reasons []any
	for _, code := range codes {
		reasons = append(reasons, map[string]any{"Code": code})
	}
	if reasons != nil {
		body["CancellationReasons"] = reasons
	}
	return answer(r, http.StatusBadRequest, body)
}

func typeOf(name string) string { return "com.amazonaws.dynamodb.v20120810#" + name }

func answer(r *http.Request, status int, body map[string]any) *http.Response {
	b, _ := json.Marshal(body) // strings and numbers always encode
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:          io.NopCloser(bytes.NewReader(b)),
		ContentLength: int64(len(b)),
		Request:       r,
	}
}

func broken(op string) error { return &net.OpError{Op: op, Net: "tcp", Err: syscall.ECONNRESET} }

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, broken("read") }

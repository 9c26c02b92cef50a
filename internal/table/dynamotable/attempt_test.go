package dynamotable_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotable"
	"github.com/gatehouse-auth/gatehouse/internal/table/dynamotest"
)

func TestIdleConnections(t *testing.T) {
	t.Run("fault 23 the service closes idle connections", func(t *testing.T) {
		endpoint := dynamotest.Endpoint(t, os.Getenv)
		target, err := url.Parse(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
		defer proxy.Close()
		client := dynamotest.Client(proxy.URL, proxy.Client().Transport)
		if err := dynamotable.Create(t.Context(), client, dynamotest.Definition("test")); err != nil {
			t.Fatal(err)
		}
		tab := dynamotable.New(client, "test")
		for n := range int64(10) {
			proxy.CloseClientConnections()
			if err := tab.Write(t.Context(), table.Update(keyA, nil).Adding("n", 1)); err != nil {
				t.Errorf("writing: %v", err)
			}
			proxy.CloseClientConnections()
			wantItem(t, tab, keyA, item(keyA, "n", n+1))
		}
	})
}

// deaf answers no request.
type deaf struct{ requests int }

func (d *deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	d.requests++
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestAttemptsAreBounded(t *testing.T) {
	write := func(ctx context.Context, tab table.Table) error { return tab.Write(ctx, table.Put(item(keyA))) }
	t.Run("fault 17 everything throttled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			faults := &dynamotest.Faults{Choose: func(int, dynamotest.Request) dynamotest.Fault { return dynamotest.Throttle }}
			began := time.Now()
			err := write(t.Context(), dynamotable.New(dynamotest.Client("http://nowhere", faults), "t"))
			if d := time.Since(began); !errors.Is(err, table.ErrUnavailable) || d > 3*time.Second {
				t.Errorf("error %v after %v", err, d)
			}
			if n := len(faults.Requests()); n < 5 || n > 15 {
				t.Errorf("%d attempts", n)
			}
		})
	})
	t.Run("fault 17 the caller's time ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			faults := &dynamotest.Faults{Choose: func(int, dynamotest.Request) dynamotest.Fault { return dynamotest.Throttle }}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			err := write(ctx, dynamotable.New(dynamotest.Client("http://nowhere", faults), "t"))
			if d := time.Since(began); !errors.Is(err, table.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || d > 100*time.Millisecond {
				t.Errorf("error %v after %v", err, d)
			}
		})
	})
	t.Run("fault 19 no answer ever", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := &deaf{}
			began := time.Now()
			err := write(t.Context(), dynamotable.New(dynamotest.Client("http://nowhere", d), "t"))
			if spent := time.Since(began); !errors.Is(err, table.ErrUnavailable) || spent > 10*time.Second || d.requests < 2 {
				t.Errorf("error %v after %v and %d attempts", err, spent, d.requests)
			}
		})
	})
	t.Run("fault 19 no answer once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			faults := &dynamotest.Faults{Choose: onWrites(dynamotest.Hang), Base: constant(`{}`)}
			began := time.Now()
			err := write(t.Context(), dynamotable.New(dynamotest.Client("http://nowhere", faults), "t"))
			if d := time.Since(began); err != nil || d > 4*time.Second {
				t.Errorf("error %v after %v", err, d)
			}
		})
	})
	t.Run("a refusal that will not pass is not tried again", func(t *testing.T) {
		for _, name := range []string{"AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException"} {
			transport := &dynamotest.Faults{Base: constant(fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"no"}`, name))}
			err := write(t.Context(), dynamotable.New(dynamotest.Client("http://nowhere", transport), "t"))
			if n := len(transport.Requests()); !errors.Is(err, table.ErrUnavailable) || n != 1 {
				t.Errorf("%s: error %v after %d attempts", name, err, n)
			}
		}
	})
}

func TestMixedReasons(t *testing.T) {
	for name, test := range map[string]struct {
		codes  string
		want   error
		failed []int // positions of the conditions that the error names
	}{
		"fault 18 a condition failed beside a conflict":      {`{"Code":"ConditionalCheckFailed"},{"Code":"TransactionConflict"}`, table.ErrConditionFailed, []int{0}},
		"fault 18 a condition failed beside throttling":      {`{"Code":"ThrottlingError"},{"Code":"ConditionalCheckFailed"}`, table.ErrConditionFailed, []int{1}},
		"fault 18 a mistake beside a conflict":               {`{"Code":"TransactionConflict"},{"Code":"ValidationError"}`, table.ErrInvalid, nil},
		"fault 18 a reason that nobody knows beside another": {`{"Code":"TransactionConflict"},{"Code":"Eclipse"}`, table.ErrUnavailable, nil},
	} {
		t.Run(name+" is not tried again", func(t *testing.T) {
			transport := &dynamotest.Faults{Base: constant(`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"no","CancellationReasons":[` + test.codes + `]}`)}
			tab := dynamotable.New(dynamotest.Client("http://nowhere", transport), "test")
			err := tab.Write(t.Context(), table.Put(item(keyA)).If(table.Exists{}).Else(failures[0]), table.Put(item(keyB)).If(table.Exists{}).Else(failures[1]))
			if got := failedOf(err); !slices.Equal(got, test.failed) {
				t.Errorf("error %v names the conditions %v, want %v", err, got, test.failed)
			}
			if n := len(transport.Requests()); !errors.Is(err, test.want) || n != 1 {
				t.Errorf("error %v after %d attempts, want %v after 1", err, n, test.want)
			}
		})
	}
}

// constant answers every request with this body, an error if it has a type.
type constant string

func (c constant) RoundTrip(r *http.Request) (*http.Response, error) {
	status := http.StatusOK
	if strings.Contains(string(c), "__type") {
		status = http.StatusBadRequest
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:   io.NopCloser(strings.NewReader(string(c))), ContentLength: int64(len(c)),
	}, nil
}

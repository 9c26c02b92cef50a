package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Function is a Lambda function over raw JSON. It runs under a deadline, and is
// left behind when it overruns that.
type Function = func(ctx context.Context, payload []byte) ([]byte, error)

// How long API Gateway waits.
const (
	authorizerTimeout  = 10 * time.Second
	integrationTimeout = 30 * time.Second
	restTimeout        = 29 * time.Second
)

// errTimeout says that a function overran its time.
var errTimeout = errors.New("timeout")

// invoke calls f as Lambda does: a panic is an error, and time runs out.
func invoke(ctx context.Context, f Function, payload []byte, timeout time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	type result struct {
		out []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r = result{err: fmt.Errorf("panic: %v", p)}
			}
			done <- r
		}()
		r.out, r.err = f(ctx, payload)
	}()
	select {
	case r := <-done:
		return r.out, r.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, errors.New("the client went away")
		}
		return nil, errTimeout
	}
}

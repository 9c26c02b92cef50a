package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// limit is how often something may be done in a while. It is counted in the
// table, so that all instances count together: one row for each while and each
// who, which is nobody else's and goes away by itself.
type limit struct {
	name string
	most int64
	per  time.Duration
}

// The limits. What is limited by a source, or a client at a source, shuts out
// nobody elsewhere: a stranger cannot use them up for the right client.
var (
	limitFailures  = limit{"failures", 20, time.Minute}    // wrong secrets, by client and source
	limitDevices   = limit{"devices", 30, time.Minute}     // new device codes, by client and source
	limitUserCodes = limit{"user-codes", 10, time.Hour}    // user codes that nobody waits for, by user
	limitSeed      = limit{"users-login", 30, time.Minute} // by source
)

// count notes that who has done it once more. If that is too often, the error
// is a 429 that says when to come back.
func (s *Service) count(ctx context.Context, l limit, who ...string) error {
	now := s.now()
	began := now.Truncate(l.per)
	ends := began.Add(l.per)
	key := schema.Limit(l.name, fingerprint(strings.Join(who, "\x00")), strconv.FormatInt(began.Unix(), 10))
	err := s.Table.Write(ctx, table.Update(key, map[string]any{table.TTL: ends.Unix()}).Adding("n", 1).If(
		table.Any{table.NotExists{}, table.Less{Name: "n", Value: l.most}}))
	if errors.Is(err, table.ErrConditionFailed) {
		return &httpx.Error{
			Status: http.StatusTooManyRequests, Code: "temporarily_unavailable", Detail: "too many requests",
			RetryAfter: ends.Sub(now), Err: errors.New("limit " + l.name + " is reached"),
		}
	}
	return err
}

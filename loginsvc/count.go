package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
	"github.com/gatehouse-auth/gatehouse/loginsvc/grant"
	"github.com/gatehouse-auth/gatehouse/loginsvc/pages"
)

// count notes how the sign-in ended.
func (b signIn) count(outcome string) {
	b.counted.Count(metric.SignIns, metric.Provider.Is(b.provider.ID()), metric.SignIn.Is(outcome))
}

// outcomeOf is how a sign-in ended that was refused with a page, or would have
// been if no app were there to tell.
func outcomeOf(kind pages.FailureKind) string {
	switch kind {
	case pages.Cancelled:
		return metric.SignInCancelled
	case pages.ProviderFailed:
		return metric.SignInProviderFailed
	case pages.NotAllowed:
		return metric.SignInNotAllowed
	case pages.Suspended:
		return metric.SignInSuspended
	case pages.EmailTaken:
		return metric.SignInEmailTaken
	}
	return metric.SignInFailed
}

// countRefresh notes what became of a refresh token.
func countRefresh(ctx context.Context, err error) {
	outcome := metric.RefreshFailed
	refusal, refused := errors.AsType[*httpx.Error](err)
	switch {
	case err == nil:
		outcome = metric.RefreshRenewed
	case errors.Is(err, grant.ErrFamilyReused):
		outcome = metric.RefreshReused
	case refused && refusal.Status < 500:
		outcome = metric.RefreshRefused
	}
	metric.FromContext(ctx).Count(metric.Refreshes, metric.Refresh.Is(outcome))
}

// countFailure notes a request that failed for want of a signing key.
func countFailure(ctx context.Context, err error) {
	if errors.Is(err, keys.ErrUnavailable) {
		metric.FromContext(ctx).Count(metric.KeyFailures)
	}
}

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
	limitFailures  = limit{"failures", 20, time.Minute} // wrong secrets, by client and source
	limitDevices   = limit{"devices", 30, time.Minute}  // new device codes, by client and source
	limitUserCodes = limit{"user-codes", 10, time.Hour} // user codes that nobody waits for, by user
)

// count notes that who has done it once more. If that is too often, the error
// is a 429 that says when to come back.
func (s *Service) count(ctx context.Context, l limit, who ...string) error {
	now := s.now()
	began := now.Truncate(l.per)
	ends := began.Add(l.per)
	key := schema.Limit(l.name, grant.Fingerprint(strings.Join(who, "\x00")), strconv.FormatInt(began.Unix(), 10))
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

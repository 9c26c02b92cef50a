package loginsvc

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
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

// countRefresh notes what became of a refresh token that was used so.
func countRefresh(ctx context.Context, kind grant.Use, err error) {
	outcome := metric.RefreshFailed
	refusal, refused := errors.AsType[*httpx.Error](err)
	switch {
	case err == nil && kind == grant.Repeats:
		outcome = metric.RefreshRepeated
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
	limitFailures  = limit{"failures", 20, time.Minute}      // wrong secrets, by client and source
	limitDevices   = limit{"devices", 30, time.Minute}       // new device codes, by client and source
	limitRegister  = limit{"register", 10, time.Minute}      // clients that register themselves, by source
	limitDocuments = limit{"documents", 20, time.Minute}     // metadata documents that cannot be used, by source
	limitUserCodes = limit{"user-codes", 10, time.Hour}      // wrong user codes, by user
	limitCodesFrom = limit{"user-codes-from", 60, time.Hour} // the same, by source
)

// count notes that who has done it once more. If that is too often, the error
// is a 429 that says when to come back.
func (s *Service) count(ctx context.Context, l limit, who ...string) error {
	return s.countAll(ctx, s.now(), counted{l, who})
}

// counted is something that is counted: who did what is limited.
type counted struct {
	limit
	who []string
}

// countAll counts all at once, in the windows of the time. If one of the limits is
// reached, nothing is counted.
func (s *Service) countAll(ctx context.Context, now time.Time, all ...counted) error {
	var writes []table.Write
	for _, c := range all {
		writes = append(writes, c.add(now, 1).If(
			table.Any{table.NotExists{}, table.Less{Name: "n", Value: c.most}}).Else(c.reached(now)))
	}
	err := s.Table.Write(ctx, writes...)
	if reached, ok := errors.AsType[*httpx.Error](err); ok {
		return reached
	}
	return err
}

// uncount takes back what countAll counted at the time.
func (s *Service) uncount(ctx context.Context, now time.Time, all ...counted) error {
	var writes []table.Write
	for _, c := range all {
		writes = append(writes, c.add(now, -1))
	}
	return s.Table.Write(ctx, writes...)
}

// add is the write that adds n in the window of the time.
func (c counted) add(now time.Time, n int64) table.Write {
	began := now.Truncate(c.per)
	key := schema.Limit(c.name, grant.Fingerprint(strings.Join(c.who, "\x00")), strconv.FormatInt(began.Unix(), 10))
	return table.Update(key, map[string]any{table.TTL: began.Add(c.per).Unix()}).Adding("n", n)
}

// source is where a request comes from, as limits count it: for an IPv6 address its 64
// bits of a network, in which one subscriber has every address (RFC 7421).
func source(r *http.Request) string {
	address := httpx.SourceIP(r)
	if a, err := netip.ParseAddr(address); err == nil && a.Unmap().Is6() {
		return netip.PrefixFrom(a.WithZone(""), 64).Masked().String()
	}
	return address
}

func (c counted) reached(now time.Time) error {
	return &httpx.Error{
		Status: http.StatusTooManyRequests, Code: "temporarily_unavailable", Detail: "too many requests",
		RetryAfter: now.Truncate(c.per).Add(c.per).Sub(now), Err: errors.New("limit " + c.name + " is reached"),
	}
}

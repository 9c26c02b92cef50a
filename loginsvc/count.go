package loginsvc

import (
	"context"
	"errors"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/internal/metric"
	"github.com/gatehouse-auth/gatehouse/keys"
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
	case errors.Is(err, errFamilyReused):
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

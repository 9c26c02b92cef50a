package server

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/metric"
)

// TestRecordCountsNothing wants a log for people to be free of numbers for
// machines.
func TestRecordCountsNothing(t *testing.T) {
	var out strings.Builder
	log := slog.New(record{slog.NewTextHandler(&out, nil)})
	log.Error("fetching revocation feed", "err", "refused", metric.FeedFailures.Of(1))
	if got := out.String(); !strings.Contains(got, "err=refused") || strings.Contains(got, "FeedFailures") {
		t.Error(got)
	}
}

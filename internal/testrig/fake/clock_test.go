package fake_test

import (
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/testrig/fake"
)

func TestClock(t *testing.T) {
	t.Parallel()
	var c fake.Clock
	if !c.Now().Equal(fake.Start) {
		t.Errorf("a new clock shows %v", c.Now())
	}
	c.Pass(time.Hour)
	c.Pass(-time.Minute)
	if want := fake.Start.Add(59 * time.Minute); !c.Now().Equal(want) {
		t.Errorf("%v, want %v", c.Now(), want)
	}
	at := time.Date(2031, 5, 1, 0, 0, 0, 1, time.FixedZone("", 3600))
	if got := fake.At(at).Now(); !got.Equal(at) || got.Location() != time.UTC {
		t.Errorf("%v, want %v in UTC", got, at)
	}
}

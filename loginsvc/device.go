package loginsvc

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
)

// device is a device that waits to be let in (RFC 8628). Its row is kept under
// the fingerprint of the code that the device holds; another row leads to it
// from the short code that its user types elsewhere.
type device struct {
	approval  // once it is approved
	Row       table.Key
	Client    string // its Ref
	Status    string
	Family    string // the refresh tokens that it was given; "" if none
	CreatedAt time.Time
	ExpiresAt time.Time
	PolledAt  time.Time
	Interval  time.Duration // the least time between two polls
}

// What has become of a device.
const (
	devicePending  = "pending"
	deviceApproved = "approved"
	deviceDenied   = "denied"
	deviceSpent    = "spent" // it has its tokens
)

const (
	deviceTTL      = 10 * time.Minute
	deviceInterval = 5 * time.Second
)

var errDeviceUnknown = errors.New("device code is unknown")

func deviceKey(deviceCode string) table.Key {
	return schema.Device(fingerprint(deviceCode))
}

func userCodeKey(userCode string) table.Key {
	return schema.UserCode(fingerprint(userCode))
}

// userCodeLetters make no words and are not mistaken for each other; eight of
// them are 34 bits (RFC 8628, Section 6.1).
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

func newUserCode() string {
	var b strings.Builder
	for range 8 {
		i, err := rand.Int(rand.Reader, big.NewInt(int64(len(userCodeLetters))))
		if err != nil {
			panic(err) // crypto/rand does not fail
		}
		b.WriteByte(userCodeLetters[i.Int64()])
	}
	return b.String()
}

// parseUserCode reads a code as people type it; "" if it cannot be one.
func parseUserCode(typed string) string {
	code := strings.ToUpper(strings.Map(func(c rune) rune {
		if c == '-' || c == ' ' {
			return -1
		}
		return c
	}, typed))
	if len(code) != 8 || !only(code, userCodeLetters) {
		return ""
	}
	return code
}

// showUserCode is the code as it is easy to read.
func showUserCode(code string) string { return code[:4] + "-" + code[4:] }

// putDevice stores a new device, and returns its codes.
func (s *Service) putDevice(ctx context.Context, c client.Client, scopes, audiences []string) (deviceCode, userCode string, err error) {
	now := s.now()
	expires := now.Add(deviceTTL)
	for range attempts {
		deviceCode, userCode = newSecret(), newUserCode()
		row, leads := deviceKey(deviceCode), userCodeKey(userCode)
		item := table.Item{
			table.PK: row.PK, table.SK: row.SK, table.TTL: expires.Unix(), "client_id": c.Ref(), "scope": strings.Join(scopes, " "),
			"status": devicePending, "created_at": now.Unix(), "expires_at": expires.Unix(), "polled_at": int64(0),
			"interval": int64(deviceInterval / time.Second), "user_id": "", "sid": "", "auth_time": int64(0), "family": "",
		}
		keepAudiences(item, audiences)
		err = s.Table.Write(ctx,
			table.Put(item).If(table.NotExists{}),
			table.Put(table.Item{
				table.PK: leads.PK, table.SK: leads.SK, table.TTL: expires.Unix(), "device": row.PK, "expires_at": expires.Unix(),
			}).If(table.Any{table.NotExists{}, table.Less{Name: "expires_at", Value: now.Unix()}}),
		)
		if !errors.Is(err, table.ErrConditionFailed) { // else the short code is taken
			return deviceCode, userCode, err
		}
	}
	return "", "", err
}

// readDevice returns the device under key, or [errDeviceUnknown].
func readDevice(ctx context.Context, t table.Table, key table.Key) (device, error) {
	item, err := t.Get(ctx, key)
	if errors.Is(err, table.ErrNotFound) {
		return device{}, errDeviceUnknown
	}
	if err != nil {
		return device{}, err
	}
	r := table.Reader{Item: item}
	d := device{
		approval: approval{UserID: r.Text("user_id"), SessionID: r.Text("sid"), AuthTime: r.Seconds("auth_time"), Scopes: splitScopes(r.Text("scope")), Audiences: keptAudiences(&r)},
		Row:      key, Client: r.Text("client_id"), Status: r.Text("status"), Family: r.Text("family"),
		CreatedAt: r.Seconds("created_at"), ExpiresAt: r.Seconds("expires_at"), PolledAt: r.Milli("polled_at"),
		Interval: time.Duration(r.Number("interval")) * time.Second,
	}
	return d, r.Err
}

// waiting returns the device that waits for its user to type userCode, or
// [errDeviceUnknown] if none does.
func (s *Service) waiting(ctx context.Context, userCode string) (device, error) {
	if userCode == "" {
		return device{}, errDeviceUnknown
	}
	item, err := s.Table.Get(ctx, userCodeKey(userCode))
	if errors.Is(err, table.ErrNotFound) {
		return device{}, errDeviceUnknown
	}
	if err != nil {
		return device{}, err
	}
	r := table.Reader{Item: item}
	key := schema.DeviceAt(r.Text("device"))
	if r.Err != nil {
		return device{}, r.Err
	}
	d, err := readDevice(ctx, s.Table, key)
	if err == nil && (d.Status != devicePending || !within(s.now(), d.CreatedAt, d.ExpiresAt)) {
		return device{}, errDeviceUnknown
	}
	return d, err
}

// decide is the write that settles what becomes of a device that waits, once.
func (d device) decide(status string, a approval) table.Write {
	return table.Update(d.Row, map[string]any{
		"status": status, "user_id": a.UserID, "sid": a.SessionID, "auth_time": a.AuthTime.Unix(),
	}).If(table.Equal{Name: "status", Value: devicePending})
}

// spend is the write that gives a device its tokens, once.
func (d device) spend(family string) table.Write {
	return table.Update(d.Row, map[string]any{"status": deviceSpent, "family": family}).If(table.Equal{Name: "status", Value: deviceApproved})
}

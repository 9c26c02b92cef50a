package grant

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Device is a device that waits for a user's approval (RFC 8628). Its row is
// under the fingerprint of the code that the device holds; another row leads to
// it from the short code that the user types elsewhere.
type Device struct {
	Approval         // once it is approved
	Client    string // its Ref
	Status    string
	Family    string // id of the family that it was given; "" if none
	CreatedAt time.Time
	ExpiresAt time.Time
	PolledAt  time.Time
	Interval  time.Duration // the least time between two polls

	row table.Key
}

// The states of a device.
const (
	DevicePending  = "pending"
	DeviceApproved = "approved"
	DeviceDenied   = "denied"
	DeviceSpent    = "spent" // it has its tokens
)

const (
	// DeviceTTL is how long a device waits.
	DeviceTTL = 10 * time.Minute
	// DeviceInterval is the time between two polls at the beginning.
	DeviceInterval = 5 * time.Second
)

// ErrDeviceUnknown says that no device has the code, or that none waits for it.
var ErrDeviceUnknown = errors.New("device code is unknown")

func deviceKey(deviceCode string) table.Key {
	return schema.Device(Fingerprint(deviceCode))
}

func userCodeKey(userCode string) table.Key {
	return schema.UserCode(Fingerprint(userCode))
}

// PutDevice stores a new device of the client with this Ref, and returns its
// codes.
func (s Store) PutDevice(ctx context.Context, clientRef string, scopes, audiences []string, now time.Time) (deviceCode, userCode string, err error) {
	expires := now.Add(DeviceTTL)
	for range Attempts {
		deviceCode, userCode = NewSecret(), newUserCode()
		row, leads := deviceKey(deviceCode), userCodeKey(userCode)
		item := table.Item{
			table.PK: row.PK, table.SK: row.SK, table.TTL: expires.Unix(), "client_id": clientRef, "scope": strings.Join(scopes, " "),
			"status": DevicePending, "created_at": now.Unix(), "expires_at": expires.Unix(), "polled_at": int64(0),
			"interval": int64(DeviceInterval / time.Second), "user_id": "", "sid": "", "auth_time": int64(0), "family": "",
		}
		setAudiences(item, audiences)
		err = s.Table.Write(ctx,
			table.Put(item).If(table.NotExists{}),
			table.Put(table.Item{
				table.PK: leads.PK, table.SK: leads.SK, table.TTL: expires.Unix(), "device": row.PK, "expires_at": expires.Unix(),
			}).If(table.Any{table.NotExists{}, table.Less{Name: "expires_at", Value: now.Unix()}}),
		)
		if !errors.Is(err, table.ErrConditionFailed) { // else the user code is taken
			return deviceCode, userCode, err
		}
	}
	return "", "", err
}

// Device returns the device that holds deviceCode, or [ErrDeviceUnknown].
func (s Store) Device(ctx context.Context, deviceCode string) (Device, error) {
	return s.device(ctx, deviceKey(deviceCode))
}

func (s Store) device(ctx context.Context, key table.Key) (Device, error) {
	item, err := s.Table.Get(ctx, key)
	if errors.Is(err, table.ErrNotFound) {
		return Device{}, ErrDeviceUnknown
	}
	if err != nil {
		return Device{}, err
	}
	r := table.Reader{Item: item}
	d := Device{
		Approval: Approval{
			UserID: r.Text("user_id"), SessionID: r.Text("sid"), AuthTime: r.Seconds("auth_time"),
			Scopes: strings.Fields(r.Text("scope")), Audiences: audiencesOf(&r), Consent: consentOf(&r),
		},
		row: key, Client: r.Text("client_id"), Status: r.Text("status"), Family: r.Text("family"),
		CreatedAt: r.Seconds("created_at"), ExpiresAt: r.Seconds("expires_at"), PolledAt: r.Milli("polled_at"),
		Interval: time.Duration(r.Number("interval")) * time.Second,
	}
	if item["approved_at"] != nil { // else it is older than this attribute, or not approved
		d.At = r.Milli("approved_at")
	}
	return d, r.Err
}

// Waiting returns the device that waits for its user to type userCode, or
// [ErrDeviceUnknown].
func (s Store) Waiting(ctx context.Context, userCode string, now time.Time) (Device, error) {
	if userCode == "" {
		return Device{}, ErrDeviceUnknown
	}
	item, err := s.Table.Get(ctx, userCodeKey(userCode))
	if errors.Is(err, table.ErrNotFound) {
		return Device{}, ErrDeviceUnknown
	}
	if err != nil {
		return Device{}, err
	}
	r := table.Reader{Item: item}
	key := schema.DeviceAt(r.Text("device"))
	if r.Err != nil {
		return Device{}, r.Err
	}
	d, err := s.device(ctx, key)
	if err == nil && (d.Status != DevicePending || d.Expired(now)) {
		return Device{}, ErrDeviceUnknown
	}
	return d, err
}

// Expired tells whether the device has waited too long.
func (d Device) Expired(now time.Time) bool { return !Alive(now, d.CreatedAt, d.ExpiresAt) }

// Decide is the write that settles once whether a pending device is approved or
// denied.
func (d Device) Decide(status string, a Approval) table.Write {
	set := map[string]any{
		"status": status, "user_id": a.UserID, "sid": a.SessionID, "auth_time": a.AuthTime.Unix(), "approved_at": a.At.UnixMilli(),
	}
	setConsent(set, a.Consent)
	return table.Update(d.row, set).If(table.Equal{Name: "status", Value: DevicePending})
}

// Spend is the write that redeems an approved device code, once. After that it
// fails with [ErrSpent].
func (d Device) Spend(family string) table.Write {
	return table.Update(d.row, map[string]any{"status": DeviceSpent, "family": family}).If(table.Equal{Name: "status", Value: DeviceApproved}).Else(ErrSpent)
}

// ID names the device, and changes with each one. It is no secret.
func (d Device) ID() string { return d.row.PK }

// NotePoll notes that a pending device has asked. One that asks too soon must
// wait five seconds longer from then on (RFC 8628, Section 3.5).
func (s Store) NotePoll(ctx context.Context, d Device, now time.Time) (tooSoon bool, err error) {
	if tooSoon = now.Sub(d.PolledAt) < d.Interval; tooSoon {
		d.Interval += 5 * time.Second
	}
	err = s.Table.Write(ctx, table.Update(d.row, map[string]any{
		"polled_at": now.UnixMilli(), "interval": int64(d.Interval / time.Second),
	}).If(table.Equal{Name: "status", Value: DevicePending}))
	if errors.Is(err, table.ErrConditionFailed) { // it was decided meanwhile
		err = nil
	}
	return tooSoon, err
}

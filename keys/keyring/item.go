package keyring

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/keys"
)

// The item of the ring.
const (
	attrVersion = "version" // grows by one with every change
	attrRing    = "ring"    // the keys, JSON
)

// stored is a ring and the version under which the table has it; 0: it has none.
type stored struct {
	version int64
	ring    keys.Ring
}

// row is a key of the ring in JSON.
type row struct {
	Public      []byte     `json:"public"` // DER of a SubjectPublicKeyInfo (RFC 5280, Section 4.1)
	State       keys.State `json:"state"`
	Reference   string     `json:"reference,omitempty"`
	Adopted     bool       `json:"adopted,omitempty"`
	PublishedAt time.Time  `json:"published_at"`
	CurrentAt   time.Time  `json:"current_at,omitzero"`
	RetiringAt  time.Time  `json:"retiring_at,omitzero"`
	KeepUntil   time.Time  `json:"keep_until,omitzero"`
	EndedAt     time.Time  `json:"ended_at,omitzero"`
}

// load reads the ring, as strongly consistent as the table can.
func (k *Keyring) load(ctx context.Context) (stored, error) {
	item, err := k.Table.Get(ctx, schema.KeyRing())
	if errors.Is(err, table.ErrNotFound) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, fmt.Errorf("reading the key ring: %w", err)
	}
	version, _ := item[attrVersion].(int64)
	text, _ := item[attrRing].(string)
	ring, err := decode(text)
	if version < 1 {
		err = errors.Join(err, errors.New("no version"))
	}
	if err != nil {
		return stored{}, fmt.Errorf("the key ring in the table is damaged: %w", err)
	}
	return stored{version, ring}, nil
}

// errChanged says that another process has changed the ring since it was read.
var errChanged = errors.New("the key ring has changed")

// store writes ring in place of old, or returns errChanged.
func (k *Keyring) store(ctx context.Context, old stored, ring keys.Ring) (stored, error) {
	text, err := encode(ring)
	if err != nil {
		return stored{}, err
	}
	var unchanged table.Cond = table.NotExists{}
	if old.version > 0 {
		unchanged = table.Equal{Name: attrVersion, Value: old.version}
	}
	now := stored{old.version + 1, ring}
	err = k.Table.Write(ctx, table.Put(table.Item{
		table.PK: schema.KeyRing().PK, table.SK: schema.KeyRing().SK, attrVersion: now.version, attrRing: text,
	}).If(unchanged).Else(errChanged))
	if err != nil {
		return stored{}, fmt.Errorf("writing the key ring: %w", err)
	}
	k.copy.forget()
	return now, nil
}

func encode(ring keys.Ring) (string, error) {
	rows := make([]row, len(ring))
	for i, key := range ring {
		der, err := x509.MarshalPKIXPublicKey(key.Public)
		if err != nil {
			return "", fmt.Errorf("encoding public key: %w", err)
		}
		rows[i] = row{der, key.State, key.Reference, key.Adopted, key.PublishedAt, key.CurrentAt, key.RetiringAt, key.KeepUntil, key.EndedAt}
	}
	text, err := json.Marshal(rows)
	return string(text), err
}

func decode(text string) (keys.Ring, error) {
	var rows []row
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	ring := make(keys.Ring, len(rows))
	for i, r := range rows {
		parsed, err := x509.ParsePKIXPublicKey(r.Public)
		if err != nil {
			return nil, err
		}
		public, ok := parsed.(*rsa.PublicKey)
		if !ok {
			return nil, fmt.Errorf("a key is %T", parsed)
		}
		if err := keys.CheckPublic(public); err != nil {
			return nil, err
		}
		ring[i] = keys.RingKey{ID: keys.Thumbprint(public), Public: public, State: r.State, Reference: r.Reference, Adopted: r.Adopted,
			PublishedAt: r.PublishedAt, CurrentAt: r.CurrentAt, RetiringAt: r.RetiringAt, KeepUntil: r.KeepUntil, EndedAt: r.EndedAt}
	}
	return ring, nil
}

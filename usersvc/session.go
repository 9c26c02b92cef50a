package usersvc

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Session is one sign-in of a user in one browser. As JSON it is what the API
// shows of it.
type Session struct {
	ID         string    `json:"id"` // "s_…"; public, it is the claim sid of tokens
	UserID     string    `json:"user_id"`
	Provider   string    `json:"provider"` // the provider that the user signed in with
	AuthTime   time.Time `json:"auth_time"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"`   // whatever happens
	LastUsedAt time.Time `json:"last_used_at"` // a little behind, to spare writes
	UserAgent  string    `json:"user_agent"`
	ACR        string    `json:"-"` // see [SignInInfo]
	AMR        []string  `json:"-"`

	epoch    int64
	identity string // the id of the one that the user signed in with
	version  int64  // of the user, when they did
	hash     []byte // SHA-256 of the cookie's secret

	oldLedger bool // an earlier version began it: see [Users.readOldUserLedger]
}

// sessionSchema is the form of a session's row. Rows of the first form do not say
// which they have.
const sessionSchema = 2

// Session returns the live session of a cookie and its user. It returns
// [ErrNoSession] for anything else than a cookie of a live session, whatever is
// wrong with it. Now and then it notes that the session was used.
func (u *Users) Session(ctx context.Context, cookie string) (Session, User, error) {
	userID, rest, _ := strings.Cut(cookie, ".")
	sid, secret, ok := strings.Cut(rest, ".")
	if !ok {
		return Session{}, User{}, ErrNoSession
	}
	s, err := u.readSession(ctx, userID, sid)
	if err != nil {
		return Session{}, User{}, err
	}
	hash := sha256.Sum256([]byte(secret))
	now := u.now()
	if subtle.ConstantTimeCompare(hash[:], s.hash) != 1 || !now.Before(s.LastUsedAt.Add(u.sessionIdle())) {
		return Session{}, User{}, ErrNoSession
	}
	user, err := u.userOf(ctx, s)
	if err != nil {
		return Session{}, User{}, err
	}
	if now.Sub(s.LastUsedAt) < u.sessionIdle()/50 {
		return s, user, nil
	}
	s.LastUsedAt = now
	err = u.Table.Write(ctx, table.Update(sessionKey(userID, sid), map[string]any{"last_used_at": now.UnixMilli()}).If(table.Exists{}))
	if errors.Is(err, table.ErrConditionFailed) {
		return Session{}, User{}, ErrNoSession
	}
	if err != nil {
		return Session{}, User{}, fmt.Errorf("noting use of session: %w", err)
	}
	return s, user, nil
}

// SessionByID returns a live session and its user, or [ErrNoSession]. It is for
// tokens, which outlive the use of the browser: it does not ask when the session
// was last used.
func (u *Users) SessionByID(ctx context.Context, userID, sid string) (Session, User, error) {
	s, err := u.readSession(ctx, userID, sid)
	if err != nil {
		return Session{}, User{}, err
	}
	user, err := u.userOf(ctx, s)
	return s, user, err
}

// readSession returns a session that has neither ended nor expired. Its user may
// have been suspended meanwhile.
func (u *Users) readSession(ctx context.Context, userID, sid string) (Session, error) {
	if !IsID(userID) || !IsID(sid) {
		return Session{}, ErrNoSession
	}
	item, err := u.Table.Get(ctx, sessionKey(userID, sid))
	if errors.Is(err, table.ErrNotFound) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, fmt.Errorf("reading session: %w", err)
	}
	s, err := sessionFrom(item)
	if err != nil {
		return Session{}, err
	}
	if !u.now().Before(s.ExpiresAt) {
		return Session{}, ErrNoSession
	}
	return s, nil
}

// userOf returns the user of s if s has not ended.
func (u *Users) userOf(ctx context.Context, s Session) (User, error) {
	user, err := u.Get(ctx, s.UserID)
	if errors.Is(err, ErrNotFound) || err == nil && (user.Status != Active || !user.live(s)) {
		return User{}, ErrNoSession
	}
	return user, err
}

// newSession returns a session of the user and its cookie.
func (u *Users) newSession(user User, a signInAttempt) (Session, string) {
	now := u.now()
	secret := rand.Text() + rand.Text() // 260 bits
	hash := sha256.Sum256([]byte(secret))
	s := Session{
		ID: newID("s_", now), UserID: user.ID, Provider: a.Provider,
		AuthTime: a.info.AuthTime, CreatedAt: now, ExpiresAt: now.Add(u.SessionLife()), LastUsedAt: now,
		UserAgent: text(a.info.UserAgent, maxUserAgent), ACR: a.info.ACR, AMR: a.info.AMR, epoch: user.epoch, hash: hash[:],
		identity: identityID(a.key().PK), version: user.Version,
	}
	if s.AuthTime.IsZero() {
		s.AuthTime = now
	}
	return s, user.ID + "." + s.ID + "." + secret
}

const sessionPrefix = schema.SessionPrefix

func sessionKey(userID, sid string) table.Key {
	return schema.Session(userID, sid)
}

func (s Session) item() table.Item {
	key := sessionKey(s.UserID, s.ID)
	item := table.Item{
		table.PK: key.PK, table.SK: key.SK, table.TTL: s.ExpiresAt.Unix(), "schema": int64(sessionSchema),
		"id": s.ID, "user_id": s.UserID, "provider": s.Provider, "user_agent": s.UserAgent,
		"auth_time": s.AuthTime.UnixMilli(), "created_at": s.CreatedAt.UnixMilli(),
		"expires_at": s.ExpiresAt.UnixMilli(), "last_used_at": s.LastUsedAt.UnixMilli(),
		"epoch": s.epoch, "identity": s.identity, "user_version": s.version, "secret_sha256": s.hash,
	}
	if s.ACR != "" {
		item["acr"] = s.ACR
	}
	if len(s.AMR) > 0 {
		item["amr"] = s.AMR
	}
	return item
}

func sessionFrom(item table.Item) (Session, error) {
	r := table.Reader{Item: item}
	s := Session{
		ID: r.Text("id"), UserID: r.Text("user_id"), Provider: r.Text("provider"), UserAgent: r.Text("user_agent"),
		AuthTime: r.Milli("auth_time"), CreatedAt: r.Milli("created_at"),
		ExpiresAt: r.Milli("expires_at"), LastUsedAt: r.Milli("last_used_at"),
		epoch: r.Number("epoch"), hash: r.Bytes("secret_sha256"),
	}
	_, newer := item["schema"]
	s.oldLedger = !newer
	s.identity, _ = item["identity"].(string) // without them, the session ends sooner: see live
	s.version, _ = item["user_version"].(int64)
	s.ACR, _ = item["acr"].(string)
	s.AMR, _ = item["amr"].([]string)
	if r.Err == nil && item.Key() != sessionKey(s.UserID, s.ID) {
		r.Err = fmt.Errorf("%w: session: key", table.ErrDamaged)
	}
	if r.Err != nil {
		return Session{}, r.Err
	}
	return s, nil
}

package usersvc

import (
	"context"
	"net/netip"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/schema"
	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Entry is one row of the audit trail: something that was done to a user, or to
// an app. As JSON it is what the API shows of it.
type Entry struct {
	ID       string    `json:"id"` // sorts by time
	At       time.Time `json:"at"`
	Action   Action    `json:"action"`
	UserID   string    `json:"user_id"`             // to whom; "" if to an app
	ClientID string    `json:"client_id,omitempty"` // to which app; "" if to a user
	Actor    string    `json:"actor"`               // who: a user's id, "gatehouse.yml", or "operator:" and a name
	Detail   string    `json:"detail"`              // what changed; never a name or an address
	SourceIP string    `json:"source_ip"`           // from where; "" if unknown or erased
	Agent    string    `json:"user_agent"`          // with what browser; "" if unknown or erased
}

// Action is what was done.
type Action string

// The actions.
const (
	UserCreated      Action = "user.created"
	UserSuspended    Action = "user.suspended"
	UserActivated    Action = "user.activated"
	UserDeleted      Action = "user.deleted"
	ProfileChanged   Action = "profile.changed"
	RolesChanged     Action = "roles.changed"
	IdentityLinked   Action = "identity.linked"
	IdentityUnlinked Action = "identity.unlinked"
	SessionStarted   Action = "session.started"
	SessionEnded     Action = "session.ended"
	SessionsEnded    Action = "sessions.ended" // all, or all but one
)

// The actions on apps in the table. Their detail is what the app is now.
const (
	ClientAdded         Action = "client.added"
	ClientEdited        Action = "client.edited"
	ClientSecretRotated Action = "client.secret_rotated"
	ClientSecretDropped Action = "client.secret_dropped"
	ClientRemoved       Action = "client.removed"
)

// configured is the actor of what the team's configuration does.
const configured = "gatehouse.yml"

// audit is the row about an action of by on a user. It is written in the same
// transaction as what it tells of, and never changed.
func (u *Users) audit(action Action, userID string, by By, detail string) table.Write {
	e := newEntry(action, by, detail, u.now())
	e.UserID = userID
	return e.write()
}

// ClientAudit is the row about an action of by on an app, for the transaction
// that it tells of.
func ClientAudit(action Action, clientID string, by By, detail string, at time.Time) table.Write {
	e := newEntry(action, by, detail, at.UTC())
	e.ClientID = clientID
	return e.write()
}

func newEntry(action Action, by By, detail string, now time.Time) Entry {
	e := Entry{
		ID: now.Format(auditTime) + "#" + newID("", now)[9:], At: now, Action: action,
		Actor: by.actor(), Detail: detail, Agent: text(by.UserAgent, maxUserAgent),
	}
	if ip, err := netip.ParseAddr(by.SourceIP); err == nil {
		e.SourceIP = ip.Unmap().WithZone("").String()
	}
	return e
}

func (e Entry) write() table.Write { return table.Put(e.item()).If(table.NotExists{}) }

// AuditFilter is which entries to list, and how many. The newest come first.
type AuditFilter struct {
	UserID string // what was done to a user; "" is everyone
	// ClientID is an app: what was done to it. UserID and Actor are not looked at.
	ClientID string
	// Actor is a user's id: what they did to others or, with UserID, to that
	// one; "" is everybody.
	Actor  string
	Time   string // the beginning of the time in UTC: "2026-03", "2026-03-01T12:5"
	Limit  int    // at most so many; 0: 50. At most 200
	Cursor string // of the page before; "" begins
}

// Audit returns entries of the audit trail. The list about a user, a client or an
// actor is one query; the list of all is one for each partition of the index, all
// at the same time. Unless it is about one user or client, it can be a moment
// behind.
func (u *Users) Audit(ctx context.Context, f AuditFilter) (Page[Entry], error) {
	q := table.Query{Descending: true, Limit: pageSize(f.Limit), Cursor: f.Cursor}
	switch {
	case f.ClientID != "":
		q.PK, q.Prefix = clientPartition(f.ClientID), auditPrefix+f.Time
	case f.UserID != "":
		q.PK, q.Prefix = userKey(f.UserID).PK, auditPrefix+f.Time
		if f.Actor != "" {
			q.Filter = table.Equal{Name: "actor", Value: f.Actor}
		}
	case f.Actor != "":
		q.Index, q.PK, q.Prefix = table.GSI2, actorPartition(f.Actor), f.Time
	default:
		q.Index, q.PK, q.Prefix = table.GSI1, schema.AuditIndex(0), f.Time
		return list(ctx, auditIndex{u.Table}, q, entryFrom)
	}
	return list(ctx, u.Table, q, entryFrom)
}

const (
	auditPrefix = schema.AuditPrefix
	auditTime   = "2006-01-02T15:04:05.000Z"
)

// actorPartition, in the other index, is what a user did to others.
func actorPartition(userID string) string { return schema.ActorIndex(userID) }

// clientPartition has the rows about an app.
func clientPartition(clientID string) string { return schema.ClientPartition(clientID) }

func (e Entry) item() table.Item {
	about := userKey(e.UserID).PK
	if e.ClientID != "" {
		about = clientPartition(e.ClientID)
	}
	item := table.Item{
		table.PK: about, table.SK: auditPrefix + e.ID,
		table.GSI1PK: auditPartitionOf(e.ID), table.GSI1SK: e.ID,
		"id": e.ID, "at": e.At.UnixMilli(), "action": string(e.Action), "user_id": e.UserID, "actor": e.Actor,
		"detail": e.Detail, "source_ip": e.SourceIP, "agent": e.Agent,
	}
	if e.ClientID != "" {
		item["client_id"] = e.ClientID
	}
	if e.Actor != e.UserID {
		item[table.GSI2PK], item[table.GSI2SK] = actorPartition(e.Actor), e.ID
	}
	return item
}

func entryFrom(item table.Item) (Entry, error) {
	r := table.Reader{Item: item}
	e := Entry{
		ID: r.Text("id"), At: r.Milli("at"), Action: Action(r.Text("action")), UserID: r.Text("user_id"),
		Actor: r.Text("actor"), Detail: r.Text("detail"), SourceIP: r.Text("source_ip"), Agent: r.Text("agent"),
	}
	if _, ok := item["client_id"]; ok {
		e.ClientID = r.Text("client_id")
	}
	return e, r.Err
}

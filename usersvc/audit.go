package usersvc

import (
	"net/netip"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
)

// Entry is one row of the audit trail: something that was done to a user.
type Entry struct {
	ID       string // sorts by time
	At       time.Time
	Action   Action
	UserID   string // to whom
	Actor    string // who: a user's id, "gatehouse.yml", or "operator:" and a name
	Detail   string // what changed; never a name or an address
	SourceIP string // from where; "" if unknown or erased
	Agent    string // with what browser; "" if unknown or erased
}

// Action is what was done.
type Action string

// The actions.
const (
	UserCreated    Action = "user.created"
	ProfileChanged Action = "profile.changed"
	RolesChanged   Action = "roles.changed"
	IdentityLinked Action = "identity.linked"
	SessionStarted Action = "session.started"
	SessionEnded   Action = "session.ended"
)

// configured is the actor of what the team's configuration does.
const configured = "gatehouse.yml"

// By is who does something, and from where.
type By struct {
	UserID    string
	SourceIP  string // without a port
	UserAgent string
}

// audit is the row about an action of by on a user. It is written in the same
// transaction as what it tells of, and never changed.
func (u *Users) audit(action Action, userID string, by By, detail string) table.Write {
	now := u.now()
	e := Entry{
		ID: now.Format(auditTime) + "#" + newID("", now)[9:], At: now, Action: action, UserID: userID,
		Actor: by.UserID, Detail: detail, Agent: text(by.UserAgent, maxUserAgent),
	}
	if ip, err := netip.ParseAddr(by.SourceIP); err == nil {
		e.SourceIP = ip.Unmap().WithZone("").String()
	}
	return table.Put(e.item()).If(table.NotExists{})
}

const (
	auditPrefix    = "audit#"
	auditPartition = "audit" // of the index by time
	auditTime      = "2006-01-02T15:04:05.000Z"
)

func (e Entry) item() table.Item {
	return table.Item{
		table.PK: userKey(e.UserID).PK, table.SK: auditPrefix + e.ID,
		table.GSI1PK: auditPartition, table.GSI1SK: e.ID,
		"id": e.ID, "at": e.At.UnixMilli(), "action": string(e.Action), "user_id": e.UserID, "actor": e.Actor,
		"detail": e.Detail, "source_ip": e.SourceIP, "agent": e.Agent,
	}
}

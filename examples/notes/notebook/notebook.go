// Package notebook is a protected function to copy: each user has their own
// notes. It stands behind the authorizer, so that it asks only who called, and
// never sees a token.
//
//	GET  /notes   the caller's notes, oldest first
//	POST /notes   adds one: {"text": "buy milk"}
package notebook

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatehouse-auth/gatehouse/identity"
)

// Notebook is the notes of each user. They live in memory to keep the example
// short: Lambda forgets them when it likes. Yours would be in a table, under the
// same key. The zero Notebook is empty.
type Notebook struct {
	mu   sync.Mutex
	byID map[string][]note // by identity.Identity.Subject: it never changes
}

type note struct {
	Text string `json:"text"`
}

// maxNotes bounds what one user can make us remember.
const maxNotes = 100

// Handle answers one request.
func (n *Notebook) Handle(_ context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	who, err := identity.FromEvent(event)
	if err != nil { // the route is not behind the authorizer: see serverless.yml
		return answer(http.StatusUnauthorized, map[string]string{"message": "Unauthorized"})
	}
	switch event.RequestContext.HTTP.Method {
	case http.MethodGet:
		return answer(http.StatusOK, n.list(who.Subject))
	case http.MethodPost:
		text, ok := textOf(event)
		if !ok {
			return answer(http.StatusBadRequest, map[string]string{"message": `want {"text": "…"}`})
		}
		if !n.add(who.Subject, note{text}) {
			return answer(http.StatusConflict, map[string]string{"message": "too many notes"})
		}
		return answer(http.StatusCreated, note{text})
	}
	return answer(http.StatusMethodNotAllowed, map[string]string{"message": "Method Not Allowed"})
}

func (n *Notebook) list(userID string) []note {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]note{}, n.byID[userID]...)
}

func (n *Notebook) add(userID string, added note) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.byID[userID]) >= maxNotes {
		return false
	}
	if n.byID == nil {
		n.byID = map[string][]note{}
	}
	n.byID[userID] = append(n.byID[userID], added)
	return true
}

// textOf returns the text of a new note. API Gateway sends some bodies in base64.
func textOf(event events.APIGatewayV2HTTPRequest) (string, bool) {
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(event.Body)
		if err != nil {
			return "", false
		}
		body = decoded
	}
	var in note
	if err := json.Unmarshal(body, &in); err != nil || strings.TrimSpace(in.Text) == "" || len(in.Text) > 1000 {
		return "", false
	}
	return in.Text, true
}

func answer(status int, v any) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"},
		Body:       string(body),
	}, nil
}

package server

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"sync"

	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// The routes with which visitors of the tour suspend themselves, and let
// themselves in again. The way back has no authorizer before it: their token is
// refused by then.
const (
	suspendRoute  = "POST /demo/suspend"
	activateRoute = "POST /demo/activate"
)

// tourist is who suspends and activates for the tour: nobody may do either to
// themselves.
var tourist = usersvc.By{Operator: "the tour"}

// waysBack are the users whom the tour suspended, by a secret that was given to
// their page. The zero value has none.
type waysBack struct {
	mu sync.Mutex
	of map[string]string
}

// add returns the secret of a user, the only one that they have.
func (w *waysBack) add(userID string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = make(map[string]string)
	}
	for secret, id := range w.of {
		if id == userID {
			delete(w.of, secret)
		}
	}
	secret := rand.Text()
	w.of[secret] = userID
	return secret
}

// take returns the user with a secret, once.
func (w *waysBack) take(secret string) (userID string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	userID, ok = w.of[secret]
	delete(w.of, secret)
	return userID, ok
}

// handleSuspend suspends who asks, and answers with their way back.
func (d *demo) handleSuspend(w http.ResponseWriter, r *http.Request) error {
	who, err := caller(r.Context())
	if err != nil {
		return err
	}
	_, err = d.users.Suspend(r.Context(), tourist, who.Subject)
	if errors.Is(err, usersvc.ErrLastAdmin) {
		return &httpx.Error{Status: http.StatusConflict, Code: "last_admin", Detail: "you are the only admin, who stays: sign in as Lin to try it", Err: err}
	}
	if err != nil {
		return unknownUser(err)
	}
	return httpx.JSON(w, map[string]string{"way_back": d.back.add(who.Subject)})
}

// handleActivate lets the user in again whose way back is posted.
func (d *demo) handleActivate(w http.ResponseWriter, r *http.Request) error {
	id, ok := d.back.take(r.PostFormValue("way_back"))
	if !ok {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Detail: "the tour has suspended nobody of that name"}
	}
	if _, err := d.users.Activate(context.WithoutCancel(r.Context()), tourist, id); err != nil {
		return unknownUser(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func unknownUser(err error) error {
	if errors.Is(err, usersvc.ErrNotFound) {
		return &httpx.Error{Status: http.StatusNotFound, Code: "not_found", Detail: "there is no such user", Err: err}
	}
	return err
}

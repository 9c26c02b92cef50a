package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/httpx"
	"github.com/gatehouse-auth/gatehouse/loginsvc/client"
	"github.com/gatehouse-auth/gatehouse/loginsvc/registry"
	"github.com/gatehouse-auth/gatehouse/usersvc"
)

// registrarRoutes change the clients of the table, for `gatehouse clients`. Only a
// running dev has them: in a deployment that takes AWS credentials.
var registrarRoutes = []string{
	"GET /demo/clients", "POST /demo/clients", "GET /demo/clients/{id}", "PATCH /demo/clients/{id}", "DELETE /demo/clients/{id}",
	"POST /demo/clients/{id}/secret", "DELETE /demo/clients/{id}/secret",
}

// registrar handles registrarRoutes.
type registrar struct {
	clients *registry.Clients
	file    []client.Client
}

// NewClient is the body of POST /demo/clients.
type NewClient struct {
	ID     string `json:"id"`
	Public bool   `json:"public"`
	registry.Edits
}

func (g registrar) register(mux *http.ServeMux) {
	for i, handle := range []func(http.ResponseWriter, *http.Request, registry.Admin) error{
		g.list, g.add, g.show, g.edit, g.remove, g.newSecret, g.endOldSecret,
	} {
		mux.Handle(registrarRoutes[i], httpx.Handle(func(w http.ResponseWriter, r *http.Request) error {
			who, err := caller(r.Context())
			if err != nil {
				return err
			}
			err = handle(w, r, registry.Admin{Clients: g.clients, File: g.file, By: by(who, r)})
			if refusal, ok := errors.AsType[*registry.AdminError](err); ok {
				return &httpx.Error{Status: http.StatusConflict, Code: "refused", Detail: refusal.Text, Err: err}
			}
			return err
		}, httpx.Problem))
	}
}

func by(who identity.Identity, r *http.Request) usersvc.By {
	return usersvc.By{UserID: who.Subject, SourceIP: httpx.SourceIP(r), UserAgent: r.UserAgent()}
}

func (registrar) list(w http.ResponseWriter, r *http.Request, admin registry.Admin) error {
	views, err := admin.Views(r.Context())
	if err != nil {
		return err
	}
	return httpx.JSON(w, map[string]any{"items": views})
}

func (registrar) show(w http.ResponseWriter, r *http.Request, admin registry.Admin) error {
	return answer(w)(admin.View(r.Context(), r.PathValue("id")))
}

func (registrar) add(w http.ResponseWriter, r *http.Request, admin registry.Admin) error {
	var in NewClient
	if err := readBody(r, &in); err != nil {
		return err
	}
	secret, err := admin.Register(r.Context(), in.ID, in.Edits, !in.Public)
	return answerSecret(w, in.ID, secret, err)
}

func (registrar) edit(w http.ResponseWriter, r *http.Request, admin registry.Admin) error {
	var edits registry.Edits
	if err := readBody(r, &edits); err != nil {
		return err
	}
	version, err := strconv.ParseInt(r.URL.Query().Get("version"), 10, 64)
	if err != nil {
		return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "version: want a number"}
	}
	return answer(w)(admin.Change(r.Context(), r.PathValue("id"), version, edits))
}

func (registrar) newSecret(w http.ResponseWriter, r *http.Request, admin registry.Admin) error {
	secret, err := admin.NewSecret(r.Context(), r.PathValue("id"))
	return answerSecret(w, r.PathValue("id"), secret, err)
}

func (registrar) endOldSecret(w http.ResponseWriter, r *http.Request, admin registry.Admin) error {
	return answer(w)(registry.View{ID: r.PathValue("id")}, admin.EndOldSecret(r.Context(), r.PathValue("id")))
}

func (registrar) remove(w http.ResponseWriter, r *http.Request, admin registry.Admin) error {
	return answer(w)(registry.View{ID: r.PathValue("id")}, admin.Unregister(r.Context(), r.PathValue("id")))
}

func answer(w http.ResponseWriter) func(registry.View, error) error {
	return func(v registry.View, err error) error {
		if err != nil {
			return err
		}
		return httpx.JSON(w, v)
	}
}

func answerSecret(w http.ResponseWriter, id string, secret client.Secret, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpx.JSON(w, map[string]string{"client_id": id, "client_secret": string(secret)})
}

func readBody(r *http.Request, into any) error {
	in := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 64<<10))
	in.DisallowUnknownFields()
	if err := in.Decode(into); err != nil {
		return &httpx.Error{Status: http.StatusBadRequest, Code: "invalid_request", Detail: "the body is not what gatehouse clients sends", Err: err}
	}
	return nil
}

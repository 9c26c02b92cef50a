package server

import (
	"context"
	"fmt"

	"github.com/gatehouse-auth/gatehouse/internal/dev/gateway"
	"github.com/gatehouse-auth/gatehouse/internal/dev/websocket"
)

// webSocket returns the team's WebSocket API, or nil.
func (a *assembly) webSocket(ours map[string]gateway.Function) (*websocket.API, error) {
	declared := a.team.WebSocket
	if declared == nil {
		return nil, nil
	}
	t := &gateway.Template{}
	if declared.Authorizer != nil {
		t.Authorizers = []gateway.Authorizer{*declared.Authorizer}
	}
	functions, err := a.functions(a.team, t, ours)
	if err != nil {
		return nil, err
	}
	c := websocket.Config{Stage: a.team.Stage, Routes: map[string]gateway.Function{}, Selection: declared.Selection, Observe: a.Observe, Now: a.Now}
	for key, name := range declared.Routes {
		if functions[name] == nil {
			return nil, fmt.Errorf("%s: route %s: no function is called %q", a.team.Path, key, name)
		}
		c.Routes[key] = functions[name]
	}
	for _, guard := range t.Authorizers {
		ask := functions[guard.Function]
		if ask == nil {
			return nil, fmt.Errorf("%s: authorizer %s: no function is called %q", a.team.Path, guard.Name, guard.Function)
		}
		if c.Judge, err = gateway.NewJudge(guard, ask, a.Now); err != nil {
			return nil, err
		}
	}
	if running := a.running; running != nil {
		c.Ready = func(ctx context.Context, key string) error { return running.Ready(ctx, declared.Routes[key]) }
	}
	a.sockets = websocket.New(c)
	return a.sockets, nil
}

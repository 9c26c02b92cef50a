package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/gatehouse-auth/gatehouse/keys/keyring"
)

// rotatorRing is the ring of a deployment. Its rotator does what is asked: the operator
// needs the permission to invoke it, and none for keys or the table.
type rotatorRing struct {
	client           *lambda.Client
	function, region string
}

func (r rotatorRing) target(_ context.Context, w *process) error {
	return w.target("function %s in %s", r.function, r.region)
}

func (r rotatorRing) obey(ctx context.Context, order keyring.Order) (keyring.Outcome, error) {
	var out keyring.Outcome
	payload, err := json.Marshal(order)
	if err != nil {
		return out, err
	}
	response, err := r.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &r.function, Payload: payload})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); ok {
		return out, fmt.Errorf("there is no function %s in %s: --name wants the name of the deployment, such as gatehouse-prod", r.function, r.region)
	}
	if err != nil {
		return out, fmt.Errorf("invoking %s: %w", r.function, err)
	}
	if response.FunctionError != nil {
		var failure struct {
			Message string `json:"errorMessage"`
		}
		_ = json.Unmarshal(response.Payload, &failure) // "" if it is no JSON
		return out, fmt.Errorf("%s failed: %s", r.function, printable(failure.Message))
	}
	if err := json.Unmarshal(response.Payload, &out); err != nil || out.View.Keys == nil {
		return out, fmt.Errorf("%s does not take commands: deploy this version of it first (%s)", r.function, aws.ToString(response.ExecutedVersion))
	}
	return out, nil
}

// devRing is the ring of a running gatehouse dev.
type devRing struct{ *service }

func (d devRing) target(ctx context.Context, w *process) error { return d.announce(ctx, w) }

func (d devRing) obey(ctx context.Context, order keyring.Order) (out keyring.Outcome, err error) {
	switch order.Command {
	case keyring.OrderExport:
		var document []byte
		err = d.get(ctx, "/.well-known/jwks.json", &document)
		out.Keys = document
		return out, err
	case keyring.OrderRotate:
		err = d.ask(ctx, http.MethodPost, "/demo/keys/rotate", nil, nil, nil)
	case keyring.OrderCompromise:
		err = d.ask(ctx, http.MethodPost, "/demo/keys/"+url.PathEscape(order.KeyID)+"/compromise", nil, nil, nil)
	}
	if refusal, ok := errors.AsType[*apiError](err); ok && refusal.Status == http.StatusConflict {
		out.Problem, err = refusal.Error(), nil
	}
	if err != nil {
		return out, err
	}
	return out, d.get(ctx, "/demo/keys", &out.View)
}

package api

import (
	_ "embed"
	"net/http"
)

// openAPI describes the API, in OpenAPI 3.1. A test holds the handlers to it.
//
//go:embed openapi.json
var openAPI []byte

const openAPIPath = "/openapi.json"

// getOpenAPI needs no identity: the document holds no personal data.
func getOpenAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/openapi+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, err := w.Write(openAPI)
	return err
}

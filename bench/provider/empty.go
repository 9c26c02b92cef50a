package main

import (
	"bytes"
	"net"
	"net/http"
)

// emptySize is about that of our discovery document, in bytes.
const emptySize = 1700

// serveEmpty is a server that does nothing but answer.
func serveEmpty(o options) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// It asks for no token; the number of tokens is that of connections.
	if err := ready(child{URL: "http://" + listener.Addr().String(), Tokens: make([]string, o.connections)}); err != nil {
		return err
	}
	body := bytes.Repeat([]byte("x"), emptySize)
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	}))
}

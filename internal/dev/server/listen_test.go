package server_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/dev/server"
	"github.com/gatehouse-auth/gatehouse/internal/loopback"
)

func TestEveryLoopbackAddressServes(t *testing.T) {
	t.Parallel()
	for own, demo := range map[string]string{"127.0.0.2:0": "127.1.2.3:0", "[::1]:0": "127.0.0.1:0", "LocalHost:0": "[::1]:0"} {
		t.Run(own, func(t *testing.T) {
			t.Parallel()
			s := running(t, server.Options{Addr: own, DemoAddr: demo})
			if got := ask(t, "GET", s.Issuer+"/demo/hello", tokens(t, s, "lin").AccessToken); got.status != 200 {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
}

func TestNoOtherAddressServes(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "[::ffff:127.0.0.1]:0"} {
		for _, o := range []server.Options{{Addr: address}, {DemoAddr: address}} {
			if _, err := server.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), loopback.Rule) {
				t.Errorf("%+v: %v", o, err)
			}
		}
	}
}

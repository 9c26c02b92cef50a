package usersvc_test

import (
	"os"
	"testing"

	"github.com/gatehouse-auth/gatehouse/usersvc/userstest"
)

// onEngines runs a test on each engine.
func onEngines(t *testing.T, test func(*testing.T, userstest.Engine)) {
	userstest.OnEngines(t, os.Getenv, test)
}

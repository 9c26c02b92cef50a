package connectiontest_test

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/connection"
	"github.com/gatehouse-auth/gatehouse/connection/connectiontest"
)

func TestMemory(t *testing.T) {
	connectiontest.Run(t, func(*testing.T) connection.Store { return &connectiontest.Memory{} })
}

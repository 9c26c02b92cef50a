package config_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/internal/config"
)

func TestLongNames(t *testing.T) {
	getenv := variables(map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"})
	for length, ok := range map[int]bool{100: true, 101: false} {
		long := strings.Repeat("x", length)
		for what, file := range map[string]string{
			"role":  "roles: [{name: " + long + "}]\n",
			"scope": "roles: [{name: user, scopes: ['" + long + "']}]\nclients: [{id: a, redirect_uris: ['https://a.test/cb'], scopes: ['" + long + "']}]\nscopes: ['" + long + "']\n",
		} {
			_, err := config.Parse("f.yml", []byte(file), getenv)
			if refused := err != nil && strings.Contains(err.Error(), long); refused == ok {
				t.Errorf("a %s of %d bytes: %v", what, length, err)
			}
		}
	}
}

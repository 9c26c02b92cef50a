package lambdazip

import (
	"context"
	"path/filepath"
)

// loginPrograms are the functions of the login stack.
var loginPrograms = []string{"authorizer", "loginsvc", "usersvc", "rotator"}

// Login writes the zips of the login stack into out, with the gatehouse.yml at
// config, for arch as Go names it. The stack has no routes of the team, so rules for
// routes that are named like Gatehouse's own are for another API.
func Login(ctx context.Context, source Source, config, out, arch string) ([]Artifact, error) {
	beside, err := filesOf(config, filepath.Dir(config), nil)
	if err != nil {
		return nil, err
	}
	var artifacts []Artifact
	for _, name := range loginPrograms {
		a, err := Program(ctx, source, name, out, arch, beside[name])
		if err != nil {
			return nil, err
		}
		artifacts = append(artifacts, a)
	}
	return artifacts, nil
}

package template

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/identity"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// checkMapped judges how an integration maps the caller to headers. With append: the
// value of a client stays in front. A server behind [identity.Middleware], for which
// the secret is mapped, believes every header of the identity: one that is not mapped
// would be the client's.
func (r *Resource) checkMapped() error {
	parameters, _ := r.Properties.At("RequestParameters").v.(map[string]any)
	mapped := make(map[string]string) // headers in lower case
	for target, value := range parameters {
		action, header, _ := strings.Cut(strings.ToLower(target), ":header.")
		if !strings.HasPrefix(header, "x-gatehouse-") {
			continue
		}
		if action != "overwrite" {
			return fault.New("integration-headers", "%s: a client's own value stays: write overwrite:", target)
		}
		text, _ := value.(string)
		mapped[header] = text
	}
	if _, proved := mapped[strings.ToLower(identity.SecretHeader)]; !proved {
		return nil
	}
	for _, member := range slices.Sorted(maps.Keys(identity.Identity{}.Map())) {
		header := http.CanonicalHeaderKey("X-Gatehouse-" + strings.ReplaceAll(member, "_", "-"))
		if mapped[strings.ToLower(header)] != "$context.authorizer."+member {
			return fault.New("integration-headers", "%s is a client's own, and identity.Middleware believes it: add overwrite:header.%s: $context.authorizer.%s", header, header, member)
		}
	}
	return nil
}

package archtest

import (
	"fmt"
	"slices"
	"strings"
)

const module = "github.com/gatehouse-auth/gatehouse"

// arrow says what a package must never reach, however indirectly.
//
// Names without a dot in their first element are ours, relative to the module,
// or the standard library's. "x/..." is x and what lies under it, "*test" is
// every package whose name ends so, and "lambda mains" is every command but
// cmd/gatehouse, and every example.
type arrow struct {
	from, to []string
	why      string
}

const (
	awsSDK     = "github.com/aws/aws-sdk-go-v2/..."
	lambdaMain = "lambda mains"
	anyTest    = "*test"
)

var arrows = []arrow{
	{of("authorizer/..."), of(awsSDK, "internal/table/...", "go.etcd.io/bbolt"),
		"it runs on every request: it verifies, and reads nothing else"},
	{of("authorizer/..."), of("loginsvc/...", "usersvc/..."),
		"it knows tokens and rules, not how either came to be"},
	{of("authorizer/..."), of("html/template", "text/template"),
		"it answers gateways, not people, and templates cost a start-up"},
	{of("authorizer/..."), of("go.yaml.in/yaml/...", "internal/config"),
		"the build compiles its rules; a Lambda parses no YAML"},

	{of("keys", "internal/token"), of("github.com/aws/...", "net/http"),
		"they are pure: the same in KMS, in memory and in a test"},

	{of("usersvc/..."), of("github.com/golang-jwt/...", "github.com/MicahParks/...", "github.com/coreos/...", "github.com/go-jose/..."),
		"a protected function never touches a token"},
	{of("usersvc/..."), of("keys/...", "internal/token"),
		"a protected function never touches a token"},

	{of("usersvc", "usersvc/email"), of("net/http", "internal/httpx", "identity", "usersvc/api"),
		"the rules about users know no HTTP: usersvc/api imports them, never the reverse"},
	{of("loginsvc/..."), of("usersvc/api"),
		"the login service calls the rules, not the JSON API"},

	{of("loginsvc/..."), of(awsSDK, "github.com/aws/aws-lambda-go/lambda"),
		"its handlers are plain http.Handlers: a laptop, a container and a Lambda run the same"},
	{of("loginsvc/grant"), of("net/http", "loginsvc", "loginsvc/pages", "loginsvc/upstream"),
		"it holds rows and states of grants; endpoints are its callers"},
	{of("loginsvc/..."), of("authorizer/..."),
		"the part that issues tokens does not decide about them"},

	{of("internal/table"), of("github.com/aws/...", "go.etcd.io/..."),
		"the laws of the store name no engine"},
	{of("internal/httpx"), of("github.com/..."), "every handler imports it"},
	{of("connection/..."), of("internal/table/...", "internal/schema"),
		"a team's function keeps connections in a table of its own, and builds none of ours in"},

	{of("identity/...", "authorizer/...", "keys/...", "loginsvc/...", "usersvc/...", "connection/...", "internal/lambda/...", "internal/setup/...", "internal/token", "internal/table/...", "cmd/authorizer", "cmd/loginsvc", "cmd/usersvc", "cmd/rotator", "examples/..."),
		of("internal/dev/...", "internal/deploy/...", "internal/testrig/...", "cmd/gatehouse"),
		"a deployed program contains nothing of the laptop, of the deployment tools or of the tests"},
	{of("internal/dev/...", "internal/deploy/..."), of("internal/testrig/..."),
		"only tests reach the rig"},
	{of(lambdaMain), of("internal/table/bolttable", "keys/localkey"),
		"fakes cannot ship"},
	{of(lambdaMain), of(anyTest, "testing", "net/http/httptest", "github.com/rogpeppe/...", "pgregory.net/..."),
		"a fake can't ship"},
	{of("cmd/usersvc"), of("loginsvc", "loginsvc/pages", "github.com/golang-jwt/..."),
		"the user API starts without the login service"},
	{of(lambdaMain), of("github.com/alecthomas/kong"), "a Lambda has no command line"},
}

// light are the packages that others build upon, and all that they may reach
// outside of the standard library.
var light = []arrow{
	{of("identity"), of("identity", "github.com/aws/aws-lambda-go/events"),
		"every protected function imports it: it stays light"},
	{of("connection"), of("connection", "identity", "github.com/aws/aws-lambda-go/events"),
		"a function that guards its WebSockets imports it: it stays as light"},
	{of("authorizer/policy"), of("authorizer/policy", "identity", "github.com/aws/aws-lambda-go/events"),
		"rules are decided without I/O"},
	{of("loginsvc/client"), of("loginsvc/client", "internal/loopback", "internal/plaintext", "internal/strictjson"),
		"what a client is, is decided without I/O"},
	{of("internal/metric"), of("internal/metric"),
		"whatever counts imports it, the authorizer too: it counts inside of log lines, and calls nobody"},
}

func of(names ...string) []string { return names }

// pkg is a package as `go list` tells it.
type pkg struct {
	ImportPath string
	Name       string
	Standard   bool
	Deps       []string // all it reaches
}

// broken lists the arrows that packages break, and those that guard nothing
// because no package has the name.
func broken(packages map[string]pkg, arrows, light []arrow) []string {
	var found []string
	for _, a := range arrows {
		for _, p := range a.guarded(packages) {
			for _, dep := range p.Deps {
				if matches(packages[dep], a.to) && !testsUseRig(p, packages[dep]) {
					found = append(found, fmt.Sprintf("%s reaches %s: %s", p.ImportPath, dep, a.why))
				}
			}
		}
		found = append(found, a.idle(packages)...)
	}
	for _, a := range light {
		for _, p := range a.guarded(packages) {
			for _, dep := range p.Deps {
				if !packages[dep].Standard && !matches(packages[dep], a.to) {
					found = append(found, fmt.Sprintf("%s reaches %s: %s", p.ImportPath, dep, a.why))
				}
			}
		}
		found = append(found, a.idle(packages)...)
	}
	slices.Sort(found)
	return found
}

// testsUseRig tells whether a package that only tests import, such as
// usersvc/userstest, reaches the test rig, which every test may.
func testsUseRig(p, dep pkg) bool {
	return matches(p, of(anyTest)) && matches(dep, of("internal/testrig/..."))
}

func (a arrow) guarded(packages map[string]pkg) []pkg {
	var guarded []pkg
	for _, p := range packages {
		if matches(p, a.from) {
			guarded = append(guarded, p)
		}
	}
	return guarded
}

// idle tells of names that match no package: the arrow would guard nothing.
func (a arrow) idle(packages map[string]pkg) []string {
	var idle []string
	for _, name := range a.from {
		if len(arrow{from: of(name)}.guarded(packages)) == 0 {
			idle = append(idle, fmt.Sprintf("no package is %q: the arrow guards nothing", name))
		}
	}
	return idle
}

func matches(p pkg, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return match(p, name) })
}

func match(p pkg, name string) bool {
	ours, isOurs := strings.CutPrefix(p.ImportPath, module+"/")
	switch name {
	case anyTest:
		return isOurs && strings.HasSuffix(ours, "test")
	case lambdaMain:
		return isOurs && p.Name == "main" && (strings.HasPrefix(ours, "cmd/") || strings.HasPrefix(ours, "examples/")) && ours != "cmd/gatehouse"
	}
	full := p.ImportPath
	if isOurs {
		full = ours
	} else if !p.Standard && !strings.Contains(strings.Split(name, "/")[0], ".") {
		return false
	}
	if root, under := strings.CutSuffix(name, "/..."); under {
		return full == root || strings.HasPrefix(full, root+"/")
	}
	return full == name
}

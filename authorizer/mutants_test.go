package authorizer_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var runMutants = flag.Bool("mutants", false, "plant mistakes in the verifier and see the tests find each; takes minutes")

// mutants are mistakes that verifiers have been found to have: a text of the
// source, and what stands there in the mutant.
var mutants = []struct{ name, file, from, to string }{
	{"skip aud", "internal/token/claims.go", `!slices.Contains(r.audience, want.Audience)`, `false && !slices.Contains(r.audience, want.Audience)`},
	{"aud by prefix", "internal/token/claims.go", `!slices.Contains(r.audience, want.Audience)`, `!slices.ContainsFunc(r.audience, func(a string) bool { return strings.HasPrefix(a, want.Audience) })`},
	{"skip iss", "internal/token/claims.go", `r.issuer != want.Issuer`, `false`},
	{"skip exp", "internal/token/claims.go", `!now.Before(end)`, `false`},
	{"skip nbf and iat", "internal/token/claims.go", `now.Before(begin)`, `false`},
	{"exp may be missing", "internal/token/claims.go", `claim{"exp", !r.expiresAt.IsZero()}`, `claim{"exp", true}`},
	{"skip typ", "internal/token/header.go", `!slices.Contains(types, typ)`, `false && !slices.Contains(types, typ)`},
	{"typ in any case", "internal/token/header.go", `!slices.Contains(types, typ)`, `!slices.Contains(types, typ) && !(len(typ) == 6 && (typ[0]|0x20) == 'a')`},
	{"skip alg", "internal/token/header.go", `alg != "RS256"`, `false && alg != ""`},
	{"skip kid", "internal/token/header.go", `keyID == ""`, `false`},
	{"skip crit", "internal/token/header.go", `refuse(ReasonCritical)`, `nil`},
	{"skip cty", "internal/token/header.go", `refuse(ReasonContentType)`, `nil`},
	{"skip cnf", "internal/token/claims.go", `r.bound, ok = true, true`, `ok = true`},
	{"skip jwk, jku and the like", "internal/token/header.go", `refuse(ReasonHeader)`, `nil`},
	{"skip the signature", "internal/token/verify.go", `err != nil {
		return nil, refuse(ReasonSignature)`, `false && err != nil {
		return nil, refuse(ReasonSignature)`},
	{"any spelling of base64", "internal/token/raw.go", `base64.RawURLEncoding.Strict()`, `base64.RawURLEncoding`},
	{"line breaks in base64", "internal/token/raw.go", `strings.ContainsAny(segment, "\r\n")`, `false`},
	{"the last of two members wins", "internal/token/object.go", `slices.Contains(seen, name)`, `false && slices.Contains(seen, name)`},
	{"any size", "internal/token/raw.go", `len(rawToken) > MaxSize`, `false`},
	{"skip use", "authorizer/keyset.go", `, UseWhitelist: []jwkset.USE{jwkset.UseSig, ""}`, ``},
	{"skip a key's alg", "authorizer/keyset.go", `"alg": jwt.SigningMethodRS256.Alg(),`, `"alg": string(jwk.Marshal().ALG),`},
	{"keys of any length", "authorizer/keyset.go", `keys.CheckPublic(pub) != nil`, `false && keys.CheckPublic(pub) != nil`},
	{"the last of two keys wins", "authorizer/keyset.go", `pub = nil // of two keys`, `// of two keys`},
	{"a key that is listed twice is lost", "authorizer/keyset.go", `twice && (other == nil || !pub.Equal(other))`, `twice && other == other`},
	{"an empty set replaces a good one", "authorizer/keyset.go", `len(usable) == 0`, `false`},
	{"refresh only adds keys", "authorizer/keysource.go", `if pub := usable[keyID]; pub != nil && pub.Equal(before) {`, `{`},
	{"old keys are used unasked", "authorizer/refresh.go", `within(now.Sub(r.loadedAt), limit)`, `within(0*now.Sub(r.loadedAt), limit)`},
	{"no pause between fetches", "authorizer/refresh.go", `within(now.Sub(r.triedAt), r.pause)`, `false`},
	{"redirects are followed", "authorizer/fetch.go", `return http.ErrUseLastResponse`, `return nil`},
	{"the first of two headers wins", "authorizer/credentials.go", `	default:
		return noCredentials(ReasonTokenDoubled)
	}
	// "credentials`, `	}
	// "credentials`},
	{"two tokens in a header", "authorizer/credentials.go", `strings.Contains(rawToken, " "), strings.Contains(rawToken, ",")`, `false`},
	{"any scheme", "authorizer/credentials.go", `!strings.EqualFold(scheme, "Bearer")`, `scheme == ""`},
	{"any origin", "authorizer/credentials.go", `slices.Contains(a.c.Origins, r.origins[0])`, `true`},
	{"policy = methodArn", "authorizer/handle.go", `stage.answer(v.caller, allowed)`, `stage.answer(v.caller, policy.Patterns{Allow: append(allowed.Allow, called)})`},
	{"policy for everything", "authorizer/handle.go", `stage.answer(v.caller, allowed)`, `stage.answer(v.caller, policy.Patterns{Allow: append(allowed.Allow, "*")})`},
	{"fresh routes are kept", "authorizer/policy/iam.go", `(fresh || !c.Fresh)`, `true`},
	{"prefix match of routes", "authorizer/policy/route.go", `return len(r.path) == len(other.path)`, `return true`},
	{"ANY beats a method", "authorizer/policy/route.go", `if r.method == anyMethod && other.method != anyMethod {
		return 1`, `if r.method == anyMethod && other.method != anyMethod {
		return -1`},
	{"all of is any of", "authorizer/policy/decide.go", `!satisfied(r.Roles, r.AllRoles, who.HasRole)`, `!satisfied(append(r.Roles, r.AllRoles...), nil, who.HasRole)`},
	{"scopes are roles", "authorizer/policy/decide.go", `who.HasScope)`, `func(s string) bool { return who.HasScope(s) || who.HasRole(s) })`},
	{"a machine is a user", "authorizer/policy/decide.go", `r.firstPartyOnly() && who.Roles == nil`, `false && who.Roles == nil`},
	{"a user without roles is a machine", "authorizer/policy/decide.go", `r.firstPartyOnly() && who.Roles == nil`, `r.firstPartyOnly() && len(who.Roles) == 0`},
	{"a sign-in of any age", "authorizer/policy/decide.go", `now.Sub(who.AuthTime) > time.Duration(r.MaxAuthAge)`, `false`},
	{"a token without a sign-in", "authorizer/policy/decide.go", `who.AuthTime.IsZero() ||`, `!who.AuthTime.IsZero() &&`},
	{"any spelling of a path", "authorizer/handle.go", `!policy.Canonical(called)`, `false`},
	{"a star takes dots", "authorizer/policy/iam.go", `"*..*", `, ``},
	{"a star takes escaped slashes", "authorizer/policy/iam.go", `"*%2f*", `, ``},
	{"a star takes nothing", "authorizer/policy/iam.go", `"*", oneSegment), oneSegment, "?*")`, `"*", oneSegment), oneSegment, "*")`},
	{"a star takes deeper routes", "authorizer/policy/iam.go", `found.Deny = append(found.Deny, c.deny...)`, ``},
	{"a star takes routes of other rules", "authorizer/policy/iam.go", `!allowed[i] || slices.ContainsFunc(c.reaches, func(j int) bool { return !allowed[j] })`, `!allowed[i]`},
	{"stars are not compared with other rules", "authorizer/policy/iam.go", `if i != j && p.reaches(c, &p.rules[j]) {`, `if false {`},
	{"the answer allows what the decision refuses", "authorizer/handle.go", `return policy.Patterns{}, refused`, `return allowed, refused`},
	{"a profile's claims may differ", "internal/token/foreign.go", `c.text(name) != want {`, `want == "" {`},
	{"a profile's claims may be missing", "internal/token/foreign.go", `	for _, name := range p.present {
		if c.text(name) == "" {`, `	for _, name := range p.present {
		if false {`},
	{"ID tokens of others are taken", "internal/token/foreign.go", `		if c.has(name) {
			return refuseClaim(ReasonKind, name)`, `		if false {
			return refuseClaim(ReasonKind, name)`},
	{"a prefix may differ", "internal/token/foreign.go", `!strings.HasPrefix(c.text(name), want) || c.text(name) == want`, `want == ""`},
	{"another tenant", "internal/token/foreign.go", `group[1] != c.text(p.tenant)`, `false`},
	{"any foreign issuer", "internal/token/foreign.go", `issuer != f.Issuer`, `false`},
	{"any foreign audience", "internal/token/foreign.go", `a != "" && slices.Contains(f.Audiences, a)`, `true`},
	{"an app without a grant", "internal/token/foreign.go", `len(p.grants) > 0 &&`, `false &&`},
	{"foreign tokens of any age", "internal/token/foreign.go", `over >= 0`, `false`},
	{"a foreign machine is a user", "internal/token/foreign.go", `	if machine {
		return nil`, `	if false {
		return nil`},
	{"foreign roles are ours", "internal/token/foreign.go", `role := f.RoleNames[name]; role != ""`, `role := name; role != ""`},
	{"our keys for foreign tokens", "authorizer/verify.go", `	if v.issuer != nil {
		return v.issuer.keys
	}
`, ``},
	{"the cache ignores the age of foreign tokens", "authorizer/verify.go", `v.issuer.CheckAge(v.access, now) != nil`, `false`},
	{"fresh routes take foreign tokens", "authorizer/authorizer.go", `fresh && caller.issuer != nil`, `false`},
	{"the cache ignores the token", "authorizer/cache.go", `c.young[rawToken]; v != nil`, `c.young[""]; v != nil`},
	{"the cache ignores exp", "authorizer/verify.go", `v.access.CheckTime(a.c.Now(), a.c.Leeway) != nil`, `false`},
	{"the cache ignores keys", "authorizer/verify.go", `return err == nil && key != nil && (key == v.key || key.Equal(v.key))`, `return err == nil || key == nil`},
	{"revocations are not asked for", "authorizer/authorizer.go", `a.c.Revocations != nil {`, `false {`},
	{"fresh routes take the last list", "authorizer/feed.go", `if fresh {`, `if false {`},
	{"a list of any age", "authorizer/feed.go", `!f.youngerThan(f.maxStale)`, `false`},
	{"no issuer needed", "authorizer/authorizer.go", `require(c.Issuer != ""`, `require(true`},
}

// together are changes that make a mutant whole.
var together = map[string][][2]string{
	"the cache ignores the token": {{`c.young[v.rawToken] = v`, `c.young[""] = v`}},
	"no issuer needed":            {{`require(c.Audience != ""`, `require(true`}},
}

// TestMutants plants each mistake and runs the tests of the packages that verify:
// they must fail. Run it with -mutants.
func TestMutants(t *testing.T) {
	if !*runMutants {
		t.Skip("not asked for: go test ./authorizer -run TestMutants -mutants -timeout 30m")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := testVerifier(t, root, "authorizer"); err != nil {
		t.Fatalf("the tests fail without any mutant:\n%s", out)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			path := filepath.Join(root, m.file)
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text := string(source)
			for _, change := range append([][2]string{{m.from, m.to}}, together[m.name]...) {
				if strings.Count(text, change[0]) != 1 {
					t.Fatalf("%s has %d times %q, want once", m.file, strings.Count(text, change[0]), change[0])
				}
				text = strings.Replace(text, change[0], change[1], 1)
			}
			folder := t.TempDir()
			mutant, overlay := filepath.Join(folder, "mutant.go"), filepath.Join(folder, "overlay.json")
			if err := os.WriteFile(mutant, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			replace, _ := json.Marshal(map[string]map[string]string{"Replace": {path: mutant}})
			if err := os.WriteFile(overlay, replace, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := testVerifier(t, root, filepath.Dir(m.file), "-overlay", overlay)
			switch {
			case err == nil:
				t.Errorf("the mutant lives")
			case strings.Contains(string(out), "[build failed]"):
				t.Errorf("the mutant does not compile:\n%s", out)
			default:
				for line := range strings.Lines(string(out)) {
					if strings.Contains(line, "--- FAIL") || strings.HasPrefix(line, "panic:") {
						t.Logf("killed by %s", strings.TrimSpace(line))
						break
					}
				}
			}
		})
	}
}

// testVerifier runs the tests of the packages that verify, those of first before
// the others, until those of one package fail.
func testVerifier(t *testing.T, root, first string, flags ...string) (out []byte, err error) {
	for _, p := range []string{first, "internal/token", "authorizer", "authorizer/policy"} {
		args := append([]string{"test", "-vet=off", "-failfast"}, flags...)
		cmd := exec.CommandContext(t.Context(), "go", append(args, "./"+p)...)
		cmd.Dir = root
		if out, err = cmd.CombinedOutput(); err != nil {
			return out, err
		}
	}
	return out, nil
}

package env_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/internal/env"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// environment is what the tests have in the environment.
var environment = map[string]string{"HOST": "outer.example", "SET": "from outside", "EMPTY_OUTSIDE": ""}

var files = map[string]struct {
	text string
	want map[string]string
}{
	"plain":            {"# Google\nGOOGLE_CLIENT_ID=123-abc.apps\r\nexport A = b # why\n\nEMPTY=\nB:  c\n", map[string]string{"GOOGLE_CLIENT_ID": "123-abc.apps", "A": "b", "EMPTY": "", "B": "c"}},
	"byte order mark":  {"\uFEFFGATEHOUSE_ISSUER=https://auth.example.com\n", map[string]string{"GATEHOUSE_ISSUER": "https://auth.example.com"}},
	"quotes":           {"D=\"a # b\" # c\nS='x \"y\"'\nB=`it's`\nN=\"two\\nlines\"\nM=\"three\nmore\"\nI=a\"b\"\n", map[string]string{"D": "a # b", "S": `x "y"`, "B": "it's", "N": "two\nlines", "M": "three\nmore", "I": `a"b"`}},
	"a # ends a value": {"URL=https://x.example/#f\nQ='https://x.example/#f'\n", map[string]string{"URL": "https://x.example/", "Q": "https://x.example/#f"}},
	"references":       {"HOST=inner.example\nX=auth.example.com\nURL=https://${X}/a\nU2=$X/b\nQ='https://${X}'\nNONE=[${NO_SUCH}]\nOUT=https://${HOST}\n", map[string]string{"HOST": "outer.example", "X": "auth.example.com", "URL": "https://auth.example.com/a", "U2": "auth.example.com/b", "Q": "https://auth.example.com", "NONE": "[]", "OUT": "https://outer.example"}},
	"defaults":         {"A=${NO:-x}\nB=${NO-y}\nC=${SET:+z}\nD=${NO:+z}\nE=${NO:-${SET}}\n", map[string]string{"A": "x", "B": "y", "C": "z", "D": "", "E": "from outside"}},
	"escaped":          {"A=\\$SET\nB=1\\${SET}2\n", map[string]string{"A": "$SET", "B": "1${SET}2"}},
	"forward":          {"A=${B}\nB=${C}\nC=end\n", map[string]string{"A": "end", "B": "end", "C": "end"}},
	"to itself":        {"A=${B}\nB=${A}\nC=${C}x\n", map[string]string{"A": "", "B": "", "C": "x"}},
	"twice":            {"A=1\nA=2\n", map[string]string{"A": "2"}},
	"set outside":      {"SET=inside\nEMPTY_OUTSIDE=inside\n", map[string]string{"SET": "from outside", "EMPTY_OUTSIDE": "inside"}},
	"dots and dashes":  {"a.b-c=1\n", map[string]string{"a.b-c": "1"}},
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	for name, f := range files {
		got, err := env.ReadFile(write(t, f.text), func(name string) string { return environment[name] })
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for name, value := range environment { // the callers put it first
			if _, ok := got[name]; ok && value != "" {
				got[name] = value
			}
		}
		if diff := cmp.Diff(f.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// osls reads the same files to the same values.
func TestReadFileAsOsls(t *testing.T) {
	t.Parallel()
	const modules = "../../node_modules"
	if _, err := os.Stat(modules + "/dotenv-expand"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("npm ci installs the library that osls reads .env with")
	}
	const program = `
const [dotenv, expand, path, env] = [require(process.argv[1] + '/dotenv'), require(process.argv[1] + '/dotenv-expand'), process.argv[2], JSON.parse(process.argv[3])];
const config = dotenv.config({ path, quiet: true, processEnv: env });
console.log(JSON.stringify(expand.expand({ ...config, processEnv: env }).parsed));`
	outside, err := json.Marshal(map[string]string{"HOST": environment["HOST"], "SET": environment["SET"]})
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(modules)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range files {
		out, err := exec.CommandContext(t.Context(), "node", "-e", program, root, write(t, f.text), string(outside)).Output()
		got := map[string]string{}
		if err == nil {
			err = json.Unmarshal(out, &got)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(f.want, got); diff != "" {
			t.Errorf("%s: osls reads %s", name, diff)
		}
	}
}

func TestReadFileMistakes(t *testing.T) {
	t.Parallel()
	path := write(t, "hunter2\nA=\"open\nB=1\n2 x\n")
	_, err := env.ReadFile(path, nil)
	want := ":2: A: the quotes do not end with the value\n:1: want NAME=value\n:4: want NAME=value"
	if err == nil || !sameLines(strings.ReplaceAll(err.Error(), path, ""), want) {
		t.Errorf("%v", err)
	}
	if err != nil && strings.Contains(err.Error(), "hunter2") {
		t.Error("the error shows what may be a secret")
	}
	if _, err := env.ReadFile(write(t, "A=p$B\nB=$C\nC=m$B\n"), nil); err == nil || !strings.Contains(err.Error(), "refers to itself") {
		t.Errorf("a value without end: %v", err)
	}
}

func sameLines(a, b string) bool {
	lines := func(s string) map[string]bool {
		m := map[string]bool{}
		for line := range strings.SplitSeq(s, "\n") {
			m[line] = true
		}
		return m
	}
	return cmp.Equal(lines(a), lines(b))
}

func TestOfStage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	of := func(stage string) string {
		t.Helper()
		path, err := env.OfStage(dir, stage)
		if err != nil {
			t.Error(err)
		}
		return strings.TrimPrefix(path, dir+string(filepath.Separator))
	}
	if got := of("prod"); got != "" {
		t.Errorf("without a file: %s", got)
	}
	for _, name := range []string{".env", ".env.prod"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if prod, dev := of("prod"), of("dev"); prod != ".env.prod" || dev != ".env" {
		t.Errorf("%s %s", prod, dev)
	}
	for _, stage := range []string{"", "../x", "a b", "ü", "a.b"} {
		if path, err := env.OfStage(dir, stage); err == nil {
			t.Errorf("%q: %s", stage, path)
		}
	}
}

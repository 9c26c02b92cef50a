package functions_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/dev/functions"
	"github.com/gatehouse-auth/gatehouse/internal/dev/project"
)

// program is a Lambda function without any module: it answers with its text, or
// does as the event says.
const program = `package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(base + "next")
		if err != nil {
			return
		}
		event, _ := io.ReadAll(next.Body)
		switch {
		case strings.Contains(string(event), "crash"):
			println("going down")
			os.Exit(3)
		case strings.Contains(string(event), "sleep"):
			time.Sleep(time.Minute)
		}
		answer := "TEXT " + os.Getenv("OWN") + " " + os.Getenv("ALL")
		http.Post(base+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "", bytes.NewReader([]byte(answer)))
	}
}
`

// log keeps what people read.
type log struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// run starts functions whose code is in dir.
func run(t *testing.T, dir string, list ...project.Function) (*functions.Set, []string, *log) {
	t.Helper()
	l := &log{}
	for i := range list {
		if list[i].Timeout == 0 {
			list[i].Timeout = 5 * time.Second
		}
	}
	s, notes, err := functions.New(functions.Config{Dir: dir, Functions: list, Env: map[string]string{"ALL": "all"}, Cache: t.TempDir(), Log: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, notes, l
}

func invoke(t *testing.T, s *functions.Set, name, event string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := s.Invoke(name)(ctx, []byte(event))
	return string(out), err
}

func TestGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module example.com/shop\n\ngo 1.26\n", "functions/orders/main.go": strings.Replace(program, "TEXT", "first", 1)}
	write(t, dir, files)
	s, notes, log := run(t, dir, project.Function{Name: "orders", Runtime: "provided.al2023", Handler: "bootstrap", Env: map[string]string{"OWN": "own"}})
	if len(notes) != 0 {
		t.Fatal(notes)
	}
	if got, err := invoke(t, s, "orders", `{}`); got != "first own all" || err != nil {
		t.Fatalf("%q, %v; log: %s", got, err, log)
	}
	t.Run("a saved file is in the next answer", func(t *testing.T) {
		write(t, dir, map[string]string{"functions/orders/main.go": strings.Replace(program, "TEXT", "second", 1)})
		if got, err := invoke(t, s, "orders", `{}`); got != "second own all" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("so is a new file that another needs", func(t *testing.T) {
		main := strings.Replace(program, `"TEXT `, `text + "`, 1)
		write(t, dir, map[string]string{"functions/orders/main.go": main, "functions/orders/text.go": "package main\n\nconst text = \"third\"\n"})
		if got, err := invoke(t, s, "orders", `{}`); got != "thirdown all" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("a mistake is an error and a line, and the next save mends it", func(t *testing.T) {
		write(t, dir, map[string]string{"functions/orders/text.go": "package main\n\nconst text = oops\n"})
		if _, err := invoke(t, s, "orders", `{}`); err == nil || !strings.Contains(err.Error(), "orders does not build") {
			t.Errorf("%v", err)
		}
		if !strings.Contains(log.String(), "orders | ./text.go:3:14: undefined: oops") {
			t.Errorf("log: %s", log)
		}
		write(t, dir, map[string]string{"functions/orders/text.go": "package main\n\nconst text = \"fourth\"\n"})
		if got, err := invoke(t, s, "orders", `{}`); got != "fourthown all" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("a function that crashes is an error and a line", func(t *testing.T) {
		if _, err := invoke(t, s, "orders", `"crash"`); err == nil || !strings.Contains(err.Error(), "exit status 3") {
			t.Errorf("%v", err)
		}
		if !strings.Contains(log.String(), "orders | going down\n") || !strings.Contains(log.String(), "orders | failed: ") {
			t.Errorf("log: %s", log)
		}
		if _, err := invoke(t, s, "orders", `{}`); err != nil {
			t.Errorf("the next event: %v", err)
		}
	})
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module example.com/shop\n\ngo 1.26\n", "main.go": program})
	s, _, log := run(t, dir, project.Function{Name: "any", Runtime: "provided.al2023", Handler: "bootstrap", Timeout: time.Second})
	if _, err := invoke(t, s, "any", `"sleep"`); err == nil || !strings.Contains(err.Error(), "timed out after 1s") {
		t.Errorf("%v", err)
	}
	if !strings.Contains(log.String(), "any | failed: Sandbox.Timedout") {
		t.Errorf("log: %s", log)
	}
}

func TestNode(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no node")
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"src/index.mjs":  "export const handler = async (event, context) => ({ text: 'first', own: process.env.OWN, name: context.functionName, event });",
		"src/old.js":     "exports.handler = (event, context, callback) => callback(null, 'called back');",
		"src/broken.mjs": "export const handler = () => { throw new TypeError('no orders'); };",
	})
	s, notes, log := run(t, dir,
		project.Function{Name: "new", Runtime: "nodejs22.x", Handler: "src/index.handler", Env: map[string]string{"OWN": "own"}},
		project.Function{Name: "old", Runtime: "nodejs20.x", Handler: "src/old.handler"},
		project.Function{Name: "broken", Runtime: "nodejs20.x", Handler: "src/broken.handler"},
		project.Function{Name: "absent", Runtime: "nodejs20.x", Handler: "src/none.handler"},
		project.Function{Name: "unexported", Runtime: "nodejs20.x", Handler: "src/index.other"})
	if len(notes) != 1 || !strings.Contains(notes[0], "function absent: there is no ") {
		t.Errorf("%q", notes)
	}
	for name, want := range map[string]string{"new": `{"text":"first","own":"own","name":"new","event":{"a":1}}`, "old": `"called back"`} {
		if got, err := invoke(t, s, name, `{"a":1}`); got != want || err != nil {
			t.Errorf("%s: %s, %v; log: %s", name, got, err, log)
		}
	}
	for name, want := range map[string]string{"broken": "TypeError: no orders", "unexported": "exports no function other"} {
		if _, err := invoke(t, s, name, `{}`); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	write(t, dir, map[string]string{"src/index.mjs": "export const handler = async () => 'second';"})
	if got, err := invoke(t, s, "new", `{}`); got != `"second"` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestFindsCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const main = "package main\n\nfunc main() {}\n"
	write(t, dir, map[string]string{
		"go.mod": "module example.com/shop\n\ngo 1.26\n", "cmd/orders/main.go": main, "lambda/orders/main.go": main, "cmd/stock/main.go": main,
		"deploy/template.yml": "", "library/library.go": "package library\n", "node_modules/alone/main.go": main,
	})
	f := func(name, artifact, source, handler, runtime string) project.Function {
		return project.Function{Name: name, Artifact: artifact, Source: source, Handler: handler, Runtime: runtime, Timeout: time.Second}
	}
	_, notes, _ := run(t, filepath.Join(dir, "deploy"),
		f("Stock", "", "", "bootstrap", "provided.al2023"), f("StockFunction", "", "", "bootstrap", "provided.al2023"), f("other", "stock", "", "bootstrap", "provided.al2023"),
		f("named", "", "../cmd/orders/", "bootstrap", "provided.al2023"), f("handled", "", "", "../lambda/orders/main.go", "go1.x"),
		f("orders", "", "", "bootstrap", "provided.al2023"), f("alone", "", "", "bootstrap", "provided.al2023"),
		f("library", "", "", "bootstrap", "provided.al2023"), f("snake", "", "", "app.handler", "python3.13"))
	var got []string
	for _, note := range notes {
		got = append(got, strings.SplitN(note, ":", 2)[0])
	}
	if strings.Join(got, ", ") != "function orders, function alone, function library, function snake" {
		t.Errorf("%q", notes)
	}
	_, _, err := functions.New(functions.Config{Dir: dir, Folders: map[string]string{"nobody": "cmd/orders"}, Cache: t.TempDir(), Log: &log{}})
	if err == nil || !strings.Contains(err.Error(), "--function nobody: the template has no function of this name") {
		t.Errorf("%v", err)
	}
}

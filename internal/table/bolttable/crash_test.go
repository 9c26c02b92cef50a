//go:build unix

package bolttable_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/table"
	"github.com/gatehouse-auth/gatehouse/internal/table/bolttable"
)

// The tests of this file start this very program again as another process that
// opens a table, tells on its standard output what was acknowledged, and dies.

const (
	childEnv  = "GATEHOUSE_BOLTTABLE_CHILD" // what the other process does; "" in the tests themselves
	cyclesEnv = "GATEHOUSE_KILL_CYCLES"     // how often to kill it; "" is 30
	writers   = 4                           // goroutines that write in the other process
	rows      = 8                           // rows that each of them writes in turn
)

func TestMain(m *testing.M) {
	var child func(path string) error
	switch os.Getenv(childEnv) {
	case "count":
		child = countForever
	case "fill":
		child = fillUp
	default:
		os.Exit(m.Run())
	}
	if err := child(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func start(t *testing.T, child, path string) (*exec.Cmd, io.ReadCloser, *strings.Builder) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), childEnv+"="+child)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, stdout, &stderr
}

// countForever has each writer count on: two counters and a row in an index, in
// one transaction. It prints "writer count" after each acknowledgement.
func countForever(path string) error {
	tab, err := bolttable.Open(path, bolttable.Options{})
	if err != nil {
		return err
	}
	fmt.Println("open")
	failures := make(chan error)
	for w := range writers {
		go func() { failures <- count(tab, fmt.Sprint(w)) }()
	}
	return <-failures
}

func count(tab table.Table, writer string) error {
	ctx := context.Background()
	a, b := table.Key{PK: writer, SK: "a"}, table.Key{PK: writer, SK: "b"}
	n := int64(0)
	if i, err := tab.Get(ctx, a); err == nil {
		n = i["n"].(int64)
	} else if !errors.Is(err, table.ErrNotFound) {
		return err
	}
	for {
		n++
		r := row("row"+writer, fmt.Sprint(n%rows), n)
		r[table.GSI1PK], r[table.GSI1SK] = "index"+writer, fmt.Sprintf("%09d", n)
		err := tab.Write(ctx, table.Update(a, nil).Adding("n", 1), table.Put(r), table.Update(b, nil).Adding("n", 1))
		if err != nil {
			return err
		}
		fmt.Println(writer, n)
	}
}

func TestKill(t *testing.T) {
	t.Run("fault 25 kill -9 loses no acknowledged write and halves none", func(t *testing.T) {
		cycles := 30
		if s := os.Getenv(cyclesEnv); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil {
				t.Fatalf("%s: %v", cyclesEnv, err)
			}
			cycles = n
		}
		path := filepath.Join(t.TempDir(), "table.db")
		acknowledged := make([]int64, writers)
		began := time.Now()
		for range cycles {
			countAndDie(t, path, acknowledged)
			checkCounts(t, path, acknowledged)
			if t.Failed() {
				return
			}
		}
		t.Logf("%d cycles in %v, counted to %d", cycles, time.Since(began).Round(time.Millisecond), acknowledged)
	})
	t.Run("fault 25 a second process is told what to do", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "table.db")
		_, stdout, _ := start(t, "count", path)
		if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, stdout)
		began := time.Now()
		_, err := bolttable.Open(path, bolttable.Options{})
		if want := path + " is in use by another process: stop the other gatehouse, or use another data folder"; err == nil || err.Error() != want || !errors.Is(err, bolttable.ErrInUse) {
			t.Errorf("error %v, want %s", err, want)
		}
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("it took %v to say so", d)
		}
	})
}

// countAndDie starts the other process and kills it in the middle of things.
// It raises acknowledged to what that process was told is written.
func countAndDie(t *testing.T, path string, acknowledged []int64) {
	t.Helper()
	cmd, stdout, stderr := start(t, "count", path)
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || lines.Text() != "open" {
		cmd.Wait()
		t.Fatalf("the other process says %q and %q", lines.Text(), stderr)
	}
	time.AfterFunc(rand.N(8*time.Millisecond), func() { cmd.Process.Kill() })
	for lines.Scan() {
		var w int
		var n int64
		if _, err := fmt.Sscan(lines.Text(), &w, &n); err != nil {
			break // a line cut by death
		}
		if n > acknowledged[w] {
			acknowledged[w] = n
		}
	}
	cmd.Wait()
	if stderr.Len() > 0 {
		t.Fatalf("the other process says %q", stderr)
	}
}

// checkCounts checks the table against what was acknowledged: one write per
// writer may have taken effect without.
func checkCounts(t *testing.T, path string, acknowledged []int64) {
	t.Helper()
	tab, err := bolttable.Open(path, bolttable.Options{UnsafeNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tab.Close()
	for w := range acknowledged {
		var counts [2]int64
		for i, sk := range []string{"a", "b"} {
			item, err := tab.Get(t.Context(), table.Key{PK: fmt.Sprint(w), SK: sk})
			if err != nil && !errors.Is(err, table.ErrNotFound) {
				t.Fatal(err)
			}
			counts[i], _ = item["n"].(int64)
		}
		n := counts[0]
		if counts[1] != n || n < acknowledged[w] || n > acknowledged[w]+1 {
			t.Errorf("writer %d: counters %d after %d was acknowledged", w, counts, acknowledged[w])
		}
		acknowledged[w] = n
		page, err := tab.Query(t.Context(), table.Query{Index: table.GSI1, PK: "index" + fmt.Sprint(w), Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if want := int(min(n, rows)); len(page.Items) != want {
			t.Errorf("writer %d: %d rows in the index, want %d", w, len(page.Items), want)
		}
		for i, r := range page.Items {
			if want := n - int64(len(page.Items)) + 1 + int64(i); r["n"] != want || r.Key().SK != fmt.Sprint(want%rows) {
				t.Errorf("writer %d: row %v, want n = %d", w, r, want)
			}
		}
	}
}

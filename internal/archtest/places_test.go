package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// places are AWS partitions and regions, by name. Services' principals are the
// same everywhere.
var (
	places    = regexp.MustCompile(`arn:aws[:-]|amazonaws\.com|\b(us|eu|ap|ca|sa|cn|me|af|il|mx)(-[a-z]+)+-\d\b`)
	principal = regexp.MustCompile(`\b[a-z]+\.amazonaws\.com["}]`)
)

// knowing are the files that may name some, and why.
var knowing = map[string]string{
	"internal/dev/gateway":                 "it is in no region, and says an ARN where AWS would",
	"internal/dev/runtime":                 "it is in no region, and says an ARN where AWS would",
	"internal/dev/websocket":               "it is in no region, and says an ARN where AWS would",
	"internal/dev/project":                 "it is in no region, and says an ARN where AWS would",
	"internal/deploy/template/template.go": "it looks for them",
	"internal/deploy/doctor/source.go":     "it looks for them",
	"cmd/gatehouse/table.go":               "an emulator is in no region, and its client wants one",
}

// TestNoPlace refuses code and templates that work in one region or partition
// alone.
func TestNoPlace(t *testing.T) {
	root := "../.."
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		switch {
		case d.IsDir() && (name == "bench" || name == "e2e" || d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir() && strings.HasSuffix(d.Name(), "test"):
			return fs.SkipDir // what takes AWS's place
		case d.IsDir(), knowing[filepath.ToSlash(name)] != "", knowing[filepath.ToSlash(filepath.Dir(name))] != "":
			return nil
		case strings.HasSuffix(name, "_test.go"), filepath.Ext(name) != ".go" && filepath.Base(name) != "serverless.yml":
			return nil
		}
		text, err := os.ReadFile(path)
		seen++
		for i, line := range strings.Split(string(text), "\n") {
			code, _, _ := strings.Cut(line, "// ")
			code, _, _ = strings.Cut(code, "# ")
			if found := places.FindString(principal.ReplaceAllString(strings.ReplaceAll(code, ",", "}"), "")); found != "" {
				t.Errorf("%s:%d names %s: it is to work in every region and partition", name, i+1, found)
			}
		}
		return err
	})
	if err != nil || seen < 100 {
		t.Fatal(seen, err)
	}
}

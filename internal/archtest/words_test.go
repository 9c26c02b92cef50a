package archtest

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// unclear are words that readers have to translate. Say who does what instead:
// "anyone who", "again", "repair", the job of a type, "the client gets".
var unclear = regexp.MustCompile(`(?i)\b(whoever|anew|mend(s|ed|ing)?|nobody knows|is told|are told|house|houses)\b`)

// allowed are phrases in which such a word is right, with the reason.
var allowed = []string{
	"in-house", // an English word
}

// TestPlainWords keeps the list out of non-test Go, which includes what the
// commands print, and out of the documents.
func TestPlainWords(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	found, first := map[string]int{}, map[string]string{}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules" || entry.Name() == "testdata" || entry.Name() == "dist") {
				return fs.SkipDir
			}
			return nil
		}
		isGo := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
		isText := strings.HasSuffix(name, ".md") || strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".html") || strings.HasSuffix(name, "en.json")
		if !isGo && !isText {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for number, line := range strings.Split(string(source), "\n") {
			for _, phrase := range allowed {
				line = strings.ReplaceAll(line, phrase, "")
			}
			for _, word := range unclear.FindAllString(line, -1) {
				folder := path.Dir(name)
				found[folder]++
				if first[folder] == "" {
					first[folder] = name + ":" + strconv.Itoa(number+1) + ": " + word
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder, n := range found {
		t.Errorf("%s has %d unclear words; the first is %s", folder, n, first[folder])
	}
}

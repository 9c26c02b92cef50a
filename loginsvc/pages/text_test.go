package pages

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// Keys that a template or a heading puts together are covered by the test that
// renders every page: there a key that is missing is an error. Here it is the
// texts that nobody shows any more.
func TestCatalogueHoldsNoDeadText(t *testing.T) {
	c, err := loadText("en")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, pattern := range []string{"templates/*.html"} {
		names, _ := fs.Glob(files, pattern)
		for _, n := range names {
			b, _ := files.ReadFile(n)
			source.Write(b)
		}
	}
	for _, k := range append(FailureKinds(), "x") {
		for _, part := range []string{"heading", "body", "do"} {
			source.WriteString(`"failure.` + string(k) + `.` + part + `"`)
		}
	}
	for _, n := range AccountNotices() {
		source.WriteString(`"account.notice.` + string(n) + `"`)
	}
	for _, n := range AdminNotices() {
		source.WriteString(`"admin_user.notice.` + string(n) + `"`)
	}
	for _, l := range (Frame{Admin: true}).links("") {
		source.WriteString(`"frame.` + l.Key + `"`)
	}
	for _, k := range []string{"here", "everywhere", "nothing"} {
		source.WriteString(`"signed_out.` + k + `.heading" "signed_out.` + k + `.body"`)
	}
	// Headings are named in Go; labels are of names that come from elsewhere.
	elsewhere := regexp.MustCompile(`\.heading(\.app)?$|^(action|key|scope)\.`)
	for key, text := range c {
		if !strings.Contains(source.String(), `"`+key+`"`) && !elsewhere.MatchString(key) {
			t.Errorf("no page shows %q", key)
		}
		if strings.TrimSpace(text) != text || text == "" {
			t.Errorf("%q: stray space, or no text", key)
		}
	}
}

func TestUnknownText(t *testing.T) {
	if _, err := (catalogue{}).get("no.such"); err == nil {
		t.Error("a key that does not exist is no error")
	}
}

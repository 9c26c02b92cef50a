// Package doctor looks for what makes a sign-in service fail or leak, before
// its users find it: in gatehouse.yml, in serverless.yml, in the packaged
// template and its zips, and at a running address. Every finding says what is
// wrong and how it is mended.
package doctor

import (
	"fmt"
	"strings"
	"time"
)

// Finding is one thing that somebody should look at.
type Finding struct {
	Where  string `json:"where"` // a file, or an address
	Text   string `json:"text"`  // what is wrong, and the fix
	Remark bool   `json:"remark,omitempty"`
}

func (f Finding) String() string {
	kind := "wrong"
	if f.Remark {
		kind = "note "
	}
	return fmt.Sprintf("%s  %s: %s", kind, f.Where, f.Text)
}

// Report is what an examination found. Its zero value is a clean one.
type Report struct {
	Findings []Finding `json:"findings"`
	Facts    []string  `json:"facts"` // what holds, for people to know
}

// Wrong counts the findings that are more than remarks.
func (r *Report) Wrong() int {
	n := 0
	for _, f := range r.Findings {
		if !f.Remark {
			n++
		}
	}
	return n
}

// Add takes over what another examination found.
func (r *Report) Add(other *Report) {
	r.Findings = append(r.Findings, other.Findings...)
	r.Facts = append(r.Facts, other.Facts...)
}

func (r *Report) wrong(where, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Where: where, Text: fmt.Sprintf(format, args...)})
}

func (r *Report) remark(where, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Where: where, Text: fmt.Sprintf(format, args...), Remark: true})
}

func (r *Report) fact(format string, args ...any) {
	r.Facts = append(r.Facts, fmt.Sprintf(format, args...))
}

// joined notes each line of a joined error.
func (r *Report) joined(where string, err error) {
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		r.wrong(where, "%s", strings.TrimPrefix(line, where+": "))
	}
}

// What the authorizer adds to the time that a gateway keeps its answers.
const (
	feedInterval = 5 * time.Second  // 4 between two looks at the revocation feed, and its answer may be 1 old
	feedStale    = 60 * time.Second // after which a feed that cannot be had refuses everybody
	leeway       = 30 * time.Second // for clocks that differ
)

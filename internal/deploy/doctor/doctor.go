// Package doctor looks for what makes a sign-in service fail or leak, before
// its users find it: in gatehouse.yml, in serverless.yml, in the packaged
// template and its zips, and at a running address. Every finding says what is
// wrong and the fix.
package doctor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
)

// Finding is one thing that needs attention.
type Finding struct {
	Code   string `json:"code"`  // stable, see package fault
	Where  string `json:"where"` // a file, or an address
	Text   string `json:"text"`  // what is wrong, and the fix
	Remark bool   `json:"remark,omitempty"`
	Waived string `json:"waived,omitempty"` // the reason that gatehouse.yml gives
}

func (f Finding) String() string {
	kind := "wrong "
	switch {
	case f.Waived != "":
		return fmt.Sprintf("waived  %s: %s [%s] because: %s", f.Where, f.Text, f.Code, f.Waived)
	case f.Remark:
		kind = "note  "
	}
	return fmt.Sprintf("%s %s: %s [%s]", kind, f.Where, f.Text, f.Code)
}

// Report is what an examination found. Its zero value is a clean one.
type Report struct {
	Findings []Finding `json:"findings"`
	Facts    []string  `json:"facts"` // what holds, for people to know

	ignore map[string]string // what gatehouse.yml waives, by code: the reason
}

// Wrong counts the findings that are neither remarks nor waived.
func (r *Report) Wrong() int {
	n := 0
	for _, f := range r.Findings {
		if !f.Remark && f.Waived == "" {
			n++
		}
	}
	return n
}

// Add takes over what another examination found, and waives of it what r waives.
func (r *Report) Add(other *Report) {
	for _, f := range other.Findings {
		f.Waived = r.ignore[f.Code]
		r.Findings = append(r.Findings, f)
	}
	r.Facts = append(r.Facts, other.Facts...)
}

// waive marks the findings that gatehouse.yml waives, by their codes. Waiving a
// code that does not exist is a finding; waiving one that was not found is a remark.
func (r *Report) waive(where string, reasons map[string]string) {
	r.ignore = reasons
	for _, code := range slices.Sorted(maps.Keys(reasons)) {
		found := false
		for i := range r.Findings {
			if r.Findings[i].Code == code {
				r.Findings[i].Waived, found = reasons[code], true
			}
		}
		switch {
		case fault.Meaning(code) == "":
			r.wrong("ignore", where, "doctor.ignore: no finding has the code %q: docs/OPERATING.md lists them", code)
		case !found && !strings.HasPrefix(code, "live-"):
			r.remark("ignore", where, "doctor.ignore: %s is not found any more: take it out", code)
		}
	}
}

func (r *Report) wrong(code, where, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Code: code, Where: where, Text: fmt.Sprintf(format, args...)})
}

func (r *Report) remark(code, where, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{Code: code, Where: where, Text: fmt.Sprintf(format, args...), Remark: true})
}

// drop takes findings out, by their codes.
func (r *Report) drop(codes ...string) {
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return slices.Contains(codes, f.Code) })
}

func (r *Report) fact(format string, args ...any) {
	r.Facts = append(r.Facts, fmt.Sprintf(format, args...))
}

// joined notes each error that was joined into err: with its own code or, where it
// has none, with the given one.
func (r *Report) joined(code, where string, err error) {
	for _, one := range fault.Unwrapped(err) {
		own := code
		if f, ok := errors.AsType[*fault.Fault](one); ok {
			own = f.Code
		}
		for line := range strings.SplitSeq(one.Error(), "\n") {
			r.wrong(own, where, "%s", strings.TrimPrefix(line, where+": "))
		}
	}
}

// What the authorizer adds to the time that a gateway keeps its answers.
const (
	feedInterval = 5 * time.Second  // 4 between two looks at the revocation feed, and its answer may be 1 old
	feedStale    = 60 * time.Second // after which a feed that cannot be had refuses everybody
	leeway       = 30 * time.Second // for clocks that differ
)

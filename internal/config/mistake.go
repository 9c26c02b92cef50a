package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Mistake is one thing that is wrong with the file.
type Mistake struct {
	File string
	Line int    // 1 is the first; 0: not in the file, but in the environment
	Text string // where, what is wrong, and the fix
}

func (m Mistake) String() string {
	if m.Line == 0 {
		return m.Text
	}
	return fmt.Sprintf("%s:%d: %s", m.File, m.Line, m.Text)
}

// Mistakes is everything that is wrong with a file, in the order of its lines.
type Mistakes []Mistake

func (all Mistakes) Error() string {
	lines := make([]string, len(all))
	for i, m := range all {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// refuse notes a mistake at path.
func (d *document) refuse(path, format string, args ...any) {
	d.mistakes = append(d.mistakes, d.mistake(path, format, args...))
}

// mistake returns a mistake at path, such as "routes[2].roles". A path that is not
// in the file counts as its parent: that is where the missing thing belongs.
func (d *document) mistake(path, format string, args ...any) Mistake {
	line, known := d.lines[path]
	for at := path; !known && at != ""; {
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
		line, known = d.lines[at]
	}
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = path + ": " + text
	}
	return Mistake{d.file, max(line, 1), text}
}

func (d *document) all() Mistakes {
	slices.SortStableFunc(d.mistakes, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
	return d.mistakes
}

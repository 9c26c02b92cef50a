package doctor

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
)

// packaged judges the template that serverless.yml became. c may be nil.
func (r *Report) packaged(in Inputs, c *config.Config) {
	raw, err := os.ReadFile(in.Packaged)
	if errors.Is(err, fs.ErrNotExist) {
		r.remark(in.Packaged, "nothing is packaged, so the template was not judged: make package")
		return
	}
	if err != nil {
		r.wrong(in.Packaged, "%v", err)
		return
	}
	t, err := template.Parse(raw)
	if err != nil {
		r.wrong(in.Packaged, "%v", err)
		return
	}
	r.joined(in.Packaged, t.Check())
	if c != nil {
		if rules, err := policy.Compile(c.Rules()); err == nil {
			r.joined(in.Packaged, t.CheckFresh(rules.Fresh))
			r.zips(in, t, rules)
		}
	}
	if !t.Reserves("authorizer") {
		r.fact("the authorizer shares the account's concurrency with every function: a flood of another one can keep it from running; " +
			"GATEHOUSE_AUTHORIZER_CONCURRENCY=N reserves N instances for it, if the account's limit is at least N + 100")
	}
	for _, file := range []string{in.Config, in.Template} {
		if younger(file, in.Packaged) {
			r.wrong(in.Packaged, "is older than %s: make package", file)
		}
	}
}

func younger(file, than string) bool {
	a, err := os.Stat(file)
	b, err2 := os.Stat(than)
	return err == nil && err2 == nil && a.ModTime().After(b.ModTime())
}

// zips wants each function's program to be there, and the authorizer to be given
// the rules that gatehouse.yml has now.
func (r *Report) zips(in Inputs, t *template.Template, rules *policy.Policy) {
	for _, f := range t.Functions() {
		path := filepath.Join(in.Dist, f.Name+".zip")
		files, err := unzip(path)
		if err != nil {
			r.wrong(path, "%v: make package", err)
			continue
		}
		if files["bootstrap"] == nil {
			r.wrong(path, "holds no program called bootstrap, and Lambda starts no other: make package")
		}
		if f.Name != "authorizer" {
			continue
		}
		want, err := json.Marshal(rules)
		if err != nil || !bytes.Equal(files["policy.json"], want) {
			r.wrong(path, "has other route rules than gatehouse.yml: make package")
		}
	}
}

// unzip returns the small files of a zip by name; of the program, its first
// bytes.
func unzip(path string) (map[string][]byte, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	files := make(map[string][]byte)
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.LimitReader(in, 1<<20))
		in.Close()
		if err != nil {
			return nil, err
		}
		files[f.Name] = data
	}
	return files, nil
}

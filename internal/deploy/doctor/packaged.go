package doctor

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authorizer/policy"
	"github.com/gatehouse-auth/gatehouse/internal/config"
	"github.com/gatehouse-auth/gatehouse/internal/deploy/template"
)

// packaged judges a CloudFormation template, and returns it. c may be nil.
func (r *Report) packaged(in Inputs, c *config.Config) *template.Template {
	if in.Packaged == "" {
		return nil
	}
	raw, err := os.ReadFile(in.Packaged)
	if errors.Is(err, fs.ErrNotExist) {
		r.remark("package-missing", in.Packaged, "nothing is packaged, so the template was not judged: make package here; in a project of yours, serverless package or osls package")
		return nil
	}
	if err != nil {
		r.wrong("file", in.Packaged, "%v", err)
		return nil
	}
	t, err := template.Parse(raw)
	if err != nil {
		r.wrong("file", in.Packaged, "%v", err)
		return nil
	}
	r.joined("package", in.Packaged, t.Check(rulesOf(c).Public))
	if c != nil {
		own := c.Routes // of an API of a team
		if t.IsLogin() {
			own = c.Rules()
		}
		if rules, err := policy.Compile(own); err == nil {
			r.joined("package", in.Packaged, t.CheckFresh(rules.Fresh))
			r.zips(in, t, rules)
		}
	}
	if t.IsLogin() && !t.Reserves("authorizer") {
		r.fact("the authorizer shares the account's concurrency with every function: a flood of another one can keep it from running; " +
			"GATEHOUSE_AUTHORIZER_CONCURRENCY=N reserves N instances for it, if the account's limit is at least N + 100")
	}
	if t.IsLogin() && !t.ProtectsTable() {
		r.fact("the table can be deleted by hand: set GATEHOUSE_TABLE_PROTECTION=on when the first deployment has worked")
	}
	for _, file := range []string{in.Config, in.Template} {
		if younger(file, in.Packaged) {
			r.wrong("package-stale", in.Packaged, "is older than %s: make package", file)
		}
	}
	return t
}

func younger(file, than string) bool {
	a, err := os.Stat(file)
	b, err2 := os.Stat(than)
	return err == nil && err2 == nil && a.ModTime().After(b.ModTime())
}

// machines are the architectures of Lambda, as ELF numbers them.
var machines = map[string]elf.Machine{"arm64": elf.EM_AARCH64, "x86_64": elf.EM_X86_64}

// zips wants each program of ours to be there, built for the architecture that its
// function has, and the authorizer to have the rules of gatehouse.yml. Zips of
// other functions are the team's.
func (r *Report) zips(in Inputs, t *template.Template, rules *policy.Policy) {
	for _, f := range t.Functions() {
		if f.Ours && !slices.Contains(template.Zips, f.Name) {
			f.Name = "authorizer" // the deployment tool renamed it
		}
		path := filepath.Join(in.Dist, f.Name+".zip")
		files, err := unzip(path)
		switch {
		case err != nil && f.Ours:
			r.wrong("zip-missing", path, "%v: make package", err)
			continue
		case err != nil:
			continue
		case files["bootstrap"] == nil && f.Compiled:
			r.wrong("zip-program", path, "holds no program called bootstrap, and Lambda starts no other: make package")
			continue
		}
		if header, ok := files["bootstrap"]; ok && len(header) > 20 && f.Compiled {
			if machine := elf.Machine(binary.LittleEndian.Uint16(header[18:])); bytes.HasPrefix(header, []byte(elf.ELFMAG)) && machine != machines[f.Architecture] {
				r.wrong("function-arch", path, "is built for %v, and its function has the architecture %s: build it for that", machine, f.Architecture)
			}
		}
		if f.Name != "authorizer" || !f.Ours {
			continue
		}
		want, err := json.Marshal(rules)
		if err != nil || !bytes.Equal(files["policy.json"], want) {
			r.wrong("zip-rules", path, "has other route rules than gatehouse.yml: make package")
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

package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// Limits of what reads well. Below 300 lines a file is at its best; the limit leaves room for one more thought.
const (
	maxFileLines = 350
	maxFuncLines = 70
)

// long are the files and functions that are over the limit, with the size they may have at most. They may shrink. A new
// entry needs a better reason than a deadline.
var long = map[string]int{}

// source is one file of ours.
type source struct {
	path  string // from the root
	data  []byte
	file  *ast.File
	fset  *token.FileSet
	test  bool
	lines int
}

// parsed are all Go files of the module that people write.
var parsed = sync.OnceValues(func() ([]source, error) {
	var all []source

	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}

		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
				return fs.SkipDir
			}

			return nil
		}

		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "zz_generated") {
			return nil
		}

		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}

		fset := token.NewFileSet()

		file, err := parser.ParseFile(fset, path, data, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parse %s: %w", path, err)
		}

		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}

		all = append(all, source{
			path: filepath.ToSlash(relative), data: data, file: file, fset: fset,
			test: strings.HasSuffix(name, "_test.go"), lines: bytes.Count(data, []byte("\n")),
		})

		return nil
	})

	return all, err
})

func sources(t *testing.T) []source {
	t.Helper()

	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}

	return all
}

// TestSizes keeps files and functions short. Tests may be longer: they are tables.
func TestSizes(t *testing.T) {
	seen := map[string]bool{}

	check := func(name string, size, limit int) {
		allowed, listed := long[name]
		seen[name] = true

		switch {
		case listed && size <= limit:
			t.Errorf("%s has shrunk to %d lines: take it off the list of long ones", name, size)
		case listed && size < allowed:
			t.Errorf("%s has shrunk to %d lines: say so in the list of long ones", name, size)
		case listed && size > allowed:
			t.Errorf("%s has grown from %d to %d lines: it may only shrink", name, allowed, size)
		case !listed && size > limit:
			t.Errorf("%s has %d lines, more than %d: move one whole step out, with its test", name, size, limit)
		}
	}

	for _, s := range sources(t) {
		limit := maxFileLines
		if s.test {
			limit = 2 * maxFileLines
		}

		check(s.path, s.lines, limit)

		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.test || f.Body == nil {
				continue
			}

			lines := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			check(s.path+":"+f.Name.Name, lines, maxFuncLines)
		}
	}

	for name := range long {
		if !seen[name] {
			t.Errorf("%s is on the list of long ones and does not exist", name)
		}
	}
}

// TestPackagesSayWhatTheyAreFor demands a package comment, in doc.go unless the package is one file.
func TestPackagesSayWhatTheyAreFor(t *testing.T) {
	type pkg struct {
		files     int
		commented []string
	}

	dirs := map[string]*pkg{}

	for _, s := range sources(t) {
		dir := filepath.Dir(s.path)
		if s.test {
			continue
		}

		if dirs[dir] == nil {
			dirs[dir] = &pkg{}
		}

		dirs[dir].files++

		if s.file.Doc != nil {
			dirs[dir].commented = append(dirs[dir].commented, filepath.Base(s.path))
		}
	}

	for dir, p := range dirs {
		switch {
		case len(p.commented) == 0:
			t.Errorf("package %s does not say what it is for", dir)
		case len(p.commented) > 1:
			t.Errorf("package %s says what it is for in %d places: %v", dir, len(p.commented), p.commented)
		case p.files > 1 && p.commented[0] != "doc.go" && p.commented[0] != "main.go":
			t.Errorf("package %s says what it is for in %s; doc.go is where people look", dir, p.commented[0])
		}
	}
}

// TestExportedIsDocumented demands a comment on everything that other packages can use.
func TestExportedIsDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.file.Name.Name == "main" {
			continue
		}

		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s is exported and says nothing about itself", s.path, name)
			}
		}
	}
}

// undocumented lists the exported names of a declaration that have no comment, neither of their own nor of their group.
func undocumented(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && ofExportedType(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string

		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					if n.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
						names = append(names, n.Name)
					}
				}
			}
		}

		return names
	}

	return nil
}

// ofExportedType is true for functions, and for methods that another package can call by name.
func ofExportedType(f *ast.FuncDecl) bool {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return true
	}

	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}

	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}

	name, ok := typ.(*ast.Ident)

	return ok && name.IsExported()
}

// TestImportsComeInThreeGroups demands the standard library first, then others, then ours, with a blank line between.
func TestImportsComeInThreeGroups(t *testing.T) {
	for _, s := range sources(t) {
		last, lastLine := 0, 0

		for _, i := range s.file.Imports {
			group, line := groupOf(strings.Trim(i.Path.Value, `"`)), s.fset.Position(i.Pos()).Line

			switch {
			case group < last:
				t.Errorf("%s: import %s belongs further up", s.path, i.Path.Value)
			case group > last && last > 0 && line == lastLine+1:
				t.Errorf("%s: a blank line is missing before import %s", s.path, i.Path.Value)
			}

			last, lastLine = group, line
		}
	}
}

func groupOf(path string) int {
	first, _, _ := strings.Cut(path, "/")

	switch {
	case under(path, module):
		return 3
	case strings.Contains(first, "."):
		return 2
	default:
		return 1
	}
}

// habits are what no source of ours may contain, and why.
var habits = []struct {
	reason  string
	pattern *regexp.Regexp
	tests   bool // in tests, and in what serves only tests, as well
}{
	{"what is left to do has an issue: TODO(#12)", regexp.MustCompile(`//.*\b(TODO|FIXME|XXX)\b(?:[^(]|\((?:[^#]|$))`), true},
	{"a nolint names one linter and says why", regexp.MustCompile(`//nolint(?:\s|$|:[a-z]+,|:[a-z]+\s*$)`), true},
	{"contexts come from the caller", regexp.MustCompile(`context\.TODO\(\)`), true},
	{"logs go through the logger of the context", regexp.MustCompile(`(?m)^\s*(?:log|slog)\.(?:Print|Println|Printf|Info|Warn|Error|Debug)\(`), false},
	{"what a program prints is decided in cmd", regexp.MustCompile(`\bfmt\.Print(?:ln|f)?\(`), false},
}

func TestHabits(t *testing.T) {
	for _, s := range sources(t) {
		if s.file.Name.Name == "main" || strings.HasPrefix(s.path, "internal/arch/") {
			continue
		}

		for _, h := range habits {
			if !h.tests && (s.test || strings.HasPrefix(s.path, "test/")) {
				continue
			}

			if found := h.pattern.Find(s.data); found != nil {
				t.Errorf("%s: %q: %s", s.path, strings.TrimSpace(string(found)), h.reason)
			}
		}
	}
}

// TestNamesOfFiles refuses files that are named after nothing in particular: whatever ends up there belongs elsewhere.
func TestNamesOfFiles(t *testing.T) {
	nameless := []string{"util", "utils", "helper", "helpers", "common", "misc", "base", "types2"}

	for _, s := range sources(t) {
		name := strings.TrimSuffix(filepath.Base(s.path), ".go")
		if slices.Contains(nameless, name) {
			t.Errorf("%s is named after nothing", s.path)
		}

		if slices.Contains(nameless, s.file.Name.Name) {
			t.Errorf("%s: package %s is named after nothing", s.path, s.file.Name.Name)
		}
	}
}

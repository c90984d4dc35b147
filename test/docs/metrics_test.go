package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/dogker/dogker/internal/exposition"
)

// metricName is how metrics of ours are called, and the rows of their page begin.
var (
	metricName = regexp.MustCompile(`^dogker_[a-z0-9_]+$`)
	metricRow  = regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| ([^|]*) \\|")
)

// TestMetricsAreDocumented demands that every metric stands on its page, and that nothing does that is none.
func TestMetricsAreDocumented(t *testing.T) {
	rows := map[string]string{}
	for _, m := range metricRow.FindAllStringSubmatch(pages(t)[filepath.Join(root, "docs/reference/metrics.md")], -1) {
		if _, twice := rows[m[1]]; twice {
			t.Errorf("%s stands on the page twice", m[1])
		}
		rows[m[1]] = m[2]
	}

	named := namesInCode(t)
	for _, m := range exposition.Catalogue() {
		named[m.Name] = "internal/exposition"
		want := "`" + strings.Join(m.Labels, "`, `") + "`"
		if rows[m.Name] != want {
			t.Errorf("%s has the labels %s, and on the page %s", m.Name, want, rows[m.Name])
		}
	}
	for name, file := range named {
		if _, ok := rows[name]; !ok {
			t.Errorf("%s of %s is not documented", name, file)
		}
	}
	for name := range rows {
		if named[name] == "" {
			t.Errorf("%s is documented, and nothing shows it", name)
		}
	}
}

// namesInCode are the names of metrics in the program, by the file that has them.
func namesInCode(t *testing.T) map[string]string {
	t.Helper()

	out := map[string]string{}
	for _, tree := range []string{"cmd", "controllers", "internal", "reconciler"} {
		err := filepath.WalkDir(filepath.Join(root, tree), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				lit, ok := n.(*ast.BasicLit)
				if !ok || lit.Kind != token.STRING {
					return true
				}
				if name, err := strconv.Unquote(lit.Value); err == nil && metricName.MatchString(name) {
					out[name] = path
				}

				return true
			})

			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	return out
}

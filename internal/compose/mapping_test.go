package compose_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/internal/compose"
)

// mapping is a row: what the service web says, what its container says then but for the image, and what is reported.
type mapping struct {
	reason  string
	service string
	// rest of the file beside services, and other services.
	rest, others string
	spec         string
	meta         string
	findings     []string
}

func (m mapping) run(t *testing.T) {
	t.Helper()
	result := converted(t, m.file())
	var web map[string]any
	manifests, err := written(result)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range result.Containers {
		if tc.Name == "web" {
			raw, err := yaml.Marshal(tc)
			if err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(raw, &web); err != nil {
				t.Fatal(err)
			}
		}
	}
	spec, _ := web["spec"].(map[string]any)
	if !strings.Contains(m.spec, "image:") {
		delete(spec, "image")
	}
	if diff := cmp.Diff(parsed(t, m.spec), spec, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s\nspec, -want +got:\n%s", m.reason, diff)
	}
	if m.meta != "" {
		have := map[string]any{}
		metadata, _ := web["metadata"].(map[string]any)
		for _, part := range []string{"labels", "annotations"} {
			if values, ok := metadata[part].(map[string]any); ok {
				delete(values, compose.LabelPartOf)
				if len(values) > 0 {
					have[part] = values
				}
			}
		}
		if diff := cmp.Diff(parsed(t, m.meta), have); diff != "" {
			t.Errorf("%s\nmetadata, -want +got:\n%s", m.reason, diff)
		}
	}
	slices.Sort(m.findings)
	if diff := cmp.Diff(m.findings, headings(result)); diff != "" {
		t.Errorf("%s\nfindings, -want +got:\n%s", m.reason, diff)
	}
	refused, err := refusals(t.Context(), manifests)
	if err != nil {
		t.Fatal(err)
	}
	if len(refused) > 0 {
		t.Errorf("%s\na server would refuse it: %v", m.reason, refused)
	}
}

func (m mapping) file() string {
	service := m.service
	if !strings.HasPrefix(service, "image:") && !strings.HasPrefix(service, "build:") {
		service = "image: registry.example/web:1\n" + service
	}

	return "name: shop\n" + m.rest + "\nservices:\n  web:\n" + indented(service, "    ") + "\n" + indented(m.others, "  ")
}

func indented(text, by string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		out.WriteString(by + strings.TrimRight(line, "\n") + "\n")
	}

	return out.String()
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}

	return out
}

// converted is what comes of one file, in a folder with two more.
func converted(t *testing.T, file string) compose.Result {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"compose.yaml": file, "app.toml": "workers = 4\n", "password.txt": "correct horse", "blob.bin": "\xff\xfe\x00",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stack, err := compose.Load(t.Context(), compose.Source{Dir: dir, Environ: []string{"TOKEN=t0ken"}})
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}

	return compose.Convert(stack, compose.Options{})
}

// headings are the kinds and paths of findings, sorted, without the notes that nearly every file has.
func headings(r compose.Result) []string {
	var out []string
	for _, f := range r.Findings {
		if f.Kind == compose.Note && slices.Contains([]string{"services", "secrets"}, f.Path) {
			continue
		}
		out = append(out, string(f.Kind)+" "+f.Path)
	}
	slices.Sort(out)

	return out
}

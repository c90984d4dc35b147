package sops_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/internal/git/sops"
	"github.com/dogker/dogker/reconciler/source"
)

// fixture is a file that sops itself wrote; testdata/README.md says how.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}

	return data
}

func fixtureKeys(t *testing.T) []age.Identity {
	t.Helper()
	keys, err := sops.ParseKeys([]source.Secret{source.Secret(fixture(t, "keys.txt"))})
	if err != nil {
		t.Fatal(err)
	}

	return keys
}

// values are all documents of a file, without what does not matter to who applies them.
func values(t *testing.T, name string, data []byte) []any {
	t.Helper()
	docs, err := document.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	var all []any
	for _, d := range docs {
		raw, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}

	return all
}

var written = map[string]string{
	"all.yaml": "plain.yaml", "regex.yaml": "plain.yaml", "unencrypted-regex.yaml": "plain.yaml", "unencrypted-suffix.yaml": "plain.yaml",
	"encrypted-suffix.yaml": "plain.yaml", "mac-only.yaml": "plain.yaml", "recipients.yaml": "plain.yaml", "multi.yaml": "plain.multi.yaml",
	"object.json": "plain.json", "all.json": "plain.json",
}

// TestWhatSOPSWrote decrypts each, and demands the values that were encrypted, with their types.
func TestWhatSOPSWrote(t *testing.T) {
	keys := fixtureKeys(t)
	for name, plain := range written {
		t.Run(name, func(t *testing.T) {
			got, err := sops.File(name, fixture(t, name), keys)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(values(t, plain, fixture(t, plain)), values(t, name, got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBinaryThatSOPSWrote(t *testing.T) {
	got, err := sops.File("key.bin", fixture(t, "key.bin"), fixtureKeys(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fixture(t, "plain.bin"), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWhatIsNotSupported is refused by name: a repository that works elsewhere says why it does not here.
func TestWhatIsNotSupported(t *testing.T) {
	for name, says := range map[string]string{"groups.yaml": "groups of keys", "variables.env": "dotenv"} {
		_, err := sops.File(name, fixture(t, name), fixtureKeys(t))
		var e *source.Error
		if !errors.As(err, &e) || e.Reason != source.ReasonDecryptionFailed || !strings.Contains(e.Error(), says) {
			t.Errorf("%s: got %v, want it to say %q", name, err, says)
		}
	}
}

// TestTamperedWith changes lines of every file in turn: none of what comes of that is accepted as something else. Keys of
// readable values, null and empty texts are not changed: no MAC of SOPS covers those.
func TestTamperedWith(t *testing.T) {
	keys := fixtureKeys(t)
	for name, plain := range written {
		t.Run(name, func(t *testing.T) {
			want := values(t, plain, fixture(t, plain))
			lines := strings.Split(string(fixture(t, name)), "\n")
			for i, line := range lines {
				for how, changed := range tampered(line) {
					was := lines[i]
					lines[i] = changed
					got, err := sops.File(name, []byte(strings.Join(lines, "\n")), keys)
					lines[i] = was
					if err != nil {
						continue
					}
					if diff := cmp.Diff(want, values(t, name, got)); diff != "" && !readable(name, line) {
						t.Errorf("line %d, %s, is accepted (-want +got):\n%s", i+1, how, diff)
					}
				}
			}
		})
	}
}

// tampered are changes of a line.
func tampered(line string) map[string]string {
	out := map[string]string{}
	for _, matters := range []string{"ENC[", "sops", "mac", "lastmodified", "BEGIN AGE"} {
		if strings.Contains(line, matters) {
			out["removed"] = ""
		}
	}
	if i := strings.Index(line, ",data:") + 1; i > 0 {
		out["data"] = line[:i+5] + flip(line[i+5]) + line[i+6:]
	}
	if i := strings.Index(line, ",type:"); i >= 0 {
		out["type"] = line[:i] + ",type:comment]" + line[strings.Index(line[i:], "]")+i+1:]
	}
	if before, after, ok := strings.Cut(line, ": ENC["); ok {
		out["key"] = before + "x: ENC[" + after
	}

	return out
}

func flip(c byte) string {
	if c == 'A' {
		return "B"
	}

	return "A"
}

// readable tells lines that no MAC covers: keys and structure where only encrypted values are in it.
func readable(name, line string) bool {
	return name == "mac-only.yaml" && !strings.Contains(line, "ENC[")
}

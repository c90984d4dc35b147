package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/git/local"
)

const settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"

func TestObjects(t *testing.T) {
	for claim, tc := range map[string]struct {
		reason string
		files  map[string]string
		link   string
		build  string
		stdin  string
		want   []string
		err    string
	}{
		"NamesFilesAsTheCallerDoes": {
			reason: "Errors later name what the caller can open.",
			files:  map[string]string{"deploy/a.yaml": settings, "deploy/more/b.yml": "\n" + strings.Replace(settings, "settings", "more", 1), "deploy/notes.txt": "x"},
			build:  "deploy", want: []string{"deploy/a.yaml:1", "deploy/more/b.yml:2"},
		},
		"TakesAFileWhateverItIsCalled": {
			reason: "JSON is YAML, and people pipe from files of any name.",
			files:  map[string]string{"object.json": `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}`},
			build:  "object.json", want: []string{"object.json:1"},
		},
		"TakesStandardInput": {
			reason: "What something else renders is applied by a pipe.",
			build:  local.Stdin, stdin: "---\n" + settings, want: []string{"standard input:2"},
		},
		"FindsBasesInTheRepository": {
			reason: "An overlay refers to what is beside it.",
			files:  map[string]string{".git/HEAD": "", "base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": settings, "overlay/kustomization.yaml": "resources: [../base]\n"},
			build:  "overlay", want: []string{"base/a.yaml:1"},
		},
		"StaysInADirectoryThatIsInNoRepository": {
			reason: "Where nothing says what belongs together, the directory alone does.",
			files:  map[string]string{"base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": settings, "overlay/kustomization.yaml": "resources: [../base]\n"},
			build:  "overlay", err: "overlay/kustomization.yaml:1: resources[0]: \"../base\" leads out of the repository",
		},
		"FollowsNoLinkOut": {
			reason: "What a sync would refuse is refused here, too.",
			files:  map[string]string{"deploy/kustomization.yaml": "resources: [link.yaml]\n"}, link: "/etc/hosts",
			build: "deploy", err: "is a symlink that leads out of the repository",
		},
		"SaysWhereYAMLIsBroken": {
			reason: "Lines are those of the file.",
			files:  map[string]string{"deploy/a.yaml": settings + "---\nkind: [\n"},
			build:  "deploy", err: "deploy/a.yaml:5: is no valid YAML",
		},
	} {
		t.Run(claim, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for name, text := range tc.files {
				if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if tc.link != "" {
				if err := os.Symlink(tc.link, filepath.Join(tc.build, "link.yaml")); err != nil {
					t.Fatal(err)
				}
			}

			objects, err := local.Objects(t.Context(), []string{tc.build}, strings.NewReader(tc.stdin))
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s\n%v", tc.reason, err)
			}
			var got []string
			for _, o := range objects {
				got = append(got, o.File+":"+string(rune('0'+o.Line)))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got\n%s", tc.reason, diff)
			}
		})
	}
}

package git_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/git"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/reconciler/source"
)

// configMap is an object of one line less than people write.
func configMap(name, value string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n  key: %s\n", name, value)
}

// summary is an object in a line: where it comes from, and what it is.
func summary(t *testing.T, o source.Object) string {
	t.Helper()

	var v struct {
		Kind     string
		Metadata struct{ Name string }
		Data     map[string]any
	}
	if err := json.Unmarshal(o.JSON, &v); err != nil {
		t.Fatalf("%s is no JSON: %v", o.JSON, err)
	}

	data, err := json.Marshal(v.Data)
	if err != nil {
		t.Fatal(err)
	}

	return fmt.Sprintf("%s:%d %s/%s %s", o.File, o.Line, v.Kind, v.Metadata.Name, data)
}

func summaries(t *testing.T, objects []source.Object) []string {
	t.Helper()

	var all []string
	for _, o := range objects {
		all = append(all, summary(t, o))
	}

	return all
}

// request asks for a repository of a test.
func request(s *gittest.HTTP, name string) source.Request {
	return source.Request{URL: s.At(name), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true}
}

func TestGoodRepositories(t *testing.T) {
	s := gittest.NewHTTP(t, nil)

	for name, tc := range map[string]struct {
		reason string
		files  gittest.Files
		change func(*source.Request)
		want   []string
	}{
		"Plain": {
			reason: "Every YAML below the directory is built, in the order of names, and nothing else.",
			files: gittest.Files{
				"b.yaml": "# A comment\n---\n" + configMap("b1", "1") + "---\n---\n" + configMap("b2", "two") + "---\n",
				"a.yml":  configMap("a", "1"), "sub/c.yaml": configMap("c", "yes"), "README.md": "# Not YAML: [", "d.json": "{",
			},
			want: []string{
				`a.yml:1 ConfigMap/a {"key":1}`, `b.yaml:3 ConfigMap/b1 {"key":1}`, `b.yaml:11 ConfigMap/b2 {"key":"two"}`,
				`sub/c.yaml:1 ConfigMap/c {"key":true}`,
			},
		},
		"Path": {
			reason: "Only the path is built.",
			files:  gittest.Files{"apps/a.yaml": configMap("a", "1"), "broken.yaml": "}"},
			change: func(r *source.Request) { r.Path = "./apps/" },
			want:   []string{`apps/a.yaml:1 ConfigMap/a {"key":1}`},
		},
		"List": {
			reason: "Items of a List are objects, with lines of their own.",
			files: gittest.Files{"a.yaml": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n" +
				"- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: b}\n"},
			want: []string{`a.yaml:4 ConfigMap/a null`, `a.yaml:7 ConfigMap/b null`},
		},
		"Anchors": {
			reason: "Aliases are part of YAML.",
			files:  gittest.Files{"a.yaml": "x-d: &d {key: v}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  <<: *d\n"},
			want:   []string{`a.yaml:1 ConfigMap/a {"key":"v"}`},
		},
		"Overlay": {
			reason: "An overlay changes its base, and objects still say where they were written.",
			files: gittest.Files{
				"base/kustomization.yaml":    "resources: [a.yaml, b.yaml]\n",
				"base/a.yaml":                "---\n" + configMap("a", "1") + "---\n" + configMap("other", "1"),
				"base/b.yaml":                configMap("b", "base"),
				"overlay/kustomization.yaml": "namePrefix: p-\nresources: [../base]\npatches:\n- path: patch.yaml\nconfigMapGenerator:\n- name: made\n  literals: [key=x]\n  options: {disableNameSuffixHash: true}\n",
				"overlay/patch.yaml":         configMap("b", "patched"),
			},
			change: func(r *source.Request) { r.Path = "overlay" },
			want: []string{
				`base/a.yaml:2 ConfigMap/p-a {"key":1}`, `base/a.yaml:9 ConfigMap/p-other {"key":1}`,
				`base/b.yaml:1 ConfigMap/p-b {"key":"patched"}`, `overlay/kustomization.yaml:0 ConfigMap/p-made {"key":"x"}`,
			},
		},
		"KustomizationBelowPlain": {
			reason: "A directory with a kustomization is what it says, also below one without.",
			files: gittest.Files{
				"a.yaml": configMap("a", "1"), "k/kustomization.yaml": "namePrefix: k-\nresources: [x.yaml]\n", "k/x.yaml": configMap("x", "1"),
				"k/unused.yaml": "}",
			},
			want: []string{`a.yaml:1 ConfigMap/a {"key":1}`, `k/x.yaml:1 ConfigMap/k-x {"key":1}`},
		},
		"GeneratorFromParentFile": {
			reason: "As under Flux, files may be anywhere in the repository.",
			files: gittest.Files{
				"k/kustomization.yaml": "configMapGenerator:\n- name: made\n  files: [key=../motd.txt]\n  options: {disableNameSuffixHash: true}\n", "motd.txt": "hello",
			},
			change: func(r *source.Request) { r.Path = "k" },
			want:   []string{`k/kustomization.yaml:0 ConfigMap/made {"key":"hello"}`},
		},
		"Substitution": {
			reason: "What is written without quotes becomes what the value says; what opts out stays.",
			files: gittest.Files{
				"a.yaml": configMap("${name}", "${count}") + "  quoted: \"${count}\"\n  default: ${nothing:=none}\n  dollar: $${name}\n  upper: ${name^^}\n",
				"b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\ndata: {key: \"${name}\"}\n",
			},
			change: func(r *source.Request) { r.Substitute = map[string]string{"name": "web", "count": "3"} },
			want: []string{
				`a.yaml:1 ConfigMap/web {"default":"none","dollar":"${name}","key":3,"quoted":"3","upper":"WEB"}`, `b.yaml:1 ConfigMap/b {"key":"${name}"}`,
			},
		},
		"SubstitutionAfterKustomize": {
			reason: "Variables in overlays are replaced in what they build to.",
			files:  gittest.Files{"kustomization.yaml": "nameSuffix: -${env}\nresources: [a.yaml]\n", "a.yaml": configMap("a", "${n}") + "  quoted: \"${n}\"\n"},
			change: func(r *source.Request) { r.Substitute = map[string]string{"env": "prod", "n": "7"} },
			want:   []string{`a.yaml:1 ConfigMap/a-prod {"key":7,"quoted":"7"}`},
		},
		"NoSubstitution": {
			reason: "Who asks for none keeps every dollar.",
			files:  gittest.Files{"a.yaml": configMap("a", "'${name} $HOME $$'")},
			want:   []string{`a.yaml:1 ConfigMap/a {"key":"${name} $HOME $$"}`},
		},
		"Ignored": {
			reason: "The defaults, .sourceignore and the request, in this order; later ones go first.",
			files: gittest.Files{
				".sourceignore": "draft*.yaml\n", ".github/workflow.yaml": "jobs: {}\n", "draft1.yaml": "}", "draft2.yaml": configMap("draft2", "1"),
				"sub/.sourceignore": "/x.yaml\n", "sub/x.yaml": "}", "sub/y.yaml": configMap("shown", "1"), "z.yaml": "}",
			},
			change: func(r *source.Request) { r.Ignore = "!draft2.yaml\nz.yaml\n" },
			want:   []string{`draft2.yaml:1 ConfigMap/draft2 {"key":1}`, `sub/y.yaml:1 ConfigMap/shown {"key":1}`},
		},
		"SymlinksInside": {
			reason: "A symlink that stays in the repository is what it leads to.",
			files:  gittest.Files{"apps/a.yaml": "-> ../shared/a.yaml", "shared/a.yaml": configMap("a", "1"), "apps/dir": "-> ../shared"},
			change: func(r *source.Request) { r.Path = "apps" },
			want:   []string{`apps/a.yaml:1 ConfigMap/a {"key":1}`},
		},
		"Empty": {
			reason: "Nothing to build is for the caller to judge.",
			files:  gittest.Files{"README.md": "hello"},
			want:   nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			gittest.NewRepo(t, s.Root, name).Push(tc.files)

			r := request(s, name)
			if tc.change != nil {
				tc.change(&r)
			}

			built, err := git.Builder{Dir: t.TempDir()}.Build(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}

			if diff := cmp.Diff(tc.want, summaries(t, built.Objects)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSameCommitSameBytes(t *testing.T) {
	s := gittest.NewHTTP(t, nil)
	gittest.NewRepo(t, s.Root, "a").Push(gittest.Files{
		"kustomization.yaml": "commonAnnotations: {z: '1', a: '2'}\nresources: [a.yaml]\nconfigMapGenerator:\n- name: m\n  literals: [b=1, a=2]\n",
		"a.yaml":             configMap("a", "1"),
	})

	var digests [2]string

	for i := range digests {
		built, err := git.Builder{Dir: t.TempDir()}.Build(t.Context(), request(s, "a"))
		if err != nil {
			t.Fatal(err)
		}

		digests[i] = built.Digest
	}

	if digests[0] != digests[1] || !strings.HasPrefix(digests[0], "sha256:") {
		t.Errorf("digests of the same commit: %q", digests)
	}
}

// TestErrorsSayWhere demands the file, the line and what is wrong.
func TestErrorsSayWhere(t *testing.T) {
	s := gittest.NewHTTP(t, nil)

	for name, tc := range map[string]struct {
		files  gittest.Files
		change func(*source.Request)
		want   string
	}{
		"Syntax":        {gittest.Files{"a.yaml": configMap("a", "1") + "---\nkind: x\n  bad: [\n"}, nil, "a.yaml:9: is no valid YAML: mapping values are not allowed in this context"},
		"Tab":           {gittest.Files{"a.yaml": "a:\n\t- b\n"}, nil, "a.yaml:2: is no valid YAML: found character that cannot start any token"},
		"DuplicateKey":  {gittest.Files{"a.yaml": "---\n" + configMap("a", "1") + "  key: 2\n"}, nil, `a.yaml:8: the key "key" is there twice: also in line 7`},
		"NoKind":        {gittest.Files{"a.yaml": "\napiVersion: v1\nmetadata: {name: a}\n"}, nil, "a.yaml:2: kind: is required in every object"},
		"NoName":        {gittest.Files{"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n"}, nil, "a.yaml:1: metadata.name: is required in every object"},
		"NoObject":      {gittest.Files{"a.yaml": "- a\n"}, nil, "a.yaml:1: an object must be a mapping, with apiVersion, kind and metadata"},
		"NamesTwice":    {gittest.Files{"a.yaml": configMap("a", "1"), "b.yaml": "---\n" + configMap("a", "2")}, nil, `b.yaml:2: ConfigMap "a" is there twice: also in a.yaml:1`},
		"NumberAsName":  {gittest.Files{"a.yaml": configMap("1", "1")}, nil, "a.yaml:1: apiVersion, kind, metadata.name and metadata.namespace must be strings"},
		"UnsetVariable": {gittest.Files{"a.yaml": configMap("a", "1") + "---\n" + configMap("b", "${x}")}, func(r *source.Request) { r.Substitute = map[string]string{} }, `a.yaml:13: variable "x" has no value`},
		"BadOperator":   {gittest.Files{"a.yaml": configMap("a", "${x:?must be set}")}, func(r *source.Request) { r.Substitute = map[string]string{} }, `a.yaml:6: the operator ":?" of variable "x" is not supported`},
		"BadVariable":   {gittest.Files{}, func(r *source.Request) { r.Substitute = map[string]string{"a b": ""} }, `substitute: "a b" can be no variable: names are letters, digits and underscores, and begin with no digit`},
		"NoPath":        {gittest.Files{"a.yaml": ""}, func(r *source.Request) { r.Path = "apps/web" }, `path: "apps/web" is not in the repository`},
		"PathIsFile":    {gittest.Files{"a.yaml": ""}, func(r *source.Request) { r.Path = "a.yaml" }, `path: "a.yaml" is a file; a directory is built`},
		"NoResource":    {gittest.Files{"kustomization.yaml": "resources:\n- a.yaml\n- b.yaml\n", "a.yaml": configMap("a", "1")}, nil, `kustomization.yaml:3: resources[1]: "b.yaml" is not in the repository`},
		"UnknownField":  {gittest.Files{"kustomization.yaml": "resource: [a.yaml]\n"}, nil, `kustomization.yaml:1: is no kustomization: invalid Kustomization: json: unknown field "resource"`},
		"BadPatch":      {gittest.Files{"kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n", "a.yaml": configMap("a", "1"), "p.yaml": "a: [\n"}, nil, "p.yaml:1: is no valid YAML: did not find expected node content"},
		"PatchOfNobody": {gittest.Files{"kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n", "a.yaml": configMap("a", "1"), "p.yaml": configMap("b", "1")}, nil, `kustomization.yaml: kustomize: no resource matches strategic merge patch "ConfigMap.v1.[noGrp]/b.[noNs]": no matches for Id ConfigMap.v1.[noGrp]/b.[noNs]; failed to find unique target for patch ConfigMap.v1.[noGrp]/b.[noNs]`},
		"TwoOfThem":     {gittest.Files{"kustomization.yaml": "", "kustomization.yml": ""}, nil, "kustomization.yml: is one of two kustomizations of its directory; the other is kustomization.yaml"},
		"IgnoredBase":   {gittest.Files{"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": configMap("a", "1"), ".sourceignore": "a.yaml"}, nil, `kustomization.yaml:1: resources[0]: "a.yaml" is ignored, by the defaults, a .sourceignore or the rules of the sync`},
		"LFS":           {gittest.Files{"a.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"}, nil, "a.yaml: is in Git LFS, and files in Git LFS are not fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			gittest.NewRepo(t, s.Root, name).Push(tc.files)

			r := request(s, name)
			if tc.change != nil {
				tc.change(&r)
			}

			_, err := git.Builder{Dir: t.TempDir()}.Build(t.Context(), r)

			var e *source.Error
			if !errors.As(err, &e) || e.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}

			if e != nil && e.Transient {
				t.Error("it is tried again, and nothing can change")
			}
		})
	}
}

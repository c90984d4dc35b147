package compose_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/compose"
)

// folder with files, by their paths.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Shop.App")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	return dir
}

// images of the services of a stack.
func images(s *compose.Stack) map[string]string {
	out := map[string]string{}
	for name, service := range s.Project.Services {
		out[name] = service.Image
	}

	return out
}

const web = "services: {web: {image: 'web:${TAG:-1}'}}\n"

func TestLoad(t *testing.T) {
	cases := map[string]struct {
		reason string
		files  map[string]string
		source compose.Source
		stdin  string
		images map[string]string
		name   string
	}{
		"Found": {
			reason: "Without -f the files are those that Compose finds, with the override.",
			files:  map[string]string{"compose.yaml": web, "compose.override.yml": "services: {db: {image: db}}", "docker-compose.yml": "no: use"},
			images: map[string]string{"web": "web:1", "db": "db"}, name: "shopapp",
		},
		"Merged": {
			reason: "Later files win, and lists grow.",
			files:  map[string]string{"a.yaml": web, "b.yaml": "services: {web: {image: other}}"},
			source: compose.Source{Files: []string{"a.yaml", "b.yaml"}},
			images: map[string]string{"web": "other"}, name: "shopapp",
		},
		"EnvFileBeside": {
			reason: "A .env beside the first file is read.",
			files:  map[string]string{"compose.yaml": web, ".env": "TAG=2\nCOMPOSE_PROJECT_NAME=Mine\n"},
			images: map[string]string{"web": "web:2"}, name: "mine",
		},
		"EnvironmentWins": {
			reason: "Variables of the shell win over files, as in Compose.",
			files:  map[string]string{"compose.yaml": web, "prod.env": "TAG=2\n"},
			source: compose.Source{EnvFiles: []string{"prod.env"}, Environ: []string{"TAG=3"}},
			images: map[string]string{"web": "web:3"}, name: "shopapp",
		},
		"NameOfTheFile": {
			reason: "The name in the file wins over the folder's.",
			files:  map[string]string{"compose.yaml": "name: store\n" + web},
			images: map[string]string{"web": "web:1"}, name: "store",
		},
		"NameOfTheFlag": {
			reason: "The flag wins over all.",
			files:  map[string]string{"compose.yaml": "name: store\n" + web},
			source: compose.Source{ProjectName: "flag"},
			images: map[string]string{"web": "web:1"}, name: "flag",
		},
		"Profiles": {
			reason: "COMPOSE_PROFILES turns them on where no flag does.",
			files:  map[string]string{"compose.yaml": web + "  \n", "more.yaml": "services: {job: {image: job, profiles: [jobs]}, dev: {image: dev, profiles: [dev]}}"},
			source: compose.Source{Files: []string{"compose.yaml", "more.yaml"}, Environ: []string{"COMPOSE_PROFILES=jobs, "}},
			images: map[string]string{"web": "web:1", "job": "job"}, name: "shopapp",
		},
		"Stdin": {
			reason: "One of the files can be the standard input.",
			files:  map[string]string{"a.yaml": web},
			source: compose.Source{Files: []string{"a.yaml", compose.Stdin}},
			stdin:  "services: {db: {image: db}}",
			images: map[string]string{"web": "web:1", "db": "db"}, name: "shopapp",
		},
		"ExtendsInside": {
			reason: "Files of the folder may be extended and included.",
			files: map[string]string{
				"compose.yaml":    "include: [sub/more.yaml]\nservices: {web: {extends: {file: sub/base.yaml, service: base}}}",
				"sub/base.yaml":   "services: {base: {image: base}}",
				"sub/more.yaml":   "services: {more: {image: more, env_file: more.env}}",
				"sub/more.env":    "A=b\n",
				"sub/unused.yaml": "{",
			},
			images: map[string]string{"web": "base", "more": "more"}, name: "shopapp",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, tc.files)
			src := tc.source
			src.Dir, src.Stdin = dir, strings.NewReader(tc.stdin)
			src.Files, src.EnvFiles = within(dir, src.Files), within(dir, src.EnvFiles)
			stack, err := compose.Load(t.Context(), src)
			if err != nil {
				t.Fatalf("%s\n%v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.images, images(stack)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if stack.Project.Name != tc.name {
				t.Errorf("%s\nthe project is called %q, want %q", tc.reason, stack.Project.Name, tc.name)
			}
		})
	}
}

func within(dir string, names []string) []string {
	var out []string
	for _, name := range names {
		if name != compose.Stdin {
			name = filepath.Join(dir, name)
		}
		out = append(out, name)
	}

	return out
}

func TestLoadRefuses(t *testing.T) {
	cases := map[string]struct {
		reason string
		files  map[string]string
		source compose.Source
		want   string
	}{
		"Nothing":      {reason: "It says which names it has looked for.", want: "docker-compose.yml"},
		"NoSuchFile":   {reason: "The file is named.", source: compose.Source{Files: []string{"none.yaml"}}, want: `none.yaml`},
		"NoSuchEnv":    {reason: "The file is named.", files: map[string]string{"compose.yaml": web}, source: compose.Source{EnvFiles: []string{"none.env"}}, want: "none.env"},
		"StdinTwice":   {reason: "It is empty the second time.", source: compose.Source{Files: []string{"-", "-"}}, want: "only once"},
		"NoYAML":       {reason: "The line is named.", files: map[string]string{"compose.yaml": "services: [\n"}, want: "line"},
		"NoCompose":    {reason: "The field is named.", files: map[string]string{"compose.yaml": "services: {web: {imagge: x}}"}, want: "imagge"},
		"Required":     {reason: "The message of the file is passed on.", files: map[string]string{"compose.yaml": "services: {web: {image: '${TAG:?set a tag}'}}"}, want: "set a tag"},
		"Empty":        {reason: "There is nothing to convert.", files: map[string]string{"compose.yaml": ""}, want: "empty"},
		"Cycle":        {reason: "Nothing could start.", files: map[string]string{"compose.yaml": "services: {a: {image: a, depends_on: [b]}, b: {image: b, depends_on: [a]}}"}, want: "cycle"},
		"WrongTypes":   {reason: "What compose-go takes for granted is an error, not a panic.", files: map[string]string{"compose.yaml": "services: {web: {image: x, healthcheck: {test: [CMD, 1]}}}"}, want: "services.web.healthcheck"},
		"BadName":      {reason: "A name that was given is not bent.", files: map[string]string{"compose.yaml": web}, source: compose.Source{ProjectName: "Not Good"}, want: "Not Good"},
		"IncludeURL":   {reason: "Nothing is fetched.", files: map[string]string{"compose.yaml": "include: ['https://example.com/compose.yaml']\n" + web}, want: "nothing is fetched"},
		"IncludeOCI":   {reason: "Nothing is fetched.", files: map[string]string{"compose.yaml": "include: ['oci://example.com/a:1']\n" + web}, want: "nothing is fetched"},
		"IncludeGit":   {reason: "Nothing is fetched.", files: map[string]string{"compose.yaml": "include: ['git@example.com:a/b.git']\n" + web}, want: "nothing is fetched"},
		"IncludeAbove": {reason: "A project is what is in its folder.", files: map[string]string{"compose.yaml": "include: ['../compose.yaml']\n" + web}, want: "not in the folder"},
		"ExtendsAbove": {reason: "A project is what is in its folder.", files: map[string]string{"compose.yaml": "services: {web: {extends: {file: ../x.yaml, service: y}}}"}, want: "not in the folder"},
		"ExtendsRoot":  {reason: "A project is what is in its folder.", files: map[string]string{"compose.yaml": "services: {web: {extends: {file: /etc/passwd, service: y}}}"}, want: "not in the folder"},
		"TooLarge":     {reason: "No person has written it.", files: map[string]string{"compose.yaml": "# " + strings.Repeat("x", 5<<20)}, want: "bytes"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, tc.files)
			src := tc.source
			src.Dir, src.Stdin = dir, strings.NewReader("")
			src.Files, src.EnvFiles = within(dir, src.Files), within(dir, src.EnvFiles)
			_, err := compose.Load(t.Context(), src)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s\ngot %v, want an error with %q", tc.reason, err, tc.want)
			}
		})
	}
}

// TestWarningsAreHeard demands that what compose-go would print becomes part of the report.
func TestWarningsAreHeard(t *testing.T) {
	dir := folder(t, map[string]string{"compose.yaml": "version: '3'\nservices: {web: {image: web, environment: {A: '${NOWHERE}'}}}"})
	stack, err := compose.Load(t.Context(), compose.Source{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(stack.Warnings, "\n")
	if !strings.Contains(all, "NOWHERE") || strings.Contains(all, dir) {
		t.Errorf("got %q, want the variable that is not set, and no place on this machine", all)
	}
}

// TestReportsKeepSecrets demands that no report holds the value of a variable or a secret.
func TestReportsKeepSecrets(t *testing.T) {
	const secret = "tr0ub4dor"
	result := converted(t, `
services:
  web:
    image: web
    environment: {PASSWORD: "`+secret+`", bad.name: "`+secret+`", TEMPLATE: "{{`+secret+`}}"}
    secrets: [s]
    healthcheck: {test: "{{`+secret+`}}"}
    logging: {driver: json-file, options: {token: "`+secret+`"}}
volumes: {v: {driver_opts: {o: "password=`+secret+`"}}}
secrets: {s: {driver: d, driver_opts: {p: "`+secret+`"}, file: ./password.txt}}
configs: {c: {content: "`+secret+`"}}
`)
	var said strings.Builder
	if err := result.WriteReport(&said); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(said.String(), secret) {
		t.Errorf("the report tells a secret:\n%s", said.String())
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ran is what a command wrote, and the code that it would end with.
func ran(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	root := newRootCommand()
	var out, said bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&said)
	root.SetArgs(args)
	if err := root.Execute(); err != nil {
		code = exitCodeOf(err)
		said.WriteString(err.Error())
	}

	return out.String(), said.String(), code
}

func TestConvert(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("COMPOSE_PROFILES", "")
	for name, text := range map[string]string{
		"compose.yaml": "name: shop\nservices: {web: {image: 'web:${TAG-1}'}, job: {image: job, profiles: [jobs]}}\n",
		"lossy.yaml":   "services: {web: {privileged: true}}\n",
		"tag.env":      "TAG=7\n",
		"broken.yaml":  "services: [",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	cases := map[string]struct {
		reason string
		args   []string
		stdin  string
		code   int
		// stdout and stderr are what is in them; empty stdout is demanded where there is none.
		stdout []string
		stderr string
	}{
		"Found":          {reason: "The file of the folder is converted.", stdout: []string{"kind: TenantContainer", "image: web:1", "part-of: shop"}, stderr: "1 of 1 services converted"},
		"Flags":          {reason: "All flags reach the loader.", args: []string{"-f", "compose.yaml", "--env-file", "tag.env", "--profile", "jobs", "-p", "other", "-n", "acme"}, stdout: []string{"image: web:7", "name: job", "part-of: other", "namespace: acme"}, stderr: "2 of 2"},
		"Stdin":          {reason: "A dash is the standard input.", args: []string{"-f", "-"}, stdin: "services: {in: {image: in}}", stdout: []string{"image: in"}, stderr: "1 of 1"},
		"Lossy":          {reason: "A loss is reported, and no error.", args: []string{"-f", "compose.yaml", "-f", "lossy.yaml"}, stdout: []string{"image: web:1"}, stderr: `refused: services.web.privileged: "true"`},
		"Strict":         {reason: "Without losses it changes nothing.", args: []string{"--strict"}, stdout: []string{"image: web:1"}, stderr: "0 lost"},
		"StrictAndLossy": {reason: "Nothing is written, so that a pipe applies nothing.", args: []string{"--strict", "-f", "compose.yaml", "-f", "lossy.yaml"}, code: 1, stderr: "not everything can be converted"},
		"Broken":         {reason: "It cannot be read.", args: []string{"-f", "broken.yaml"}, code: 2, stderr: "broken.yaml"},
		"Missing":        {reason: "It cannot be read.", args: []string{"-f", "none.yaml"}, code: 2, stderr: "none.yaml"},
		"UnknownFlag":    {reason: "The command line is wrong.", args: []string{"--nonsense"}, code: 2, stderr: "nonsense"},
		"Argument":       {reason: "Files are given by -f.", args: []string{"compose.yaml"}, code: 2, stderr: "compose.yaml"},
		"Namespace":      {reason: "A server would refuse all of it.", args: []string{"-n", "Not_A_Name"}, code: 2, stderr: `"Not_A_Name" must be`},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := ran(t, tc.stdin, append([]string{"convert"}, tc.args...)...)
			if code != tc.code {
				t.Errorf("%s\nexit code %d, want %d\n%s", tc.reason, code, tc.code, stderr)
			}
			for _, want := range tc.stdout {
				if !strings.Contains(stdout, want) {
					t.Errorf("%s\nstdout has no %q:\n%s", tc.reason, want, stdout)
				}
			}
			if len(tc.stdout) == 0 && stdout != "" {
				t.Errorf("%s\nstdout is not empty:\n%s", tc.reason, stdout)
			}
			if !strings.Contains(stderr, tc.stderr) {
				t.Errorf("%s\nstderr has no %q:\n%s", tc.reason, tc.stderr, stderr)
			}
		})
	}
}

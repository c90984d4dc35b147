//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

const examples = "../../examples"

// job runs commands as CI does: with no terminal, in a session of its own, in a directory with a repository, and with what is
// in its environment and nothing else.
type job struct {
	t   *testing.T
	dir string
	env map[string]string
}

// newJob makes a job. kubeconfig is what it knows of the server; none for one that has to log in itself.
func newJob(t *testing.T, kubeconfig string) *job {
	t.Helper()

	dir := t.TempDir()
	j := &job{t: t, dir: dir, env: map[string]string{"HOME": dir, "TMPDIR": dir, "PATH": commands(t) + ":" + os.Getenv("PATH")}}
	if kubeconfig != "" {
		j.env["KUBECONFIG"] = kubeconfig
	}

	return j
}

// commands is a directory with dogker, and kubectl where the machine has none.
func commands(t *testing.T) string {
	t.Helper()

	dir := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "dogker")); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("kubectl"); err != nil {
		script := fmt.Sprintf("#!/bin/sh\nexec %s kubectl \"$@\"\n", binary)
		if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}

	return dir
}

// file writes a file of the repository.
func (j *job) file(name, text string) {
	j.t.Helper()

	path := filepath.Join(j.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		j.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		j.t.Fatal(err)
	}
}

// try runs a script in the shell that both GitHub and GitLab use.
func (j *job) try(script string, args ...string) (stdout, stderr string, code int) {
	j.t.Helper()

	cmd := exec.CommandContext(j.t.Context(), "bash", append([]string{"-eo", "pipefail", "-c", script, "script"}, args...)...)
	cmd.Dir = j.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	for name, value := range j.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	if cmd.ProcessState == nil {
		j.t.Fatal("bash did not start")
	}

	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// run runs a script that must succeed, and returns what it printed.
func (j *job) run(script string, args ...string) string {
	j.t.Helper()

	stdout, stderr, code := j.try(script, args...)
	if code != 0 {
		j.t.Fatalf("%s\nended with exit code %d\n%s%s", script, code, stdout, stderr)
	}

	return stdout
}

// example is the path of a file among the examples.
func example(t *testing.T, name string) string {
	t.Helper()

	path, err := filepath.Abs(filepath.Join(examples, name))
	if err != nil {
		t.Fatal(err)
	}

	return path
}

// pipeline is a way in which CI deploys. It returns what its log says and whether the job is green.
type pipeline func(t *testing.T, j *job, push bool) (log string, green bool)

// pipelines are the workflows among the examples, step by step as their runners take them.
var pipelines = map[string]pipeline{"GitHub": runGitHub, "GitLab": runGitLab}

// expression is what GitHub replaces before the shell sees it.
var expression = regexp.MustCompile(`\$\{\{ (?:vars|secrets)\.([A-Z_]+) \}\}`)

func runGitHub(t *testing.T, j *job, push bool) (log string, green bool) {
	t.Helper()

	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Name, Uses, Run, If string
				Env                 map[string]string
			}
		}
	}
	parse(t, "ci/github.yml", &workflow)

	steps := 0
	variables := filepath.Join(j.dir, "github.env")
	for _, step := range workflow.Jobs["deploy"].Steps {
		if step.Run == "" || step.If != "" && !push {
			continue
		}
		steps++
		env := maps.Clone(j.env)
		env["RUNNER_TEMP"], env["GITHUB_ENV"] = j.dir, variables
		for name, value := range step.Env {
			env[name] = expression.ReplaceAllStringFunc(value, func(e string) string { return j.env[expression.FindStringSubmatch(e)[1]] })
		}
		// What the settings hold only gets to steps that name it.
		for _, name := range settings {
			if _, named := step.Env[name]; !named {
				delete(env, name)
			}
		}
		if set, err := os.ReadFile(variables); err == nil {
			for line := range strings.Lines(string(set)) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				env[name] = value
			}
		}
		out, errs, code := (&job{t: t, dir: j.dir, env: env}).try(step.Run)
		if log += out + errs; code != 0 {
			return log, false
		}
	}
	if want := map[bool]int{false: 2, true: 4}[push]; steps != want {
		t.Errorf("the workflow has %d steps, want %d", steps, want)
	}

	return log, true
}

func runGitLab(t *testing.T, j *job, push bool) (log string, green bool) {
	t.Helper()

	var workflow map[string]struct {
		BeforeScript []string `json:"before_script"`
		Script       []string
	}
	parse(t, "ci/gitlab-ci.yml", &workflow)

	name := "check"
	if push {
		name = "deploy"
	}
	// The authority is in a file there.
	env := maps.Clone(j.env)
	j.file("authority", j.env["CLOUD_CA"])
	env["CLOUD_CA"] = filepath.Join(j.dir, "authority")
	script := slices.Concat(workflow["default"].BeforeScript, workflow[name].Script)
	if len(script) < 7 {
		t.Errorf("the script has %d lines", len(script))
	}
	out, errs, code := (&job{t: t, dir: j.dir, env: env}).try(strings.Join(script, "\n"))

	return out + errs, code == 0
}

func parse(t *testing.T, name string, into any) {
	t.Helper()

	data, err := os.ReadFile(example(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// settings are what people enter once for a repository.
var settings = []string{"CLOUD_SERVER", "CLOUD_CA", "CLOUD_NAMESPACE", "CLOUD_TOKEN"}

const deployYAML = `apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: web}
spec:
  image: %s
  imagePullPolicy: Never
  healthCheck: {exec: {command: [/app, -check]}, periodSeconds: 1}
  rollout: {monitorSeconds: 2, progressDeadlineSeconds: 30}
%s`

// TestPipelines: a script makes a tenant and a token; with that, the workflows among the examples check and deploy to a
// running container, change nothing the second time, and are red with a reason when something is wrong. There is no terminal.
func TestPipelines(t *testing.T) {
	t.Parallel()
	for name, pipeline := range pipelines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := sharedCell(t)
			n := &tenant{cell: c, t: t, name: "ci-" + strings.ToLower(name)}
			n.tidyTenant()

			token := newTenant(t, c, n.name)
			authority, err := os.ReadFile(filepath.Join(c.server.dataDir, "pki", "ca.crt"))
			if err != nil {
				t.Fatal(err)
			}
			j := newJob(t, "")
			maps.Copy(j.env, map[string]string{
				"CLOUD_SERVER": "https://" + c.server.address, "CLOUD_CA": string(authority), "CLOUD_NAMESPACE": n.name, "CLOUD_TOKEN": token,
			})

			j.file("deploy/web.yaml", fmt.Sprintf(deployYAML, lab.Image("v1"), ""))
			if log, green := pipeline(t, j, false); !green || !strings.Contains(log, lab.Image("v1")) {
				t.Fatalf("a check of what is new: green: %v\n%s", green, log)
			}
			if _, err := n.read("web"); err == nil {
				t.Error("a check has deployed")
			}
			if log, green := pipeline(t, j, true); !green {
				t.Fatalf("a deployment is red\n%s", log)
			}
			was := n.get("web")
			if log, green := pipeline(t, j, true); !green {
				t.Fatalf("a deployment of the same is red\n%s", log)
			}
			if is := n.get("web"); is.Generation != was.Generation {
				t.Errorf("a deployment of the same moved the generation from %d to %d", was.Generation, is.Generation)
			}

			for reason, manifest := range map[string]string{
				"spec.replcas":  fmt.Sprintf(deployYAML, lab.Image("v1"), "  replcas: 2\n"),
				"spec.replicas": fmt.Sprintf(deployYAML, lab.Image("v1"), "  replicas: -1\n"),
			} {
				j.file("deploy/web.yaml", manifest)
				if log, green := pipeline(t, j, true); green || !strings.Contains(log, reason) {
					t.Errorf("what is wrong with %s: green: %v\n%s", reason, green, log)
				}
			}
			if log, _ := pipeline(t, j, false); strings.Contains(log, token) {
				t.Error("the log holds the token")
			}
		})
	}
}

// newTenant runs the script that makes a tenant, twice, and returns the token that is good.
func newTenant(t *testing.T, c *cell, name string) (token string) {
	t.Helper()

	platform := newJob(t, c.server.kubeconfig())
	platform.run(`kubectl apply -f - <<< '{"apiVersion":"dogker.io/v1alpha1","kind":"Plan","metadata":{"name":"ci"},"spec":{"securityProfile":"` + string(v1alpha1.ProfilePrivileged) + `"}}'`)
	script := fmt.Sprintf(`%q "$@"`, example(t, "ci/new-tenant.sh"))
	if _, stderr, code := platform.try(script, name); code != 64 || !strings.Contains(stderr, "usage") {
		t.Errorf("without a plan the script ends with exit code %d", code)
	}
	first, second := platform.run(script, name, "ci"), platform.run(script, name, "ci")
	if first == second || strings.Count(second, "\n") != 1 {
		t.Error("the script prints something else than a token of its own each time")
	}
	if got := platform.run("kubectl get tenant " + name + " -o json"); !strings.Contains(got, `"planName": "ci"`) {
		t.Errorf("the tenant is\n%s", got)
	}

	return strings.TrimSpace(second)
}

// tidyTenant takes the tenant away when the test ends.
func (n *tenant) tidyTenant() {
	n.t.Helper()

	n.t.Cleanup(func() {
		if n.t.Failed() {
			n.diagnose()
		}
		ctx, cancel := contextFor(instant)
		defer cancel()
		owner := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: n.name}}
		_ = n.api.Patch(ctx, owner, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"deletionPolicy":"Delete"}}`)))
		if err := n.deleteTenant(goneBy); err != nil {
			n.t.Error(err)
		}
	})
}

//go:build conformance

package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/internal/gitops/set"
)

// files writes files below a directory of the test's own, and returns it.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	return dir
}

// set runs dogker apply or dogker diff on a set of the name shop.
func (r *robot) set(verb, from string, flags ...string) (stdout, stderr string, code int) {
	r.t.Helper()

	return r.try("", "dogker", append([]string{verb, "-f", from, "--set", "shop"}, flags...)...)
}

// mustSet is set where the command must end with that exit code and print that.
func (r *robot) mustSet(code int, stdout, verb, from string, flags ...string) {
	r.t.Helper()
	out, errs, got := r.set(verb, from, flags...)
	if diff := cmp.Diff(stdout, out); diff != "" || got != code {
		r.t.Errorf("dogker %s %s: exit code %d, want %d\n%s-want +got\n%s", verb, strings.Join(flags, " "), got, code, errs, diff)
	}
	if (errs != "") != (code == 1) {
		r.t.Errorf("dogker %s %s: standard error is for errors, and has\n%s", verb, strings.Join(flags, " "), errs)
	}
}

// versions are the versions of all objects of the namespace that a set may have.
func (r *robot) versions() string {
	r.t.Helper()

	return r.run("kubectl", "get", "configmaps,secrets,tenantcontainers", "-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.metadata.managedFields[?(@.manager=="dogker-gitsync")].time} {.data}{"\n"}{end}`)
}

// TestDogkerApply: files become objects, a second run writes nothing, what is gone from the files is pruned when somebody asks
// for it, and the exit codes say how it went.
func TestDogkerApply(t *testing.T) {
	r := newRobot(t, developer)
	dir := files(t, map[string]string{
		"web.yaml":          tenantContainer("web", "replicas: 2"),
		"more/settings.yml": configMap("settings", "level", "info"),
		"more/secret.yaml":  "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: hunter22}\n",
		"README.md":         "no manifest",
	})

	all := "secret/db created\nconfigmap/settings created\ntenantcontainer.dogker.io/web created\n"
	r.mustSet(2, all, "diff", dir)
	r.mustSet(0, strings.ReplaceAll(all, "\n", " (server dry run)\n"), "apply", dir, "--dry-run")
	if got := r.run("kubectl", "get", "tc,secrets", "-o", "name"); got != "" {
		t.Fatalf("a dry run has made %s", got)
	}
	r.mustSet(0, all, "apply", dir)

	before := r.versions()
	r.mustSet(0, strings.ReplaceAll(all, "created", "unchanged"), "apply", dir, "--prune")
	r.mustSet(0, "", "diff", dir, "--prune")
	if diff := cmp.Diff(before, r.versions()); diff != "" {
		t.Errorf("a second run has written\n%s", diff)
	}

	for name, text := range map[string]string{
		"web.yaml":         tenantContainer("web", "replicas: 3"),
		"more/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: correct-horse}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.mustSet(2, "secret/db configured\n    data.password\ntenantcontainer.dogker.io/web configured\n    spec.replicas: 2 → 3\n", "diff", dir)
	r.mustSet(0, "secret/db configured\nconfigmap/settings unchanged\ntenantcontainer.dogker.io/web configured\n", "apply", dir)

	if err := os.Remove(filepath.Join(dir, "more", "secret.yaml")); err != nil {
		t.Fatal(err)
	}
	// What somebody leaves behind who does not prune is not forgotten.
	rest := "configmap/settings unchanged\ntenantcontainer.dogker.io/web unchanged\n"
	r.mustSet(0, rest, "apply", dir)
	r.mustSet(2, "secret/db deleted\n", "diff", dir, "--prune")
	r.mustSet(0, rest+"secret/db deleted\n", "apply", dir, "--prune")
	if got := r.run("kubectl", "get", "secrets", "-o", "name"); got != "" {
		t.Errorf("left is %s", got)
	}
}

// TestDogkerApplyRefuses: what is wrong is named by file, line and field, all of it at once, and nothing is written then.
func TestDogkerApplyRefuses(t *testing.T) {
	r := newRobot(t, developer)
	good := configMap("settings", "level", "info") + "---\n"
	for claim, tc := range map[string]struct {
		reason string
		files  map[string]string
		flags  []string
		says   []string
	}{
		"BrokenYAML": {
			reason: "Files are read before the server is asked.",
			files:  map[string]string{"a.yaml": good + "kind: [\n"}, says: []string{"a.yaml:7: is no valid YAML"},
		},
		"UnknownField": {
			reason: "A typing error is no wish.",
			files:  map[string]string{"a.yaml": good, "b.yaml": "\n" + tenantContainer("web", "replcas: 2")},
			says:   []string{"b.yaml:2: TenantContainer/web: spec.replcas: is no field of this kind"},
		},
		"SeveralErrors": {
			reason: "Who mends one wants to know of the others, each on a line of its own.",
			files:  map[string]string{"a.yaml": good, "b.yaml": tenantContainer("web", "replicas: -1"), "c.yaml": tenantContainer("api", "replicas: many")},
			says:   []string{"b.yaml:1: TenantContainer/web: spec.replicas: ", "\n" /* and */, "c.yaml:1: TenantContainer/api: spec.replicas: "},
		},
		"OtherNamespace": {
			reason: "A set stays where it is applied to.",
			files:  map[string]string{"a.yaml": good + strings.Replace(configMap("x"), "name: x", "name: x, namespace: default", 1)},
			says:   []string{"a.yaml:7: ConfigMap/x: metadata.namespace: Invalid value: \"default\""},
		},
		"TwiceTheSame": {
			reason: "Which one was meant nobody knows.",
			files:  map[string]string{"a.yaml": good, "b.yaml": good}, says: []string{"b.yaml:1: ConfigMap \"settings\" is there twice", "a.yaml:1"},
		},
		"RemoteBase": {
			reason: "Nothing is fetched.",
			files:  map[string]string{"kustomization.yaml": "resources:\n- https://example.com/base\n"}, says: []string{"kustomization.yaml:2: resources[0]: \"https://example.com/base\" is elsewhere"},
		},
		"NoDirectory": {
			reason: "A wrong path is no empty set.",
			files:  nil, flags: []string{"-f", "no-such-directory"}, says: []string{"no-such-directory"},
		},
		"BadName": {
			reason: "The name of a set is part of names and labels.",
			files:  map[string]string{"a.yaml": good}, flags: []string{"--set", "My Shop"}, says: []string{"--set", "My Shop"},
		},
		"BadOutput": {
			reason: "A program that asks for another format must not get this one.",
			files:  map[string]string{"a.yaml": good}, flags: []string{"-o", "yaml"}, says: []string{"--output", "yaml", "must be json"},
		},
	} {
		t.Run(claim, func(t *testing.T) {
			dir := files(t, tc.files)
			for _, verb := range []string{"apply", "diff"} {
				stdout, stderr, code := r.set(verb, dir, tc.flags...)
				if code != 1 || stdout != "" {
					t.Errorf("%s dogker %s: exit code %d\n%s", tc.reason, verb, code, stdout)
				}
				contains(t, tc.reason, stderr, tc.says...)
			}
			if got := r.run("kubectl", "get", "tc", "-o", "name") + r.run("kubectl", "get", "cm", "-o", "name"); strings.Contains(got, "settings") || strings.Contains(got, "dogker") {
				t.Errorf("%s There is %s", tc.reason, got)
			}
		})
	}
}

// TestDogkerApplyEmptied: files that are suddenly none take nothing down, until somebody says that it is meant.
func TestDogkerApplyEmptied(t *testing.T) {
	r := newRobot(t, developer)
	r.mustSet(0, "configmap/a created\nconfigmap/b created\n", "apply", files(t, map[string]string{"a.yaml": configMap("a") + "---\n" + configMap("b")}))

	empty := files(t, map[string]string{"README.md": "nothing here yet"})
	for range 2 {
		_, stderr, code := r.set("apply", empty, "--prune")
		if code != 1 {
			t.Errorf("an emptied directory was applied with exit code %d", code)
		}
		contains(t, "the guard", stderr, "nothing is pruned", "--allow-empty")
		r.run("kubectl", "get", "configmap", "a", "b")
	}

	stdout, stderr, code := r.set("apply", empty, "--prune", "--allow-empty")
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	contains(t, "what was pruned", stdout, "configmap/a deleted", "configmap/b deleted")
	if got := r.run("kubectl", "get", "cm", "-o", "name"); strings.Contains(got, "dogker-set-shop") {
		t.Error("the record of a set without objects is still there")
	}
}

// TestDogkerApplySets: two sets of a namespace do not know each other's objects, and say so when they have the same.
func TestDogkerApplySets(t *testing.T) {
	r := newRobot(t, developer)
	shop := files(t, map[string]string{"a.yaml": configMap("a")})
	r.mustSet(0, "configmap/a created\n", "apply", shop, "--prune")
	r.mustSet(0, "configmap/b created\n", "apply", files(t, map[string]string{"b.yaml": configMap("b")}), "--prune", "--set", "other")
	r.mustSet(0, "configmap/a unchanged\n", "apply", shop, "--prune")

	_, stderr, code := r.set("apply", shop, "--set", "other")
	if code != 1 {
		t.Errorf("the object of another set was taken with exit code %d", code)
	}
	contains(t, "the refusal", stderr, "a.yaml:1: ConfigMap/a: belongs to", "dogker-set-shop")

	// What something else applies from standard input is a set as well.
	r.pipe(configMap("c"), "dogker", "apply", "-f", "-", "--set", "piped")
	_, stderr, code = r.try(tenantContainer("web", "replicas: -1"), "dogker", "apply", "-f", "-", "--set", "piped")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	contains(t, "the refusal", stderr, "standard input:1: TenantContainer/web: spec.replicas")
}

// TestDogkerApplyWaits: what is not Ready is named, with what it says about itself, and what the files do not have any more
// stays until then. A program reads the same as JSON.
func TestDogkerApplyWaits(t *testing.T) {
	r := newRobot(t, developer)
	r.mustSet(0, "configmap/old created\n", "apply", files(t, map[string]string{"a.yaml": configMap("old")}))
	r.mustSet(0, "configmap/old unchanged\neverything is ready\n", "apply", files(t, map[string]string{"a.yaml": configMap("old")}), "--wait")

	// Without an engine no container becomes Ready.
	dir := files(t, map[string]string{"web.yaml": tenantContainer("web", "replicas: 1")})
	stdout, stderr, code := r.set("apply", dir, "--prune", "--wait", "--timeout", "1s", "-o", "json")
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	contains(t, "the error", stderr, "web.yaml:1: TenantContainer/web: ")
	var report set.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	if len(report.Errors) != 1 || report.Errors[0].Line != 1 || report.Errors[0].Reason != "Unhealthy" || report.Ready {
		t.Errorf("the errors are %+v", report.Errors)
	}
	if diff := cmp.Diff([]set.Change{{Group: "dogker.io", Kind: "TenantContainer", Namespace: r.namespace, Name: "web", Action: "created"}}, report.Changes); diff != "" {
		t.Errorf("the changes -want +got\n%s", diff)
	}
	r.run("kubectl", "get", "configmap", "old")
}

// TestDogkerApplyInterrupted: ctrl-C ends the wait at once, and the next run goes on from there.
func TestDogkerApplyInterrupted(t *testing.T) {
	r := newRobot(t, developer)
	r.mustSet(0, "configmap/old created\n", "apply", files(t, map[string]string{"a.yaml": configMap("old")}))
	dir := files(t, map[string]string{"web.yaml": tenantContainer("web", "replicas: 1"), "new.yaml": configMap("new")})
	cmd := r.command("", "dogker", "apply", "-f", dir, "--set", "shop", "--prune", "--wait", "--timeout", "10m")
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the container is there", func() bool {
		_, err := shared.dynamic(t).Resource(containers).Namespace(r.namespace).Get(t.Context(), "web", metav1.GetOptions{})

		return err == nil
	})
	begin := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if took := time.Since(begin); took > 10*time.Second || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("it ended with %s after %s", cmd.ProcessState, took)
	}
	contains(t, "the error", errs.String(), "interrupted")

	stdout, stderr, code := r.set("apply", dir, "--prune")
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	contains(t, "the next run", stdout, "configmap/new unchanged", "configmap/old deleted")
}

// TestDogkerApplyAtOnce: of two who apply the same set at the same time none loses what the other has on record.
func TestDogkerApplyAtOnce(t *testing.T) {
	r := newRobot(t, developer)
	dirs := []string{
		files(t, map[string]string{"a.yaml": configMap("shared") + "---\n" + configMap("a")}),
		files(t, map[string]string{"b.yaml": configMap("shared") + "---\n" + configMap("b")}),
	}
	type ended struct {
		out  string
		code int
	}
	results := make(chan ended)
	for _, dir := range dirs {
		cmd := r.command("", "dogker", "apply", "-f", dir, "--set", "shop")
		go func() {
			out, _ := cmd.CombinedOutput()
			results <- ended{string(out), cmd.ProcessState.ExitCode()}
		}()
	}
	for range dirs {
		if got := <-results; got.code != 0 {
			contains(t, "the loser", got.out, "somebody else has applied the same set meanwhile")
		}
	}

	// Whoever it was: the record has all that is there, so that pruning to one of them leaves nothing of the other.
	stdout, stderr, code := r.set("apply", dirs[0], "--prune")
	if code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if got := r.run("kubectl", "get", "configmaps", "-o", "name"); strings.Contains(got, "configmap/b\n") || !strings.Contains(got, "configmap/a\n") {
		t.Errorf("left are\n%s", got)
	}
}

//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestGitSyncOnARealSwarm: what runs is what the repository says, whatever anybody commits, or does behind its back.
func TestGitSyncOnARealSwarm(t *testing.T) {
	t.Parallel()
	w := newGitWorld(t)

	for name, test := range map[string]func(*testing.T, *gitTenant){
		"story": gitStory, "bad": gitBadCommits, "drift": gitDrift, "keys": gitCredentials, "border": gitBorder,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, w.tenantOf(t, "git-"+name))
		})
	}
}

// gitStory goes from the first commit to an emptied repository.
func gitStory(t *testing.T, n *gitTenant) {
	files := gittest.Files{"web.yaml": manifestOf("web", "v1"), "api/api.yaml": manifestOf("api", "v1")}
	g := n.sync("shop", files)
	first := g.repo.Head()
	g.applied(first)
	n.wantRuns("web", "v1")
	n.wantRuns("api", "v1")
	api := n.taskIDs("api")

	files["web.yaml"] = manifestOf("web", "v2")
	began := time.Now()
	second := g.push(files)
	g.ask()
	applied := await(t, soon, "the push is applied", func() error {
		tc, err := n.tenant.read("web")
		if err != nil {
			return err
		}

		return wantf(string(tc.Spec.Image), lab.Image("v2"), "image")
	})
	g.applied(second)
	t.Logf("on request a push was applied after %s, and Ready after %s", applied.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	n.wantRuns("web", "v2")

	// To revert is a commit like any other, and so is a branch that is moved back.
	files["web.yaml"] = manifestOf("web", "v1")
	third := g.push(files)
	g.ask()
	g.applied(third)
	n.wantRuns("web", "v1")
	g.repo.Ref("refs/heads/main", second)
	g.ask()
	g.applied(second)
	n.wantRuns("web", "v2")
	if got := n.taskIDs("api"); !maps.Equal(got, api) {
		t.Errorf("nothing has changed about the other container, and its tasks were %v and are %v", api, got)
	}

	gone := g.push(gittest.Files{"web.yaml": manifestOf("web", "v2")})
	g.ask()
	g.applied(gone)
	await(t, soon, "the container whose file is gone is gone", func() error { return n.noContainer("api") })

	web := n.taskIDs("web")
	g.push(gittest.Files{"README.md": "Nothing runs here any more."})
	g.ask()
	message := conditions.Get(g.ended(gitopsv1.ReasonReconciliationSucceeded), conditions.Ready).Message
	if !strings.Contains(message, "spec.pruneEmpty") {
		t.Errorf("of the emptied repository it says only %q", message)
	}
	if got := n.taskIDs("web"); !maps.Equal(got, web) {
		t.Errorf("the repository was emptied, and the tasks were %v and are %v", web, got)
	}
}

// passes makes the lab's image be asked for its health. The deadlines are those of a machine that does other things as well.
const passes = `healthCheck: {exec: {command: [/app, -check]}, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 2}`

// gitBadCommits: none of them touches a task, each says where it is wrong, and the next good one runs.
func gitBadCommits(t *testing.T, n *gitTenant) {
	for name, tc := range map[string]struct {
		// file is what is committed; %s stands for the container's name.
		file   string
		reason string
		says   []string
		// timeout is how long is waited for health.
		timeout time.Duration
	}{
		"no-yaml":       {"a: [1,\nb: 2\n", "BuildFailed", []string{"apps/no-yaml.yaml:"}, 0},
		"unknown-field": {manifestOf("%s", "v2", "imag: v3"), "Invalid", []string{"apps/unknown-field.yaml:1", "TenantContainer/unknown-field", "spec.imag"}, 0},
		"over-quota":    {manifestOf("%s", "v2", "replicas: 40"), "QuotaExceeded", []string{"apps/over-quota.yaml:1", "TenantContainer/over-quota", "replicas"}, 0},
		"no-image":      {manifestOf("%s", "none"), gitopsv1.ReasonHealthCheckFailed, []string{"apps/no-image.yaml:1", "ImageUnavailable", lab.Image("none")}, 20 * time.Second},
		"unhealthy":     {manifestOf("%s", "v2", passes, `env: [{name: APP_UNHEALTHY, value: "true"}]`), gitopsv1.ReasonHealthCheckFailed, []string{"apps/unhealthy.yaml:1", "TenantContainer/unhealthy"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, path := n.in(t), "apps/"+name+".yaml"
			g := n.sync(name, gittest.Files{path: manifestOf(name, "v1", passes)}, func(s *gitopsv1.GitSync) {
				s.Spec.Timeout.Duration = tc.timeout
			})
			g.applied(g.repo.Head())
			old := n.taskIDs(name)

			g.push(gittest.Files{path: strings.ReplaceAll(tc.file, "%s", name)})
			g.ask()
			g.bad(tc.reason, tc.says...)
			await(t, soon, "the tasks of the last good commit serve alone", func() error {
				return wantf(fmt.Sprint(n.taskIDs(name)), fmt.Sprint(old), "tasks")
			})
			n.wantRuns(name, "v1")

			good := g.push(gittest.Files{path: manifestOf(name, "v2", passes)})
			g.ask()
			g.applied(good)
			n.wantRuns(name, "v2")
		})
	}
}

// gitDrift: who changes something by hand finds it put back, through the API within the interval, in Swarm within moments.
func gitDrift(t *testing.T, n *gitTenant) {
	g := n.sync("shop", gittest.Files{"web.yaml": manifestOf("web", "v1", "replicas: 1")}, func(s *gitopsv1.GitSync) {
		s.Spec.Interval = metav1.Duration{Duration: 30 * time.Second}
	})
	g.applied(g.repo.Head())

	n.kubectl("scale", "tenantcontainer", "web", "--replicas=2")
	n.kubectl("patch", "tenantcontainer", "web", "--type=merge", "--patch", fmt.Sprintf(`{"spec":{"image":%q}}`, lab.Image("v2")))
	took := await(t, soon, "the change by hand is put back", func() error {
		tc, err := n.tenant.read("web")
		if err != nil {
			return err
		}

		return errors.Join(wantf(string(tc.Spec.Image), lab.Image("v1"), "image"), wantf(*tc.Spec.Replicas, 1, "replicas"))
	})
	t.Logf("a change by hand was put back after %s of an interval of 30s", took.Round(time.Millisecond))
	n.ready("web")
	await(t, soon, "the old image runs again", func() error { return n.runs("web", "v1") })

	declared := n.settled("web").Spec
	n.tamper("web", envAdded)
	took = await(t, soon, "the service is repaired", func() error { return n.asDeclared("web", declared) })
	t.Logf("a change by docker was put back after %s", took.Round(time.Millisecond))
	n.ready("web")
}

// secretive has a container that is given what was opened and what was replaced on the way from the repository.
func secretive(t *testing.T) gittest.Files {
	t.Helper()

	// SOPS itself has encrypted the Secrets in it.
	sealed, err := os.ReadFile(sopsFile("multi.yaml"))
	if err != nil {
		t.Fatal(err)
	}

	return gittest.Files{"sealed.yaml": string(sealed), "web.yaml": manifestOf("web", "v1",
		"env:", `- {name: LEVEL, value: "level ${level} of ${of:=3}"}`, "- {name: PASSWORD, valueFrom: {secretKeyRef: {name: first, key: password}}}",
		"files: [{path: /key, secretKeyRef: {name: third, key: key}}]",
	)}
}

func sopsFile(name string) string { return filepath.Join("../../internal/git/sops/testdata", name) }

// gitCredentials: repositories that are not for everybody are fetched with what the tenant has, and what is secret in them gets
// to the container.
func gitCredentials(t *testing.T, n *gitTenant) {
	key, err := os.ReadFile(sopsFile("keys.txt"))
	if err != nil {
		t.Fatal(err)
	}
	n.annotate(v1alpha1.AnnotationDeleteData, n.tenant.name) // The Secrets go with it.
	n.secret("sops", map[string]string{"ada.agekey": string(key)})
	n.secret("vars", map[string]string{"level": "2"})
	login := n.secret("login", map[string]string{"username": gitUser, "password": "wrong", "ca.crt": string(n.world.locked.CA())})
	n.secret("ssh", map[string]string{"identity": n.world.ssh.Identity, "known_hosts": n.world.ssh.KnownHosts})

	byPassword := n.sync("by-password", secretive(t), func(s *gitopsv1.GitSync) {
		s.Spec.URL, s.Spec.SecretRef = n.world.locked.At(n.tenant.name+"/by-password.git"), &gitopsv1.SecretReference{Name: "login"}
		s.Spec.Decryption = &gitopsv1.Decryption{Provider: "sops", SecretRef: gitopsv1.SecretReference{Name: "sops"}}
		s.Spec.PostBuild = &gitopsv1.PostBuild{SubstituteFrom: []gitopsv1.SubstituteReference{{Kind: "Secret", Name: "vars"}}}
	})
	byKey := n.sync("by-key", gittest.Files{"api.yaml": manifestOf("api", "v1")}, func(s *gitopsv1.GitSync) {
		s.Spec.URL, s.Spec.SecretRef = n.world.ssh.At(n.tenant.name+"/by-key.git"), &gitopsv1.SecretReference{Name: "ssh"}
	})
	byKey.applied(byKey.repo.Head())
	n.wantRuns("api", "v1")

	refused := byPassword.ended("AuthenticationFailed")
	if message := conditions.Get(refused, conditions.Ready).Message; strings.Contains(message, "wrong") {
		t.Errorf("what is said of a wrong password has it: %q", message)
	}
	if err := n.noContainer("web"); err != nil {
		t.Error(err)
	}
	n.replace(login, func() { login.StringData = map[string]string{"password": gitPassword} })
	byPassword.ask()
	byPassword.applied(byPassword.repo.Head())

	p := n.look("web")
	for name, want := range map[string]string{"LEVEL": "level 2 of 3", "PASSWORD": "one"} {
		if got := p.env(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := p.read("root/key"); got != "hunter2" {
		t.Errorf("the file with the secret: got %q", got)
	}
}

// gitBorder: what a tenant's repository says about another tenant is refused, by name, and nothing of the commit is applied.
func gitBorder(t *testing.T, n *gitTenant) {
	other := n.world.tenantOf(t, "git-other")
	other.run(app("web", "v1"))
	was := other.settled("web")

	intruding := strings.Replace(manifestOf("web", "v2"), "{name: web}", "{name: web, namespace: "+other.tenant.name+"}", 1)
	g := n.sync("shop", gittest.Files{"a.yaml": manifestOf("own", "v1"), "b.yaml": intruding})
	g.bad("NamespaceRefused", "b.yaml:1", "TenantContainer/web", "metadata.namespace", other.tenant.name)

	// A kustomization that moves everything is no way around it.
	g.push(gittest.Files{
		"kustomization.yaml": "namespace: " + other.tenant.name + "\nresources: [a.yaml]\n", "a.yaml": manifestOf("web", "v2"),
	})
	g.ask()
	g.bad("NamespaceRefused", "TenantContainer/web", other.tenant.name)

	if err := errors.Join(n.noContainer("own"), other.unmoved(was)); err != nil {
		t.Error(err)
	}

	good := g.push(gittest.Files{"a.yaml": manifestOf("own", "v1")})
	g.ask()
	g.applied(good)
	n.wantRuns("own", "v1")
}

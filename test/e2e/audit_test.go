//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/audit"
	"github.com/dogker/dogker/internal/lab"
)

// The exit codes of `dogker audit`.
const (
	auditClean = iota
	auditFindings
	auditImpossible
)

// sectionFive is the section of the benchmark in which our own defaults have no findings.
const sectionFive = "5 Container runtime"

// audit runs the command against an engine and returns what it prints and its exit code.
func (c *cell) audit(t *testing.T, engine string, args ...string) (string, int) {
	t.Helper()

	cmd := exec.CommandContext(t.Context(), binary, append([]string{"audit"}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.server.kubeconfig(), "HOME="+c.dir, "DOCKER_HOST="+engine)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	t.Logf("dogker audit %s: %v %s", strings.Join(args, " "), err, stderr.String())
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}

	return stdout.String(), cmd.ProcessState.ExitCode()
}

// report is the same as a program reads it.
func (c *cell) report(t *testing.T, engine string, args ...string) (audit.Report, int) {
	t.Helper()

	out, code := c.audit(t, engine, append(args, "-o", "json")...)
	var r audit.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("read the report: %v\n%s", err, out)
	}

	return r, code
}

func auditCheck(t *testing.T, r audit.Report, id string) audit.Check {
	t.Helper()

	i := slices.IndexFunc(r.Checks, func(c audit.Check) bool { return c.ID == id })
	if i < 0 {
		t.Fatalf("the report has no check %s", id)
	}

	return r.Checks[i]
}

// findingsOn are the ids of the checks that have found something about an object, in order.
func findingsOn(r audit.Report, kind, name string) []string {
	var ids []string
	for _, c := range r.Checks {
		if slices.ContainsFunc(c.Findings, func(f audit.Finding) bool { return f.Object.Kind == kind && f.Object.Name == name }) {
			ids = append(ids, c.ID)
		}
	}

	return ids
}

// withProfile makes a tenant whose plan names a registry and that profile, and no profile where that is empty.
func (c *cell) withProfile(t *testing.T, name string, profile v1alpha1.SecurityProfile, r *imageRegistry) *tenant {
	t.Helper()

	n := &tenant{cell: c, t: t, name: name}
	n.declare(&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.PlanSpec{
		SecurityProfile: profile,
		Images:          &v1alpha1.ImageRules{Allowed: []v1alpha1.ImagePattern{v1alpha1.ImagePattern(r.host)}},
	}})

	return n
}

// sample is the TenantContainer of the smallest sample, as a reader of the documentation applies it.
func sample(t *testing.T) *v1alpha1.TenantContainer {
	t.Helper()

	content, err := os.ReadFile("../../manifests/samples/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(content), "\n---\n") {
		var tc v1alpha1.TenantContainer
		if err := yaml.UnmarshalStrict([]byte(document), &tc); err == nil && tc.Kind == "TenantContainer" {
			return &tc
		}
	}
	t.Fatal("the smallest sample has no TenantContainer")

	return nil
}

// careful is what a container looks like that leaves nothing to say.
func careful(tc *v1alpha1.TenantContainer) {
	tc.Spec.Security = &v1alpha1.Security{ReadOnlyRootFilesystem: true}
	healthy(tc)
	tc.Spec.HealthCheck.PeriodSeconds = new(int32(5)) // Rule R3.
}

// TestAuditOfOurDefaults: on an engine that is set up as the security guide says, what a tenant declares without a word
// about security has no findings, and what is still to be said about it is what only its author can decide.
func TestAuditOfOurDefaults(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{EngineArgs: []string{"--no-new-privileges"}})
	engine := c.lab.Nodes[0].Host
	n := &tenant{cell: c, t: t}
	r := n.registry("")
	n.push(r, "v1", "1")
	image := from(r.ref("1"))
	n = c.withProfile(t, "acme", "", r)

	web := sample(t)
	image(web)
	n.run(web)
	n.run(app("careful", "", image, careful))
	c.withProfile(t, "globex", v1alpha1.ProfileBaseline, r).run(app("ordinary", "", image))

	t.Run("NothingIsFound", func(t *testing.T) {
		r, _ := c.report(t, engine)
		for _, check := range r.Checks {
			for _, f := range check.Findings {
				// The profile baseline leaves the user to the image, and that of the lab is root.
				root := check.ID == "4.1" && f.Object.Name == "ordinary"
				if check.Section == sectionFive || f.Object.Owner == audit.OwnerDogker && !root {
					t.Errorf("%s %s: %+v", check.ID, check.Title, f)
				}
			}
		}
		if r.Scope.Services != 3 || r.Scope.Containers != 3 {
			t.Errorf("looked at %+v, want three services with a container each", r.Scope)
		}
		for _, id := range []string{"5.4", "5.7", "5.11", "5.22", "5.26", "5.29", "5.32", "C1", "R1", "G3"} {
			if check := auditCheck(t, r, id); check.Outcome != audit.OutcomePass || check.Passed != 3 {
				t.Errorf("check %s: got %+v, want that all pass", id, check)
			}
		}
		if check := auditCheck(t, r, "4.1"); check.Passed != 2 || len(check.Findings) != 1 {
			t.Errorf("users: got %+v, want that only the profile baseline has root", check)
		}
		if check := auditCheck(t, r, "2.14"); check.Outcome != audit.OutcomePass {
			t.Errorf("the engine forbids new privileges, and the kernel tells: got %+v", check)
		}
		if check := auditCheck(t, r, "7.2"); check.Outcome != audit.OutcomePass {
			t.Errorf("the manager listens on one address: got %+v", check)
		}
	})

	t.Run("TheNamespaceIsClean", func(t *testing.T) {
		if out, code := c.audit(t, engine, "--namespace", "acme"); code != auditClean || !strings.Contains(out, "no findings") {
			t.Errorf("exit code %d, want %d\n%s", code, auditClean, out)
		}
	})

	t.Run("AdviceIsTheAuthors", func(t *testing.T) {
		r, code := c.report(t, engine, "--namespace", "acme", "--severity", "advice")
		if got := findingsOn(r, audit.KindTenantContainer, "web"); !slices.Equal(got, []string{"5.13", "5.27"}) || code != auditFindings {
			t.Errorf("advice on a container that says nothing: got %v and exit code %d", got, code)
		}
		if got := findingsOn(r, audit.KindTenantContainer, "careful"); len(got) > 0 {
			t.Errorf("advice on one that says it all: got %v", got)
		}
	})

	t.Run("OnlyReads", func(t *testing.T) {
		start := time.Now()
		r, _ := c.report(t, c.server.engine)
		if writes := c.meter.since(start); len(writes) > 0 {
			t.Errorf("an audit has written: %v", writes)
		}
		// The socket is the meter's and not an engine's, so what is of the machine is not believed.
		for _, id := range []string{"1.1.1", "3.16", "7.2"} {
			if check := auditCheck(t, r, id); check.Outcome != audit.OutcomeUnseen {
				t.Errorf("check %s through a stranger's socket: got %+v", id, check)
			}
		}
	})

	c.tamper(t, n)
}

// tamper changes a service of ours past Dogker, while no server is there to put it back.
func (c *cell) tamper(t *testing.T, n *tenant) {
	t.Helper()

	if err := c.server.stop(); err != nil {
		t.Fatal(err)
	}
	s := n.service("careful")
	s.Spec.TaskTemplate.ContainerSpec.Mounts = []mount.Mount{{Type: mount.TypeBind, Source: "/etc", Target: "/e"}}
	if _, err := c.docker().ServiceUpdate(t.Context(), s.ID, s.Version, s.Spec, swarm.ServiceUpdateOptions{}); err != nil {
		t.Fatal(err)
	}

	r, code := c.report(t, c.lab.Nodes[0].Host)
	if code != auditImpossible {
		t.Errorf("without an API: exit code %d, want %d", code, auditImpossible)
	}
	if got := findingsOn(r, audit.KindTenantContainer, "careful"); !slices.Equal(got, []string{"5.6", "G3"}) {
		t.Errorf("a bind mount by hand: got %v, want 5.6 and G3", got)
	}
	if check := auditCheck(t, r, "U1"); check.Outcome != audit.OutcomeUnseen {
		t.Errorf("without an API nobody knows what is declared: got %+v", check)
	}

	// It puts back what was changed, and is needed to clean up.
	if err := c.server.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, soon, "what was changed by hand is put back", func() error {
		return wantf(len(n.service("careful").Spec.TaskTemplate.ContainerSpec.Mounts), 0, "mounts")
	})
}

// hiddenValue is what no form of a report may show.
const hiddenValue = "correct-horse-battery-staple"

// TestAuditOfAHostileService makes a service by hand that does everything wrong, and wants each of it found.
func TestAuditOfAHostileService(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{})
	engine := c.lab.Nodes[0].Host
	image, err := c.lab.ImageID(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}

	evil := swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "evil"}, TaskTemplate: swarm.TaskSpec{
		ContainerSpec: &swarm.ContainerSpec{
			Image: image, CapabilityAdd: []string{"CAP_SYS_ADMIN"}, Env: []string{"DB_PASSWORD=" + hiddenValue},
			Mounts: []mount.Mount{
				{Type: mount.TypeBind, Source: "/", Target: "/host"},
				{Type: mount.TypeBind, Source: strings.TrimPrefix(engine, "unix://"), Target: "/var/run/docker.sock"},
			},
		},
		Networks:      []swarm.NetworkAttachmentConfig{{Target: "host"}},
		RestartPolicy: &swarm.RestartPolicy{Delay: new(time.Duration(0))},
	}}
	made, err := c.docker().ServiceCreate(t.Context(), evil, swarm.ServiceCreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	await(t, soon, "the hostile service runs", func() error {
		tasks, err := c.docker().TaskList(t.Context(), swarm.TaskListOptions{})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(tasks, func(task swarm.Task) bool {
			return task.ServiceID == made.ID && task.Status.State == swarm.TaskStateRunning
		}) {
			return errors.New("it has no running task")
		}

		return nil
	})

	r, code := c.report(t, engine, "--severity", "advice")
	want := []string{
		"4.1", // root by silence
		"5.4", "5.6", "5.10", "5.11", "5.12", "5.13", "5.15", "5.26", "5.27", "5.29", "5.32",
		"7.4", // a password in a variable
	}
	if got := findingsOn(r, audit.KindService, "evil"); !slices.Equal(got, want) || code != auditFindings {
		t.Errorf("findings and exit code: got %v and %d, want %v and %d", got, code, want, auditFindings)
	}
	for _, id := range []string{"5.4", "5.6", "5.32"} {
		if f := auditCheck(t, r, id).Findings[0]; f.Severity != audit.SeverityCritical || f.Object.Owner != audit.OwnerForeign {
			t.Errorf("check %s: got %+v, want that it is critical, and that it is not ours", id, f)
		}
	}

	t.Run("NoFormShowsTheValue", func(t *testing.T) {
		for _, format := range []string{"table", "json", "yaml"} {
			out, _ := c.audit(t, engine, "-o", format, "--severity", "advice")
			if strings.Contains(out, hiddenValue) || !strings.Contains(out, "DB_PASSWORD") || strings.Contains(out, "\x1b") {
				t.Errorf("%s: wants the variable's name, not its value, and no colours\n%s", format, out)
			}
		}
	})

	t.Run("SeverityFilters", func(t *testing.T) {
		r, code := c.report(t, engine, "--severity", "critical")
		if got := findingsOn(r, audit.KindService, "evil"); !slices.Equal(got, []string{"5.4", "5.6", "5.32"}) || code != auditFindings {
			t.Errorf("critical findings: got %v and exit code %d", got, code)
		}
	})

	t.Run("ItIsInNobodysNamespace", func(t *testing.T) {
		if out, code := c.audit(t, engine, "--namespace", "default"); code != auditClean {
			t.Errorf("exit code %d\n%s", code, out)
		}
	})

	t.Run("ImpossibleIsNotClean", func(t *testing.T) {
		for name, args := range map[string][]string{
			"Format": {"-o", "xml"}, "Severity": {"--severity", "grave"}, "Flag": {"--no-such-flag"}, "Argument": {"everything"},
			"Namespace": {"--namespace", "acmee"},
		} {
			if _, code := c.audit(t, engine, args...); code != auditImpossible {
				t.Errorf("%s: exit code %d, want %d", name, code, auditImpossible)
			}
		}
		if _, code := c.audit(t, "unix:///nowhere/docker.sock"); code != auditImpossible {
			t.Errorf("without an engine: exit code %d, want %d", code, auditImpossible)
		}
	})
}

// TestAuditOfAWorker asks both nodes of a swarm: each knows its own containers, and only the manager knows the rest.
func TestAuditOfAWorker(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Nodes: 2, Managers: 1})
	(&tenant{cell: c, t: t, name: "acme"}).declare(&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "empty"}}) // For its network.
	image, err := c.lab.ImageID(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.docker().ServiceCreate(t.Context(), swarm.ServiceSpec{
		Annotations:  swarm.Annotations{Name: "everywhere"},
		TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: image, User: "1000:1000"}},
		Mode:         swarm.ServiceMode{Global: &swarm.GlobalService{}},
	}, swarm.ServiceCreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	await(t, soon, "the service runs on both nodes", func() error {
		tasks, err := c.docker().TaskList(t.Context(), swarm.TaskListOptions{})
		if err != nil {
			return err
		}
		up := 0
		for _, task := range tasks {
			if task.ServiceID == made.ID && task.Status.State == swarm.TaskStateRunning {
				up++
			}
		}

		return wantf(up, 2, "running tasks")
	})

	manager, _ := c.report(t, c.lab.Nodes[0].Host)
	if !slices.Equal(manager.Scope.OtherNodes, []string{"node2"}) {
		t.Errorf("nodes that were not asked: got %v", manager.Scope.OtherNodes)
	}
	if check := auditCheck(t, manager, "5.7"); len(check.Unseen) != 1 || !strings.Contains(check.Unseen[0].Why, "node2") {
		t.Errorf("the manager says that it cannot see the task of the worker: got %+v", check)
	}
	if got := findingsOn(manager, audit.KindNode, "node1"); !slices.Equal(got, []string{"H4"}) {
		t.Errorf("the manager takes tasks although there is a worker: got %v", got)
	}
	if got := findingsOn(manager, audit.KindNetwork, "acme_default"); !slices.Equal(got, []string{"7.3"}) {
		t.Errorf("the network of a tenant is not encrypted between nodes: got %v", got)
	}

	worker, code := c.report(t, c.lab.Nodes[1].Host)
	if code != auditFindings {
		t.Errorf("exit code of the worker: got %d", code)
	}
	if worker.Scope.Node != "node2" || worker.Scope.Containers != 1 {
		t.Errorf("the worker has looked at %+v", worker.Scope)
	}
	if got := findingsOn(worker, audit.KindService, "everywhere"); !slices.Contains(got, "5.11") || !slices.Contains(got, "5.26") {
		t.Errorf("findings about the worker's own container: got %v", got)
	}
	for _, id := range []string{"7.1", "7.3", "7.5", "G3", "H4"} {
		if check := auditCheck(t, worker, id); check.Outcome != audit.OutcomeUnseen || !strings.Contains(check.Unseen[0].Why, "worker") {
			t.Errorf("check %s on a worker: got %+v, want that only a manager knows", id, check)
		}
	}
}

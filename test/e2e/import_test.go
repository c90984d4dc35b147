//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// theStack has ten services of the kinds that people have: with variables, files, limits, checks, ports and several tasks.
// They do without virtual IPs, which not every kernel that tests run on can balance.
const theStack = `
version: "3.8"
x-app: &app
  image: dogker.test/app:v1
  deploy: {endpoint_mode: dnsrr}
services:
  web:
    <<: *app
    environment: {GREETING: hello, PASSWORD_FILE: /run/secrets/key}
    configs: [{source: settings, target: /etc/settings}]
    secrets: [key]
    stop_grace_period: 7s
    deploy: {replicas: 3, endpoint_mode: dnsrr, update_config: {order: start-first, failure_action: rollback}}
  api:
    <<: *app
    environment: {LEVEL: info}
    healthcheck: {test: [CMD, /app, -check], interval: 5s, timeout: 2s, retries: 3}
    deploy: {replicas: 2, endpoint_mode: dnsrr, resources: {limits: {cpus: "0.5", memory: 64M}, reservations: {memory: 8M}}}
  front:
    <<: *app
    deploy: {replicas: 1}
    ports: ["18080:8080"]
  worker: {<<: *app, command: [-idle], deploy: {replicas: 2, endpoint_mode: dnsrr, restart_policy: {condition: any, delay: 5s}}}
  cache: {<<: *app, read_only: true, hostname: cache}
  mailer: {<<: *app, environment: {FROM: shop}}
  search: {<<: *app, labels: {team: search}}
  queue: {<<: *app, networks: {default: {aliases: [broker]}}}
  cron: {<<: *app, command: [-idle]}
  admin: {<<: *app, cap_drop: [ALL], user: "1000:1000"}
configs:
  settings: {file: ./settings}
secrets:
  key: {file: ./key}
`

// TestImport adopts a running stack of ten services on three nodes: no task is restarted, and then everything about them is
// managed.
func TestImport(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Nodes: 3})
	n := &tenant{cell: c, t: t, name: "shop"}
	key := n.deployStack()
	before := n.stackTasks()
	t.Logf("the stack has %d tasks on %d nodes", len(before), len(nodesOf(before)))

	n.createTenantOfStack()
	n.wantNoImportWithoutTheSecret()

	start := time.Now()
	out, err := n.dogker("import", "stack", "shop", "--secret", "shop_key="+key)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("adopted within %v:\n%s", time.Since(start).Round(time.Millisecond), out)
	if got := strings.Count(out, " adopted\n"); got != 10 {
		t.Errorf("%d services were adopted, want 10", got)
	}

	for _, name := range stackServices {
		tc := n.ready(name)
		if tc.Annotations[v1alpha1.AnnotationAdopt] != "" {
			t.Errorf("%q is still annotated", name)
		}
	}
	n.wantSameTasks(before)
	n.wantNothingOfTheStack()
	n.wantQuiet(before)

	n.wantManaged(before)
}

var stackServices = []string{"admin", "api", "cache", "cron", "front", "mailer", "queue", "search", "web", "worker"}

// deployStack deploys it as people do, and returns the file with the secret.
func (n *tenant) deployStack() string {
	n.t.Helper()

	dir := n.t.TempDir()
	for name, content := range map[string]string{"stack.yaml": theStack, "settings": "colour=blue\n", "key": "s3cret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			n.t.Fatal(err)
		}
	}
	if _, err := n.command("docker", "stack", "deploy", "--resolve-image", "never", "-c", filepath.Join(dir, "stack.yaml"), n.name); err != nil {
		n.t.Fatal(err)
	}
	await(n.t, atLast, "the stack runs", func() error { return wantf(len(n.stackTasks()), 14, "running tasks") })

	return filepath.Join(dir, "key")
}

// stackTasks are the running tasks of the ten services, with their containers, by ID.
func (n *tenant) stackTasks() map[string]swarm.Task {
	n.t.Helper()
	ctx, cancel := contextFor(instant)
	defer cancel()

	list, err := n.docker().TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("desired-state", "running"))})
	if err != nil {
		n.t.Fatal(err)
	}
	out := map[string]swarm.Task{}
	for _, task := range list {
		if task.Status.State == swarm.TaskStateRunning {
			out[task.ID] = task
		}
	}

	return out
}

func nodesOf(tasks map[string]swarm.Task) map[string]bool {
	out := map[string]bool{}
	for _, task := range tasks {
		out[task.NodeID] = true
	}

	return out
}

// createTenantOfStack makes a Tenant whose network cannot be made, because that of the stack has its name.
func (n *tenant) createTenantOfStack() {
	n.t.Helper()

	plan := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "e2e"}, Spec: v1alpha1.PlanSpec{
		SecurityProfile: v1alpha1.ProfilePrivileged, Quota: &v1alpha1.Quota{Containers: new(int64(20)), Replicas: new(int64(40))},
	}}
	owner := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: n.name}, Spec: v1alpha1.TenantSpec{PlanName: "e2e", DeletionPolicy: v1alpha1.DeletionDelete}}
	if err := n.api.Create(n.t.Context(), plan); err != nil {
		n.t.Fatal(err)
	}
	if err := n.api.Create(n.t.Context(), owner); err != nil {
		n.t.Fatal(err)
	}
	await(n.t, soon, "the namespace of the tenant", func() error {
		ctx, cancel := contextFor(instant)
		defer cancel()
		if err := n.api.Get(ctx, client.ObjectKeyFromObject(owner), owner); err != nil {
			return err
		}

		return wantf(owner.Status.Namespace, n.name, "status.namespace")
	})
}

// wantNoImportWithoutTheSecret: with --strict nothing at all happens.
func (n *tenant) wantNoImportWithoutTheSecret() {
	n.t.Helper()

	out, err := n.dogker("import", "stack", "shop", "--strict")
	if err == nil || !strings.Contains(err.Error(), "--secret shop_key=FILE") || !strings.Contains(err.Error(), "exit status 1") {
		n.t.Errorf("without the secret: output %q, error %v", out, err)
	}
	if s, err := n.inspect("api"); err != nil || s.Spec.Labels[v1alpha1.SwarmLabelManaged] != "" {
		n.t.Errorf("somebody was adopted all the same: %v, error %v", s.Spec.Labels, err)
	}
}

// wantSameTasks demands that every task that ran runs in the same container.
func (n *tenant) wantSameTasks(before map[string]swarm.Task, but ...string) {
	n.t.Helper()

	after := n.stackTasks()
	for id, was := range before {
		if slices.Contains(but, was.ServiceID) {
			continue
		}
		is, runs := after[id]
		if !runs || is.Status.ContainerStatus.ContainerID != was.Status.ContainerStatus.ContainerID {
			n.t.Errorf("task %s of service %s was restarted", id, was.ServiceID)
		}
	}
}

// wantNothingOfTheStack demands that docker stack rm would not find the services.
func (n *tenant) wantNothingOfTheStack() {
	n.t.Helper()

	out, err := n.command("docker", "stack", "services", "-q", n.name)
	if err == nil && strings.TrimSpace(out) != "" {
		n.t.Errorf("these services are the stack's yet: %s", out)
	}
}

// wantQuiet demands that nothing is written to the services any more.
func (n *tenant) wantQuiet(before map[string]swarm.Task) {
	n.t.Helper()

	was := map[string]swarm.Service{}
	for _, name := range stackServices {
		was[name] = n.service(name)
	}
	stays(n.t, 15*time.Second, "the adopted services are left alone", func() error {
		for _, s := range was {
			if err := n.unmoved(s); err != nil {
				return err
			}
		}

		return nil
	})
	n.wantSameTasks(before)
}

// wantManaged changes one thing about each of several services. What is asked for happens to them, and nothing to others.
func (n *tenant) wantManaged(before map[string]swarm.Task) {
	n.t.Helper()
	held := func(tc *v1alpha1.TenantContainer) { tc.Spec.ImagePullPolicy = v1alpha1.PullNever }

	// Scaling leaves those that run.
	n.edit("api", held, replicas(4))
	n.ready("api")
	await(n.t, soon, "four tasks of api", func() error { return wantf(len(n.running("api")), 4, "tasks") })
	n.wantSameTasks(before)

	neighbour := n.neighbour()
	n.wantPage(neighbour, "api", "/env?name=LEVEL", "info")

	// The first rollout is to what is declared, and its names go on.
	n.edit("web", held, env("GREETING", "welcome"))
	n.ready("web")
	n.wantPage(neighbour, "web", "/env?name=GREETING", "welcome")
	n.wantPage(neighbour, "web", "/file?path=/etc/settings", "colour=blue")
	n.wantPage(neighbour, "web", "/file?path=/run/secrets/key", "s3cret")
	n.edit("queue", held, version("v2"))
	n.ready("queue")
	n.wantPage(neighbour, "broker", "/", "v2")
	n.edit("front", held, func(tc *v1alpha1.TenantContainer) { tc.Spec.Ports[0].Publish.Port = 18081 })
	n.ready("front")
	if ports := n.service("front").Spec.EndpointSpec.Ports; len(ports) != 1 || ports[0].PublishedPort != 18081 {
		n.t.Errorf("front publishes %+v", ports)
	}

	// What somebody changes in Swarm is put back, to what is declared.
	n.edit("mailer", held)
	if _, err := n.command("docker", "service", "update", "--detach", "--env-add", "FROM=mallory", n.name+"_mailer"); err != nil {
		n.t.Fatal(err)
	}
	await(n.t, atLast, "drift of an adopted service is repaired", func() error {
		s := n.service("mailer")
		if s.Spec.Labels[v1alpha1.SwarmLabelAdopted] != "" || !slices.Contains(s.Spec.TaskTemplate.ContainerSpec.Env, "FROM=shop") {
			return fmt.Errorf("it has %v and labels %v", s.Spec.TaskTemplate.ContainerSpec.Env, s.Spec.Labels)
		}

		return nil
	})
	n.ready("mailer")

	n.remove(&v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Name: "cron"}})
	await(n.t, atLast, "cron is gone", func() error { return n.noService("cron") })

	var changed []string
	for _, task := range before {
		changed = append(changed, task.ServiceID)
	}
	for _, name := range []string{"admin", "api", "cache", "search", "worker"} {
		id := n.service(name).ID
		changed = slices.DeleteFunc(changed, func(other string) bool { return other == id })
	}
	n.wantSameTasks(before, changed...)

	for _, name := range []string{"web", "queue", "front"} {
		s := n.service(name)
		if s.Spec.Labels[v1alpha1.SwarmLabelAdopted] != "" || len(s.Spec.TaskTemplate.ContainerSpec.Labels) > 0 {
			n.t.Errorf("after its rollout %q still has what was adopted: %v", name, s.Spec.Labels)
		}
	}
	ctx, cancel := contextFor(instant)
	defer cancel()
	if _, err := n.docker().NetworkInspect(ctx, "shop_default", network.InspectOptions{}); err != nil {
		n.t.Errorf("the network of the stack: %v", err)
	}
}

func (n *tenant) wantPage(from *neighbour, name, path, want string) {
	n.t.Helper()

	await(n.t, soon, name+path+" is reached", func() error {
		got, err := from.ask(name, path)
		if err == nil && !strings.Contains(got, want) {
			err = fmt.Errorf("it says %q, want %q", got, want)
		}

		return err
	})
}

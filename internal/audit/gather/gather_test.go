package gather

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/volume"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/audit"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

var owner = swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "u1"}

// engine is what a Docker engine answers: a manager with a service of ours, one of somebody else, and a container of none.
type engine struct {
	info       system.Info
	down       error
	containers []container.Summary
	gone       string // The container that has ended since it was listed.
	asked      []string
}

func manager() *engine {
	return &engine{
		info: system.Info{Name: "node1", Swarm: swarm.Info{NodeID: "n1", ControlAvailable: true, LocalNodeState: swarm.LocalNodeStateActive}},
		containers: []container.Summary{
			task("c1", "s1", "acme_web"), task("c2", "s2", "theirs"), {ID: "c3", Names: []string{"/alone"}},
		},
	}
}

func task(id, service, name string) container.Summary {
	return container.Summary{ID: id, Names: []string{"/" + name + ".1.x"}, Labels: map[string]string{
		"com.docker.swarm.service.id": service, "com.docker.swarm.service.name": name,
	}}
}

func (e *engine) DaemonHost() string { return "tcp://10.0.0.1:2376" }
func (e *engine) Ping(context.Context) (types.Ping, error) {
	return types.Ping{APIVersion: "1.41"}, e.down
}
func (e *engine) Info(context.Context) (system.Info, error)         { return e.info, nil }
func (e *engine) SwarmInspect(context.Context) (swarm.Swarm, error) { return swarm.Swarm{}, nil }

func (e *engine) NodeList(context.Context, swarm.NodeListOptions) ([]swarm.Node, error) {
	return []swarm.Node{
		{ID: "n1", Description: swarm.NodeDescription{Hostname: "node1"}}, {ID: "n2", Description: swarm.NodeDescription{Hostname: "node2"}},
	}, nil
}

func (e *engine) ServiceList(context.Context, swarm.ServiceListOptions) ([]swarm.Service, error) {
	spec := func(name, network string, labels map[string]string) swarm.ServiceSpec {
		labels[v1alpha1.SwarmLabelRevision] = "3"

		return swarm.ServiceSpec{Annotations: swarm.Annotations{Name: name, Labels: labels}, TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: "sha256:0f"}, Networks: []swarm.NetworkAttachmentConfig{{Target: network}},
		}}
	}

	return []swarm.Service{
		{ID: "s2", Spec: spec("theirs", "host-in-swarm", map[string]string{})}, {ID: "s1", Spec: spec("acme_web", "net1", owner.Labels())},
	}, nil
}

func (e *engine) TaskList(context.Context, swarm.TaskListOptions) ([]swarm.Task, error) {
	up := swarm.TaskStatus{State: swarm.TaskStateRunning}

	return []swarm.Task{
		{ServiceID: "s1", NodeID: "n1", Status: up}, {ServiceID: "s1", NodeID: "n2", Status: up}, {ServiceID: "s1", NodeID: "n2", Status: up},
		{ServiceID: "s2", NodeID: "n2", Status: swarm.TaskStatus{State: swarm.TaskStateFailed}},
	}, nil
}

func (e *engine) SecretList(context.Context, swarm.SecretListOptions) ([]swarm.Secret, error) {
	ours := swarm.Secret{ID: "x1", Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "acme_key", Labels: owner.Labels()}}}
	theirs := swarm.Secret{ID: "x2", Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: "key"}}}

	return []swarm.Secret{ours, theirs}, nil
}

func (e *engine) ConfigList(context.Context, swarm.ConfigListOptions) ([]swarm.Config, error) {
	return []swarm.Config{{ID: "y1", Spec: swarm.ConfigSpec{Annotations: swarm.Annotations{Name: "acme_conf", Labels: owner.Labels()}}}}, nil
}

func (e *engine) NetworkList(context.Context, network.ListOptions) ([]network.Summary, error) {
	return []network.Summary{
		{ID: "net1", Name: "acme_default", Driver: "overlay", Labels: owner.Labels()},
		{ID: "net2", Name: "theirs", Driver: "overlay", Options: map[string]string{"encrypted": ""}},
		{ID: "net3", Name: "ingress", Driver: "overlay", Ingress: true}, {ID: "net4", Name: "bridge", Driver: "bridge"},
	}, nil
}

func (e *engine) NetworkInspect(_ context.Context, id string, _ network.InspectOptions) (network.Inspect, error) {
	switch id {
	case "bridge":
		return network.Inspect{Options: map[string]string{"com.docker.network.bridge.enable_icc": "false"}}, nil
	case "host-in-swarm":
		return network.Inspect{Name: "host"}, nil
	default:
		return network.Inspect{}, cerrdefs.ErrNotFound
	}
}

func (e *engine) VolumeInspect(context.Context, string) (volume.Volume, error) {
	return volume.Volume{Options: map[string]string{"type": "none", "o": "bind", "device": "/etc"}}, nil
}

func (e *engine) ContainerList(context.Context, container.ListOptions) ([]container.Summary, error) {
	return e.containers, nil
}

func (e *engine) ContainerInspect(_ context.Context, id string) (container.InspectResponse, error) {
	e.asked = append(e.asked, id)
	if id == e.gone {
		return container.InspectResponse{}, cerrdefs.ErrNotFound
	}

	return container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{ID: id, State: &container.State{Pid: 1}, HostConfig: &container.HostConfig{}},
		Mounts:            []container.MountPoint{{Type: mount.TypeVolume, Name: "v", Destination: "/e"}},
	}, nil
}

func (e *engine) ContainerTop(_ context.Context, id string, _ []string) (container.TopResponse, error) {
	if id == "c2" {
		return container.TopResponse{}, errors.New("ps is not there")
	}

	return container.TopResponse{Titles: []string{"PID", "COMMAND"}, Processes: [][]string{{"7", "sshd"}, {"8"}}}, nil
}

func api(t *testing.T) client.Reader {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), rbacv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	object := func(namespace, name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: namespace, Name: name}
	}
	ns := &corev1.Namespace{ObjectMeta: object("", "acme")}
	ns.Labels = map[string]string{v1alpha1.LabelTenant: "acme-ltd"}

	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		ns, &corev1.Namespace{ObjectMeta: object("", "plain")},
		&v1alpha1.Tenant{ObjectMeta: object("", "acme-ltd"), Spec: v1alpha1.TenantSpec{PlanName: "small"}},
		&v1alpha1.Tenant{ObjectMeta: object("", "acme"), Spec: v1alpha1.TenantSpec{PlanName: "large"}},
		&v1alpha1.Plan{ObjectMeta: object("", "small")}, &v1alpha1.Plan{ObjectMeta: object("", "large")},
		&v1alpha1.TenantContainer{ObjectMeta: object("acme", "web")}, &v1alpha1.TenantContainer{ObjectMeta: object("plain", "web")},
		&v1alpha1.ContainerRevision{ObjectMeta: object("acme", "web-2"), Spec: v1alpha1.ContainerRevisionSpec{Container: "web", Revision: 2}},
		&v1alpha1.ContainerRevision{ObjectMeta: object("acme", "web-3"), Spec: v1alpha1.ContainerRevisionSpec{Container: "web", Revision: 3}},
		&v1alpha1.TenantJob{ObjectMeta: object("acme", "report"), Spec: v1alpha1.TenantJobSpec{Schedule: "@daily", Template: v1alpha1.JobTemplate{Image: "report:1"}}},
		&v1alpha1.TenantJob{ObjectMeta: object("acme", "once"), Status: v1alpha1.TenantJobStatus{History: []v1alpha1.JobRun{{Name: "once-1"}}}},
	).Build()
}

func TestCollect(t *testing.T) {
	var facts Facts
	in, err := Collect(t.Context(), manager(), Options{API: api(t), Now: time.Unix(1, 0), Guard: func(_ swarm.ServiceSpec, f Facts) []string {
		facts = f

		return []string{"no"}
	}})
	if err != nil {
		t.Fatal(err)
	}

	var names []string
	for _, w := range in.Workloads {
		names = append(names, w.Object.String())
	}
	if diff := cmp.Diff([]string{"tenantcontainer acme/web", "container alone (foreign)", "service theirs (foreign)"}, names); diff != "" {
		t.Fatalf("workloads (-want +got):\n%s", diff)
	}
	ours, alone, theirs := in.Workloads[0], in.Workloads[1], in.Workloads[2]
	if !ours.Guarded || ours.Violations[0] != "no" || len(ours.Live) != 1 || !slices.Equal(ours.Elsewhere, []string{"node2"}) {
		t.Errorf("service of ours: got %+v", ours)
	}
	if theirs.Guarded || len(theirs.Elsewhere) > 0 || !slices.Equal(theirs.Spec.Networks, []string{"host"}) || theirs.Live[0].CommandsUnseen == "" {
		t.Errorf("service of somebody else: got %+v, %+v", theirs, theirs.Spec)
	}
	if c := alone.Live[0]; !slices.Equal(c.Commands, []string{"sshd"}) || c.Mounts[0].HostPath != "/etc" || c.ProcessUnseen == "" || c.Process != nil {
		t.Errorf("container of no service: got %+v", c)
	}

	want := Facts{
		Owner: owner, NetworkID: "net1", ImageID: "sha256:0f",
		Secrets: map[string]string{"acme_key": "x1"}, Configs: map[string]string{"acme_conf": "y1"},
	}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Errorf("facts for the allow list (-want +got):\n%s", diff)
	}

	overlays := []audit.Network{
		{Object: audit.Object{Kind: audit.KindNetwork, Namespace: "acme", Name: "acme_default", Owner: audit.OwnerDogker}},
		{Object: audit.Object{Kind: audit.KindNetwork, Name: "theirs", Owner: audit.OwnerForeign}, Encrypted: true},
		{Object: audit.Object{Kind: audit.KindNetwork, Name: "ingress"}},
	}
	if diff := cmp.Diff(overlays, in.Networks); diff != "" {
		t.Errorf("overlays (-want +got):\n%s", diff)
	}
	if in.Engine.BridgeTalks == nil || *in.Engine.BridgeTalks || !strings.Contains(in.HostUnseen, "another machine") {
		t.Errorf("engine and host: got %+v, %q", in.Engine.BridgeTalks, in.HostUnseen)
	}
}

// TestDeclared: whose a namespace is says its label, and what runs says the service.
func TestDeclared(t *testing.T) {
	in, err := Collect(t.Context(), manager(), Options{API: api(t)})
	if err != nil {
		t.Fatal(err)
	}

	if len(in.Declared) != 3 || !slices.Equal(in.Namespaces, []string{"acme", "plain"}) {
		t.Fatalf("declared: got %d containers in %v", len(in.Declared), in.Namespaces)
	}
	of, plain := in.Declared[0], in.Declared[1]
	if of.Tenant.Name != "acme-ltd" || of.Plan.Name != "small" || of.Running == nil || of.Running.Spec.Revision != 3 {
		t.Errorf("container of a tenant: got tenant %v, plan %v, running %v", of.Tenant, of.Plan, of.Running)
	}
	if plain.Tenant != nil || plain.Plan != nil || plain.Running != nil {
		t.Errorf("container of no tenant: got %+v", plain)
	}
	if job := in.Declared[2]; !job.Job || job.Container.Name != "report" || job.Container.Spec.Image != "report:1" || job.Tenant.Name != "acme-ltd" || job.Plan.Name != "small" {
		t.Errorf("job of a tenant, and not the one that is over: got %+v", job)
	}
}

// TestWorker: what a worker runs can be judged; of the rest it is said who knows.
func TestWorker(t *testing.T) {
	e := manager()
	e.info.Swarm.ControlAvailable = false
	e.containers = append(e.containers, task("c4", "s2", "theirs"))

	in, err := Collect(t.Context(), e, Options{APIUnseen: "no kubeconfig"})
	if err != nil {
		t.Fatal(err)
	}
	if in.Swarm != nil || !strings.Contains(in.SwarmUnseen, "worker") || in.DeclaredUnseen != "no kubeconfig" {
		t.Errorf("got swarm %v, %q, API %q", in.Swarm, in.SwarmUnseen, in.DeclaredUnseen)
	}
	got := map[string]int{}
	for _, w := range in.Workloads {
		got[w.Object.String()] = len(w.Live)
	}
	if diff := cmp.Diff(map[string]int{"service acme_web": 1, "service theirs": 2, "container alone (foreign)": 1}, got); diff != "" {
		t.Errorf("workloads and their containers (-want +got):\n%s", diff)
	}
}

func TestNoSwarm(t *testing.T) {
	e := manager()
	e.info.Swarm = swarm.Info{LocalNodeState: swarm.LocalNodeStateInactive}

	in, err := Collect(t.Context(), e, Options{APIUnseen: "none"})
	if err != nil || in.SwarmUnseen != "the engine is in no swarm" {
		t.Errorf("got %q, error %v", in.SwarmUnseen, err)
	}
}

func TestEngineThatCannotBeAsked(t *testing.T) {
	boom := errors.New("boom")
	if _, err := Collect(t.Context(), &engine{down: boom}, Options{}); !errors.Is(err, boom) {
		t.Errorf("an engine that does not answer: got %v", err)
	}

	locked := manager()
	locked.info.Swarm.LocalNodeState = swarm.LocalNodeStateLocked
	if _, err := Collect(t.Context(), locked, Options{}); err == nil || !strings.Contains(err.Error(), "docker swarm unlock") {
		t.Errorf("a swarm that is locked: got %v", err)
	}
}

// TestContainerThatEnds between the list and the question is no reason to give up.
func TestContainerThatEnds(t *testing.T) {
	e := manager()
	e.gone = "c3"

	in, err := Collect(t.Context(), e, Options{API: api(t)})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(e.asked, "c3") || len(in.Workloads) != 2 {
		t.Errorf("asked about %v, got %d workloads", e.asked, len(in.Workloads))
	}
}

// forbidden is an API for somebody without rights.
type forbidden struct{ client.Reader }

func (forbidden) List(context.Context, client.ObjectList, ...client.ListOption) error {
	return errors.New("tenantcontainers is forbidden")
}

func TestAPIThatRefuses(t *testing.T) {
	in, err := Collect(t.Context(), manager(), Options{API: forbidden{}})
	if err != nil || !strings.Contains(in.DeclaredUnseen, "forbidden") {
		t.Errorf("got %q, error %v", in.DeclaredUnseen, err)
	}
}

package exposition

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// world is a swarm and its samples, as a test wants them.
type world struct {
	broken   error
	nodes    []swarm.Node
	services map[string]swarmobj.ServiceTasks // by UID of the owner
	samples  map[string]telemetry.Sample      // by ID of the task
	machines map[string]telemetry.Machine
	totals   map[string]telemetry.Totals
	objects  []client.Object
}

var clock = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newWorld() *world {
	n := swarm.Node{ID: "node1", Status: swarm.NodeStatus{State: swarm.NodeStateReady}}
	n.Description.Hostname, n.Spec.Role, n.Spec.Availability = "one", swarm.NodeRoleManager, swarm.NodeAvailabilityActive
	n.Description.Engine.EngineVersion = "28.5.2"

	return &world{
		nodes: []swarm.Node{n}, services: map[string]swarmobj.ServiceTasks{}, samples: map[string]telemetry.Sample{},
		machines: map[string]telemetry.Machine{"node1": {
			Cores: 4, CPU: 90 * time.Second, MemoryTotal: 8 << 30, MemoryAvailable: 6 << 30, Booted: clock.Add(-time.Hour),
		}},
		totals: map[string]telemetry.Totals{},
	}
}

func (w *world) State() error        { return w.broken }
func (w *world) Nodes() []swarm.Node { return w.nodes }

func (w *world) Owners() []swarmobj.Owner {
	var out []swarmobj.Owner
	for _, s := range w.services {
		out = append(out, s.Owner)
	}

	return out
}

func (w *world) ServicesOf(o swarmobj.Owner) []swarmobj.ServiceTasks {
	if s, ok := w.services[o.UID]; ok && s.Owner == o {
		return []swarmobj.ServiceTasks{s}
	}

	return nil
}

func (w *world) Subjects(o swarmobj.Owner) []telemetry.Subject {
	var out []telemetry.Subject
	for _, s := range w.services {
		if o != (swarmobj.Owner{}) && o != s.Owner {
			continue
		}
		for _, t := range s.Tasks {
			if _, ok := w.samples[t.ID]; ok {
				out = append(out, telemetry.Subject{
					Owner: s.Owner, Task: t.ID, Node: t.NodeID, Slot: t.Slot, Pod: swarmobj.PodName(s.Owner, t.Slot, t.NodeID, t.ID),
				})
			}
		}
	}

	return out
}

func (w *world) Window(string, time.Time) []telemetry.Sample { return nil }

func (w *world) Latest(task string) (telemetry.Sample, bool) {
	s, ok := w.samples[task]

	return s, ok
}

func (w *world) Machine(node string) (telemetry.Machine, float64, bool) {
	m, ok := w.machines[node]

	return m, 0, ok
}

func (w *world) Totals(o swarmobj.Owner) (telemetry.Totals, time.Time) { return w.totals[o.UID], clock }

// container puts a TenantContainer with running tasks into the world.
func (w *world) container(namespace, name string, tasks int, change ...func(*v1alpha1.TenantContainer)) *v1alpha1.TenantContainer {
	n := int32(tasks)
	tc := &v1alpha1.TenantContainer{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + "-" + name)},
		Spec:       v1alpha1.TenantContainerSpec{Image: "shop:1", Mode: v1alpha1.ModeReplicated, Replicas: &n},
		Status: v1alpha1.TenantContainerStatus{
			ReadyReplicas: n, UpdatedReplicas: n, Tasks: fmt.Sprintf("%d/%d", n, n),
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonRunning}},
		},
	}
	for _, f := range change {
		f(tc)
	}
	w.objects = append(w.objects, tc)

	spec := &swarm.TaskSpec{
		ContainerSpec: &swarm.ContainerSpec{Image: "registry.example/shop:1@sha256:ab"},
		Resources: &swarm.ResourceRequirements{
			Limits:       &swarm.Limit{NanoCPUs: 500_000_000, MemoryBytes: 256 << 20},
			Reservations: &swarm.Resources{MemoryBytes: 128 << 20},
		},
	}
	set := swarmobj.ServiceTasks{Owner: ownerOf(tc)}
	for i := range tasks {
		id := fmt.Sprintf("%s%stask%d", namespace, name, i+1)
		set.Tasks = append(set.Tasks, swarmobj.TaskDetail{
			Task: swarmobj.Task{
				ID: id, Slot: i + 1, NodeID: "node1", State: swarm.TaskStateRunning, Desired: swarm.TaskStateRunning, Since: clock,
			},
			Spec: spec,
		})
		w.samples[id] = sample(id)
	}
	w.services[string(tc.UID)] = set
	w.totals[string(tc.UID)] = telemetry.Totals{CPU: 7 * time.Second, ReceiveBytes: 70}

	return tc
}

// task changes a task of a container.
func (w *world) task(tc *v1alpha1.TenantContainer, i int, change func(*swarmobj.TaskDetail)) {
	change(&w.services[string(tc.UID)].Tasks[i])
}

func sample(task string) telemetry.Sample {
	return telemetry.Sample{
		At: clock, Container: "c" + task, Task: task, Started: clock.Add(-time.Minute), State: telemetry.StateRunning,
		CPU: telemetry.CPU{
			Total: 3 * time.Second, User: 2 * time.Second, System: time.Second,
			Periods: 40, ThrottledPeriods: 10, Throttled: 500 * time.Millisecond,
		},
		Memory:  telemetry.Memory{Usage: 100, WorkingSet: 80, RSS: 60, Cache: 20, Failures: 3},
		Network: telemetry.Network{ReceiveBytes: 11, ReceivePackets: 12, ReceiveErrors: 13, ReceiveDropped: 14, TransmitBytes: 15, TransmitPackets: 16, TransmitErrors: 17, TransmitDropped: 18},
		Disk:    telemetry.Disk{ReadBytes: 21, Reads: 22, WriteBytes: 23, Writes: 24},
		PIDs:    5, PIDLimit: 100,
	}
}

// server shows the world.
func (w *world) server(t testing.TB) *Server {
	t.Helper()

	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, gitopsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	s := New(Options{Swarm: w, NodeNames: hostnames, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return clock }})
	s.ShowSamples(w)
	s.ShowObjects(fake.NewClientBuilder().WithScheme(scheme).WithObjects(w.objects...).Build())

	return s
}

func hostnames(nodes []swarm.Node) map[string]string {
	out := map[string]string{}
	for _, n := range nodes {
		out[n.ID] = n.Description.Hostname
	}

	return out
}

// get asks as the API server lets a request through.
func get(t testing.TB, s *Server, path string) *httptest.ResponseRecorder {
	t.Helper()

	return ask(t, s, http.MethodGet, path)
}

func ask(t testing.TB, s *Server, method, path string) *httptest.ResponseRecorder {
	t.Helper()

	r := httptest.NewRequest(method, "https://api.example:6443"+path, nil)
	resolver := &request.RequestInfoFactory{APIPrefixes: sets.NewString("apis", "api"), GrouplessAPIPrefixes: sets.NewString("api")}
	info, err := resolver.NewRequestInfo(r)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s.Handler(next).ServeHTTP(w, r.WithContext(request.WithRequestInfo(r.Context(), info)))

	return w
}

const (
	acmeMetrics = "/apis/monitoring.dogker.io/v1alpha1/namespaces/acme/metrics"
	acmeTargets = "/apis/monitoring.dogker.io/v1alpha1/namespaces/acme/targets"
	allMetrics  = "/apis/monitoring.dogker.io/v1alpha1/metrics"
)

package health_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/health"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world is one container, what is known of it, and what was done to it.
type world struct {
	t       *testing.T
	client  client.Client
	monitor *health.Monitor
	reg     *prometheus.Registry

	now     time.Time
	tasks   []swarmobj.Task
	blind   error
	samples map[string][]telemetry.Sample
	zero    bool

	mu      sync.Mutex
	writes  int
	events  []string
	stopped []string
}

func newWorld(t *testing.T, changes ...func(*v1alpha1.TenantContainer)) *world {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	tc := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web", UID: "1"}}
	for _, c := range changes {
		c(tc)
	}
	w := &world{t: t, now: start, samples: map[string][]telemetry.Sample{}, reg: prometheus.NewRegistry()}
	w.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(tc).WithStatusSubresource(tc).WithInterceptorFuncs(interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			w.writes++
			return c.Patch(ctx, o, p, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			w.writes++
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
	}).Build()
	var err error
	w.monitor, err = health.New(health.Options{
		Client: w.client, Swarm: w, Samples: w, Tasks: w, Recorder: w, Now: func() time.Time { return w.now }, Registerer: w.reg,
	})
	if err != nil {
		t.Fatal(err)
	}

	return w
}

// Look implements health.Swarm.
func (w *world) Look(context.Context, swarmobj.Owner) (swarmobj.World, error) {
	replicas := uint64(1)
	if w.zero {
		replicas = 0
	}
	s := &swarm.Service{Spec: swarm.ServiceSpec{Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &replicas}}}}

	return swarmobj.World{Service: s, Tasks: w.tasks}, w.blind
}

// Window implements health.Samples.
func (w *world) Window(task string, since time.Time) []telemetry.Sample {
	all := w.samples[task]

	return all[slices.IndexFunc(append(slices.Clip(all), telemetry.Sample{At: since}), func(s telemetry.Sample) bool { return !s.At.Before(since) }):]
}

// Stop implements health.Tasks.
func (w *world) Stop(_ context.Context, node, task, container string, grace time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = append(w.stopped, fmt.Sprint(node, " ", task, " ", container, " ", grace))

	return nil
}

// Event implements engine.Recorder.
func (w *world) Event(_ runtime.Object, kind, reason, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, kind+" "+reason+": "+message)
}

func (w *world) round(after time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(after)
	if err := w.monitor.Round(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read() *v1alpha1.TenantContainer {
	w.t.Helper()
	var tc v1alpha1.TenantContainer
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "acme", Name: "web"}, &tc); err != nil {
		w.t.Fatal(err)
	}

	return &tc
}

// crash makes the container's task have failed three times.
func (w *world) crash() {
	w.tasks = nil
	for i := range 3 {
		w.tasks = append(w.tasks, swarmobj.Task{
			ID: fmt.Sprint(i), Slot: 1, State: swarm.TaskStateFailed, Desired: swarm.TaskStateShutdown, ExitCode: 3, Since: w.now.Add(-time.Duration(i) * time.Minute),
		})
	}
}

// pause makes the task of a container be paused for a while.
func (w *world) pause(during time.Duration) {
	w.tasks = []swarmobj.Task{{ID: "t1", Slot: 1, NodeID: "n1", State: swarm.TaskStateRunning, Desired: swarm.TaskStateRunning, Since: w.now.Add(-time.Hour)}}
	w.samples["t1"] = nil
	for at := w.now.Add(-during); !at.After(w.now); at = at.Add(telemetry.Interval) {
		w.samples["t1"] = append(w.samples["t1"], telemetry.Sample{At: at, Container: "c1", Task: "t1", State: telemetry.StatePaused})
	}
}

// TestStory: what is wrong is told once, stays told without a write, and is taken back when it is over.
func TestStory(t *testing.T) {
	w := newWorld(t)
	w.round(0)
	if w.writes != 0 {
		t.Errorf("%d writes about a container of which nothing is known to be wrong", w.writes)
	}

	w.crash()
	w.round(30 * time.Second)
	tc := w.read()
	if got := tc.Annotations[v1alpha1.AnnotationHealth]; got != "CrashLooping" {
		t.Errorf("annotation %q", got)
	}
	if tc.Status.Health == nil || len(tc.Status.Health.Findings) != 1 || !strings.Contains(tc.Status.Health.Findings[0].Message, "exit code 3") {
		t.Errorf("status %+v", tc.Status.Health)
	}
	if got := testutil.ToFloat64(gauge(t, w.reg, "CrashLooping")); got != 1 {
		t.Errorf("metric counts %v", got)
	}

	before := w.writes
	for range 5 {
		w.round(30 * time.Second)
	}
	if w.writes != before {
		t.Errorf("%d writes while nothing changed", w.writes-before)
	}

	w.blind = errors.New("nobody answers")
	w.round(time.Hour)
	if w.writes != before {
		t.Error("an engine that cannot be asked was taken for one that is well")
	}

	w.blind = nil
	w.round(0)
	tc = w.read()
	if _, there := tc.Annotations[v1alpha1.AnnotationHealth]; there || tc.Status.Health != nil {
		t.Errorf("it is over, but still told: %v %+v", tc.Annotations, tc.Status.Health)
	}
	want := []string{
		"Warning CrashLooping: 3 tasks of slot 1 have failed within 10 minutes, the last one with exit code 3",
		"Normal HealthRecovered: It is CrashLooping no more",
	}
	if diff := cmp.Diff(want, w.events); diff != "" {
		t.Error(diff)
	}
}

// TestStatusIsRestored: who deletes a status has it back with the next look.
func TestStatusIsRestored(t *testing.T) {
	w := newWorld(t)
	w.crash()
	w.round(0)
	tc := w.read()
	tc.Status = v1alpha1.TenantContainerStatus{}
	if err := w.client.Status().Update(t.Context(), tc); err != nil {
		t.Fatal(err)
	}
	w.round(0)
	if w.read().Status.Health == nil {
		t.Error("the status is gone for good")
	}
}

// TestWantedStop: a container that is to have no tasks has nothing wrong with it, whatever its tasks did before.
func TestWantedStop(t *testing.T) {
	w := newWorld(t)
	w.crash()
	w.zero = true
	w.round(0)
	if w.writes != 0 {
		t.Errorf("told of a container that is stopped: %v", w.events)
	}
}

// TestReplace: stuck tasks are stopped for who asks for it, and not again and again.
func TestReplace(t *testing.T) {
	for name, c := range map[string]struct {
		policy v1alpha1.StuckTaskPolicy
		paused time.Duration
		want   []string
	}{
		"nobody has asked":  {paused: 5 * time.Minute},
		"reported":          {policy: v1alpha1.StuckTaskReport, paused: 5 * time.Minute},
		"replaced":          {policy: v1alpha1.StuckTaskReplace, paused: 5 * time.Minute, want: []string{"n1 t1 c1 7s"}},
		"paused for backup": {policy: v1alpha1.StuckTaskReplace, paused: 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			grace := int64(7)
			w := newWorld(t, func(tc *v1alpha1.TenantContainer) {
				tc.Spec.StuckTaskPolicy, tc.Spec.TerminationGracePeriodSeconds = c.policy, &grace
			})
			w.pause(c.paused)
			for range 3 {
				w.round(time.Second)
			}
			w.finish()
			if diff := cmp.Diff(c.want, w.stopped); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// finish waits for what the monitor has begun, as the end of the process does.
func (w *world) finish() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	cancel()
	if err := w.monitor.Start(ctx); err != nil {
		w.t.Error(err)
	}
}

// gauge is the number of containers in a state.
func gauge(t *testing.T, reg *prometheus.Registry, state string) prometheus.Collector {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "found"})
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "dogker_health_findings" && m.GetLabel()[0].GetValue() == state {
				g.Set(m.GetGauge().GetValue())
			}
		}
	}

	return g
}

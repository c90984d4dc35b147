package autoscaler

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world is one container, the store it is in, and what it uses. Tasks are there as soon as they are to be.
type world struct {
	t   *testing.T
	now time.Time
	tc  *v1alpha1.TenantContainer

	// load is how many cores all tasks use together.
	load float64
	// blind nodes give no samples, and an engine that is gone shows no tasks.
	blind, engineGone bool
	// most is how many tasks there is room for; none to be without a bound.
	most int32
	// refusal is what is answered beyond that.
	refusal func(n int32) error
	// answer is Prometheus'.
	answer func(query string) (float64, error)
	// requests is how many were answered since ever, by all tasks together.
	requests float64

	version          int
	writes, statuses int
	asked            []int32
	events           []string
	tasks            []swarmobj.Task
	scaler           *Autoscaler
}

func newWorld(t *testing.T, replicas int32, a *v1alpha1.Autoscaling) *world {
	t.Helper()

	w := &world{t: t, now: noon, tc: &v1alpha1.TenantContainer{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "web", UID: "u1", Generation: 1, ResourceVersion: "1"},
		Spec: v1alpha1.TenantContainerSpec{
			Replicas: &replicas, Autoscaling: a,
			Resources: &v1alpha1.Resources{Requests: &v1alpha1.ResourceRequests{CPU: new(resource.MustParse("200m"))}},
		},
	}, version: 1, most: 1 << 20}
	w.refusal = func(n int32) error {
		return apierrors.NewForbidden(v1alpha1.GroupVersion.WithResource("tenantcontainers").GroupResource(), "web",
			fmt.Errorf("exceeded quota: dogker-tenant, requested: replicas=%d, limited: replicas=%d", n, w.most))
	}
	w.restart()

	return w
}

// restart is a new process.
func (w *world) restart() {
	w.scaler = New(Options{
		Cached: reader{w: w}, Writer: writer{w: w}, Swarm: w, Telemetry: w, Prometheus: w, Counters: w, Recorder: w,
		Now: func() time.Time { return w.now },
	})
}

// round passes, and one look later the swarm has what it was told.
func (w *world) round() {
	w.t.Helper()

	w.now = w.now.Add(interval)
	if err := w.scaler.Round(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	want := int(autoscale.Replicas(w.tc))
	for len(w.tasks) < want {
		n := len(w.tasks)
		w.tasks = append(w.tasks, swarmobj.Task{
			ID: "t" + strconv.Itoa(n), NodeID: "n1", State: swarm.TaskStateRunning, Desired: swarm.TaskStateRunning, Since: w.now.Add(-time.Hour),
		})
	}
	w.tasks = w.tasks[:want]
}

func (w *world) rounds(n int) *world {
	w.t.Helper()

	for range n {
		w.round()
	}

	return w
}

func (w *world) wants(n int32, why string) {
	w.t.Helper()

	if got := autoscale.Replicas(w.tc); got != n {
		w.t.Fatalf("%s: %d tasks, want %d\n%+v", why, got, n, w.tc.Status.Autoscaling)
	}
}

// says checks a condition of the status.
func (w *world) says(kind string, is metav1.ConditionStatus, reason string) {
	w.t.Helper()

	s := w.tc.Status.Autoscaling
	if s == nil {
		w.t.Fatalf("there is no status")
	}
	c := conditions.Get(&report{AutoscalingStatus: *s}, kind)
	if c == nil || c.Status != is || c.Reason != reason {
		w.t.Errorf("%s is %+v, want %s because of %s", kind, c, is, reason)
	}
}

// Look implements Swarm.
func (w *world) Look(context.Context, swarmobj.Owner) (swarmobj.World, error) {
	if w.engineGone {
		return swarmobj.World{}, swarmobj.ErrUnavailable
	}

	return swarmobj.World{Tasks: w.tasks}, nil
}

// Latest implements Telemetry.
func (w *world) Latest(task string) (telemetry.Sample, bool) {
	return telemetry.Sample{Task: task, Container: "c-" + task, At: w.now}, !w.blind
}

// Window implements Telemetry: all tasks have the same share of the load.
func (w *world) Window(task string, _ time.Time) []telemetry.Sample {
	if w.blind || len(w.tasks) == 0 {
		return nil
	}
	const span = 30 * time.Second
	used := time.Duration(w.load / float64(len(w.tasks)) * float64(span))

	return []telemetry.Sample{
		{Task: task, At: w.now.Add(-span), Started: noon}, {Task: task, At: w.now, Started: noon, CPU: telemetry.CPU{Total: used}},
	}
}

// Number implements Prometheus.
func (w *world) Number(_ context.Context, namespace, query string) (float64, error) {
	if namespace != "acme" || w.answer == nil {
		return 0, errors.New("Prometheus does not answer")
	}

	return w.answer(query)
}

// Counter implements Counters.
func (w *world) Counter(_ context.Context, at Place, c Counter) (float64, error) {
	if at.Container != "c-"+at.Task || c.Port != 9090 || c.Path != "/metrics" {
		return 0, fmt.Errorf("%+v is not at %+v", c, at)
	}

	return w.requests / float64(len(w.tasks)), nil
}

// Event implements engine.Recorder.
func (w *world) Event(_ runtime.Object, _, reason, message string) {
	w.events = append(w.events, reason+": "+message)
}

// reader shows the container as it is.
type reader struct {
	client.Reader
	w *world
}

func (r reader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1alpha1.TenantContainerList).Items = []v1alpha1.TenantContainer{*r.w.tc.DeepCopy()}

	return nil
}

func (r reader) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(v1alpha1.GroupVersion.WithResource("containerrevisions").GroupResource(), key.Name)
}

// writer applies what the autoscaler owns, as the API server does for a field manager: what is left out is gone.
type writer struct {
	client.Client
	w *world
}

func (s writer) Apply(_ context.Context, o runtime.ApplyConfiguration, _ ...client.ApplyOption) error {
	u, err := unstructuredOf(o)
	if err != nil {
		return err
	}
	if len(u.Object) != 3 {
		return fmt.Errorf("more is written than one annotation: %v", u.Object)
	}
	text, ok := u.GetAnnotations()[v1alpha1.AnnotationReplicas]
	if ok {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return err
		}
		s.w.asked = append(s.w.asked, int32(n))
		if int32(n) > s.w.most {
			return s.w.refusal(int32(n))
		}
	}
	s.w.writes++
	delete(s.w.tc.Annotations, v1alpha1.AnnotationReplicas)
	if ok {
		if s.w.tc.Annotations == nil {
			s.w.tc.Annotations = map[string]string{}
		}
		s.w.tc.Annotations[v1alpha1.AnnotationReplicas] = text
	}
	s.w.stored(u)

	return nil
}

func (s writer) Status() client.SubResourceWriter { return statusWriter{w: s.w} }

type statusWriter struct {
	client.SubResourceWriter
	w *world
}

func (s statusWriter) Apply(_ context.Context, o runtime.ApplyConfiguration, _ ...client.SubResourceApplyOption) error {
	u, err := unstructuredOf(o)
	if err != nil {
		return err
	}
	s.w.statuses++
	s.w.tc.Status.Autoscaling = nil
	if fields, ok, _ := unstructured.NestedMap(u.Object, "status", "autoscaling"); ok {
		s.w.tc.Status.Autoscaling = &v1alpha1.AutoscalingStatus{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(fields, s.w.tc.Status.Autoscaling, true); err != nil {
			return err
		}
	}
	s.w.stored(u)

	return nil
}

func (w *world) stored(u *unstructured.Unstructured) {
	w.version++
	w.tc.ResourceVersion = strconv.Itoa(w.version)
	u.SetResourceVersion(w.tc.ResourceVersion)
}

// unstructuredOf is what is applied; it is the object itself, so that the answer can be put into it.
func unstructuredOf(o runtime.ApplyConfiguration) (*unstructured.Unstructured, error) {
	holder, ok := o.(interface {
		UnstructuredContent() map[string]any
		SetUnstructuredContent(map[string]any)
	})
	if !ok {
		return nil, fmt.Errorf("unexpected %T", o)
	}
	out := &unstructured.Unstructured{Object: holder.UnstructuredContent()}
	if out.GetUID() != "u1" || out.GetName() != "web" || out.GetNamespace() != "acme" {
		return nil, fmt.Errorf("unexpected object %v", out.Object)
	}
	delete(out.Object["metadata"].(map[string]any), "resourceVersion")

	return out, nil
}

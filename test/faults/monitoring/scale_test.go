package monitoring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/autoscaler"
	"github.com/dogker/dogker/controllers/health"
	"github.com/dogker/dogker/reconciler/autoscale"
	"github.com/dogker/dogker/reconciler/converge"
)

// scaleStory: work comes and goes, and the container does not scale for a while.
var scaleStory = story{
	start: func(p *converge.Process) {
		w := p.World.(*world)
		scaler := autoscaler.New(autoscaler.Options{
			Cached: p.Client, Writer: applying{p.Client}, Swarm: w, Telemetry: w, Prometheus: questions{p, w},
		})
		p.Reconcile(idle)
		p.Go(func(ctx context.Context) { _ = scaler.Start(ctx) })
	},
	scenario: converge.Scenario{Name: "scales", Steps: []converge.Step{
		{Name: "begin", Do: func(r *converge.Run) {
			tc := container()
			byQuery(tc)
			change(func(w *world) { w.waiting = 25 })(r)
			r.Store.Create(tc)
		}, Until: scaledTo(3)},
		{Name: "less", Do: change(func(w *world) { w.waiting = 8 }), Until: scaledTo(1)},
		{Name: "nothing", Do: change(func(w *world) { w.waiting = 0 }), Until: scaledTo(0)},
		{Name: "wakes", Do: change(func(w *world) { w.waiting = 15 }), Until: scaledTo(2)},
		{Name: "by-hand", Do: edit(func(tc *v1alpha1.TenantContainer) { tc.Spec.Autoscaling = nil }), Until: unscaled},
		{Name: "again", Do: edit(byQuery), Until: scaledTo(2)},
	}},
}

// byQuery scales so that each task has ten of what waits.
func byQuery(tc *v1alpha1.TenantContainer) {
	tc.Spec.Autoscaling = &v1alpha1.Autoscaling{
		MinReplicas: new(int32(0)), MaxReplicas: 5,
		Metrics: []v1alpha1.AutoscalingMetric{{Type: v1alpha1.MetricPrometheus, Prometheus: &v1alpha1.PrometheusMetric{
			Query: "waiting", Target: v1alpha1.PrometheusTarget{AverageValue: new(resource.MustParse("10"))},
		}}},
		Behavior: &v1alpha1.AutoscalingBehavior{ScaleDown: &v1alpha1.ScalingRules{StabilizationWindowSeconds: new(int32(0))}},
	}
}

// idle is the loop of processes whose loops have none.
var idle = reconcileNothing{}

// illStory: tasks fail again and again, and then they do not.
var illStory = story{
	start: startHealth,
	scenario: converge.Scenario{Name: "ill", Steps: []converge.Step{
		{Name: "begin", Do: func(r *converge.Run) { r.Store.Create(container()) }, Until: healthIs("")},
		{Name: "fails", Do: change(func(w *world) { w.failed = time.Now() }), Until: healthIs(v1alpha1.HealthCrashLooping)},
		{Name: "recovers", Do: change(func(w *world) { w.failed = time.Time{} }), Until: healthIs("")},
	}},
}

// stuckStory: a container is paused, and its owner has asked for another one in its place.
var stuckStory = story{
	start: startHealth,
	scenario: converge.Scenario{Name: "stuck", Steps: []converge.Step{
		{Name: "begin", Do: func(r *converge.Run) {
			tc := container()
			tc.Spec.StuckTaskPolicy = v1alpha1.StuckTaskReplace
			r.Store.Create(tc)
		}, Until: healthIs("")},
		// A stop that fails is tried again after five minutes.
		{Name: "paused", Do: change(func(w *world) { w.pausedAt = time.Now() }), Until: all(replaced, healthIs("")), Within: 15 * time.Minute},
	}},
}

func startHealth(p *converge.Process) {
	w := p.World.(*world)
	monitor, err := health.New(health.Options{Client: p.Client, Swarm: w, Samples: w, Tasks: stops{p, w}})
	must(err)
	p.Reconcile(idle)
	p.Go(func(ctx context.Context) { _ = monitor.Start(ctx) })
}

func edit(how func(*v1alpha1.TenantContainer)) func(*converge.Run) {
	return func(r *converge.Run) {
		tc := container()
		r.Store.Edit(tc, func() { how(tc) })
	}
}

// scaledTo is true when that number is decided, shown, and nothing else is.
func scaledTo(n int32) until {
	return func(r *converge.Run) error {
		tc := container()
		r.Store.Get(tc.Namespace, tc.Name, tc)
		decided, ok := autoscale.Decided(tc)
		switch s := tc.Status.Autoscaling; {
		case !ok || decided != n:
			return fmt.Errorf("decided: %d, %t, want %d", decided, ok, n)
		case s == nil || s.DesiredReplicas != n:
			return fmt.Errorf("status is %+v, want %d tasks", s, n)
		default:
			return nil
		}
	}
}

// unscaled is true when nothing is left of scaling.
func unscaled(r *converge.Run) error {
	tc := container()
	r.Store.Get(tc.Namespace, tc.Name, tc)
	if _, left := tc.Annotations[v1alpha1.AnnotationReplicas]; left || tc.Status.Autoscaling != nil {
		return fmt.Errorf("left are %v and %+v", tc.Annotations, tc.Status.Autoscaling)
	}

	return nil
}

// healthIs is true when that is found and annotated, and nothing else is.
func healthIs(want v1alpha1.HealthState) until {
	return func(r *converge.Run) error {
		tc := container()
		r.Store.Get(tc.Namespace, tc.Name, tc)
		var found []v1alpha1.HealthState
		if tc.Status.Health != nil {
			for _, f := range tc.Status.Health.Findings {
				found = append(found, f.State)
			}
		}
		annotated := v1alpha1.HealthState(tc.Annotations[v1alpha1.AnnotationHealth])
		if annotated != want || want == "" && len(found) > 0 || want != "" && (len(found) != 1 || found[0] != want) {
			return fmt.Errorf("found %v, annotated %q, want %q", found, annotated, want)
		}

		return nil
	}
}

func replaced(r *converge.Run) error {
	w := r.World.(*world)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life == 0 {
		return errors.New("no task was stopped")
	}

	return nil
}

// questions are what a process asks Prometheus.
type questions struct {
	p *converge.Process
	w *world
}

// Number implements autoscaler.Prometheus.
func (q questions) Number(ctx context.Context, tenant, query string) (value float64, err error) {
	if tenant != namespace || query != "waiting" {
		return 0, fmt.Errorf("%q of %q is not what was declared", query, tenant)
	}
	err = across(ctx, q.p, converge.Call{Seam: "Prometheus", Op: "Query", Target: query}, func() error {
		q.w.mu.Lock()
		defer q.w.mu.Unlock()
		value = q.w.waiting

		return nil
	})

	return value, err
}

// stops are containers that a process stops.
type stops struct {
	p *converge.Process
	w *world
}

// Stop implements health.Tasks: another task comes in the place of one that is stopped.
func (s stops) Stop(ctx context.Context, _, task, in string, _ time.Duration) error {
	return across(ctx, s.p, converge.Call{Seam: "Engine", Op: "Stop", Target: "web", Write: true}, func() error {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		switch {
		case task != s.w.task(0) || in != "c-"+task:
			return nil // It is gone.
		case s.w.pausedAt.IsZero():
			s.w.violations = append(s.w.violations, "a task was stopped that runs")
		}
		s.w.life++
		s.w.pausedAt = time.Time{}

		return nil
	})
}

// applying applies what a field owner wants, as the API server does: the store of the harness knows no field managers. Whoever
// applies here owns one annotation and one part of the status, and what they leave out is gone.
type applying struct{ client.Client }

func (a applying) Apply(ctx context.Context, o runtime.ApplyConfiguration, _ ...client.ApplyOption) error {
	u, tc := wanted(o)
	var value any
	if text, ok := u.GetAnnotations()[v1alpha1.AnnotationReplicas]; ok {
		value = text
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{v1alpha1.AnnotationReplicas: value}}})
	must(err)
	err = a.Patch(ctx, tc, client.RawPatch(types.MergePatchType, patch))
	u.SetResourceVersion(tc.ResourceVersion)

	return err
}

func (a applying) Status() client.SubResourceWriter { return applyingStatus{a.Client.Status()} }

type applyingStatus struct{ client.SubResourceWriter }

func (a applyingStatus) Apply(ctx context.Context, o runtime.ApplyConfiguration, _ ...client.SubResourceApplyOption) error {
	u, tc := wanted(o)
	value, _, err := unstructured.NestedFieldNoCopy(u.Object, "status", "autoscaling")
	must(err)
	patch, err := json.Marshal([]map[string]any{{"op": "add", "path": "/status/autoscaling", "value": value}})
	must(err)
	err = a.Patch(ctx, tc, client.RawPatch(types.JSONPatchType, patch))
	u.SetResourceVersion(tc.ResourceVersion)

	return err
}

func wanted(o runtime.ApplyConfiguration) (*unstructured.Unstructured, *v1alpha1.TenantContainer) {
	content, ok := o.(interface{ UnstructuredContent() map[string]any })
	if !ok {
		panic(fmt.Sprintf("unexpected %T", o))
	}
	u := &unstructured.Unstructured{Object: content.UnstructuredContent()}
	tc := &v1alpha1.TenantContainer{}
	tc.Namespace, tc.Name = u.GetNamespace(), u.GetName()

	return u, tc
}

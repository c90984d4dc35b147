package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/collector"
	"github.com/dogker/dogker/controllers/workload/job"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// jobScenarios are what users do with jobs. Whatever goes wrong, a run has one service in its life: the world looks at that after
// every write.
var jobScenarios = []converge.Scenario{
	{Name: "job-succeeds", Steps: []converge.Step{
		{Name: "create", Do: createJob("once", imageDone), Until: over("once", v1alpha1.RunSucceeded, 0)},
		{Name: "tidy", Do: func(*converge.Run) {}, Until: noServiceOf("once")},
	}},
	{Name: "job-with-content", Steps: []converge.Step{
		{Name: "create", Do: both(createContents, createJob("once", imageDone, withContent)), Until: over("once", v1alpha1.RunSucceeded, 0)},
		{Name: "delete", Do: removeJob("once"), Until: noJob("once")},
	}},
	{Name: "job-fails", Steps: []converge.Step{
		{Name: "create", Do: createJob("once", imageCrash, retries(1)), Until: over("once", v1alpha1.RunFailed, 3)},
		{Name: "tidy", Do: func(*converge.Run) {}, Until: noServiceOf("once")},
	}},
	{Name: "job-deleted", Steps: []converge.Step{
		{Name: "create", Do: createJob("once", imageV1), Until: active("once")},
		{Name: "delete", Do: removeJob("once"), Until: noJob("once")},
	}},
	{Name: "job-suspended", Steps: []converge.Step{
		{Name: "create", Do: createJob("once", imageV1), Until: active("once")},
		{Name: "suspend", Do: editJob("once", func(j *v1alpha1.TenantJob) {
			metav1.SetMetaDataAnnotation(&j.ObjectMeta, v1alpha1.AnnotationSuspend, "Maintenance")
		}), Until: interrupted("once")},
		{Name: "resume", Do: editJob("once", func(j *v1alpha1.TenantJob) { delete(j.Annotations, v1alpha1.AnnotationSuspend) }), Until: noServiceOf("once")},
	}},
	{Name: "jobs-one-volume", Steps: []converge.Step{
		{
			Name: "create", Do: both(createVolume, both(createJob("once", imageDone, writing), createJob("twice", imageDone, writing))),
			Until: all(over("once", v1alpha1.RunSucceeded, 0), over("twice", v1alpha1.RunSucceeded, 0)),
		},
		{Name: "tidy", Do: func(*converge.Run) {}, Until: all(noServiceOf("once"), noServiceOf("twice"))},
	}},
	{Name: "job-data-moves", Steps: []converge.Step{
		{Name: "hold", Do: both(addWorkers, both(createVolume, phase(v1alpha1.MoveStopping))), Until: func(*converge.Run) error { return nil }},
		{Name: "create", Do: createJob("once", imageDone, writing), Until: all(pending("once", v1alpha1.ReasonMoving), noServiceOf("once"))},
		{Name: "moved", Do: phase(v1alpha1.MoveMoved), Until: over("once", v1alpha1.RunSucceeded, 0)},
		{Name: "tidy", Do: func(*converge.Run) {}, Until: noServiceOf("once")},
	}},
	{Name: "jobs-hand-over", Steps: []converge.Step{
		{Name: "create", Do: both(createVolume, createJob("once", imageV1, writing)), Until: active("once")},
		{Name: "other", Do: createJob("twice", imageDone, writing), Until: all(active("once"), pending("twice", v1alpha1.ReasonVolumeConflict))},
		{Name: "suspend", Do: editJob("once", func(j *v1alpha1.TenantJob) {
			metav1.SetMetaDataAnnotation(&j.ObjectMeta, v1alpha1.AnnotationSuspend, "Maintenance")
		}), Until: over("twice", v1alpha1.RunSucceeded, 0)},
		{Name: "tidy", Do: func(*converge.Run) {}, Until: all(interrupted("once"), noServiceOf("twice"))},
	}},
}

// newJobHarness wires the loop of jobs and the collector as the server does.
func newJobHarness(t *testing.T) *converge.Harness {
	t.Helper()
	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	must(v1alpha1.AddToScheme(scheme))

	h := &converge.Harness{
		Scheme: scheme,
		Status: []client.Object{&v1alpha1.TenantJob{}},
		World:  func(r *converge.Run) converge.World { return newWorld(r) },
		Start:  startJobs,
		Keys: func(c client.Client) []types.NamespacedName {
			var list v1alpha1.TenantJobList
			if err := c.List(context.Background(), &list); err != nil {
				return nil
			}

			var keys []types.NamespacedName
			for i := range list.Items {
				keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
			}

			return keys
		},
		State:  stateOfJobs,
		Check:  brokenJobs,
		Replay: "go test ./test/faults -run '%s'",
	}
	sample(t, h)

	return h
}

func startJobs(p *converge.Process) {
	w := p.World.(*world)
	docker := swarm.New(w.client(p), swarm.Options{})

	docker.Subscribe(func(o swarmobj.Owner) {
		if o.Kind == swarmobj.KindJob {
			p.Enqueue(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: o.Tenant, Name: o.Name}})
		}
	})

	p.Go(func(ctx context.Context) { _ = docker.Run(ctx) })

	registry := prometheus.NewRegistry()
	kind := job.New(p.Client, p.Live, docker, door{p.Seam, w.registry}, job.Options{Recorder: silent{}, Digests: w.digests()})
	loop := engine.New(p.Client, kind, engine.Options{
		Name: job.Name, Finalizer: v1alpha1.Finalizer, Recorder: silent{}, Strict: true,
		Metrics: engine.NewMetrics(registry), Jitter: func() float64 { return 0 },
	})

	p.Reconcile(loop)
	w.watchPanics(registry)

	p.Watch(&v1alpha1.TenantJob{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		return asked(loop.IgnoreOwnWrites(), old, new)
	})

	sweeper := collector.New(p.Client, p.Live, docker, slog.New(slog.DiscardHandler), nil)
	p.Go(func(ctx context.Context) { _ = sweeper.Start(ctx) })
}

func stateOfJobs(r *converge.Run) []string {
	var list v1alpha1.TenantJobList
	r.Store.List(&list)

	var out []string

	for i := range list.Items {
		j := &list.Items[i]
		out = append(out, fmt.Sprintf("job %s observed %d running %d succeeded %d failed %d", j.Name, j.Status.ObservedGeneration, j.Status.Running, j.Status.Succeeded, j.Status.Failed))

		for _, run := range j.Status.History {
			code := "none"
			if run.ExitCode != nil {
				code = fmt.Sprint(*run.ExitCode)
			}
			out = append(out, fmt.Sprintf("job %s run %s: %s exit code %s", j.Name, run.Phase, run.Reason, code))
		}
		for _, c := range j.Status.Conditions {
			out = append(out, fmt.Sprintf("job %s %s=%s %s", j.Name, c.Type, c.Status, c.Reason))
		}
	}

	sort.Strings(out)

	return out
}

func brokenJobs(r *converge.Run) []string {
	var list v1alpha1.TenantJobList
	r.Store.List(&list)

	var out []string

	for i := range list.Items {
		for _, problem := range check.Problems(&list.Items[i]) {
			out = append(out, fmt.Sprintf("status of %s: %s", list.Items[i].Name, problem))
		}
	}

	return out
}

func jobNamed(name string) *v1alpha1.TenantJob {
	return &v1alpha1.TenantJob{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

// createJob makes a job as the API server would let it in.
func createJob(name, image string, change ...func(*v1alpha1.TenantJob)) func(*converge.Run) {
	return func(r *converge.Run) {
		j := jobNamed(name)
		j.Finalizers = []string{v1alpha1.Finalizer}
		j.Spec = v1alpha1.TenantJobSpec{
			Parallelism: ptr(int32(1)), BackoffLimit: ptr(int32(6)),
			Template: v1alpha1.JobTemplate{Image: v1alpha1.Image(image), ImagePullPolicy: v1alpha1.PullIfNotPresent},
		}
		for _, c := range change {
			c(j)
		}
		r.Store.Create(j)
	}
}

func retries(n int32) func(*v1alpha1.TenantJob) {
	return func(j *v1alpha1.TenantJob) { j.Spec.BackoffLimit = ptr(n) }
}

func createContents(r *converge.Run) {
	r.Store.Create(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "keys"}, Data: map[string][]byte{"cert": []byte("old")},
	})
}

func withContent(j *v1alpha1.TenantJob) {
	j.Spec.Template.Files = []v1alpha1.File{{Path: "/etc/app/cert", SecretKeyRef: &v1alpha1.KeySelector{Name: "keys", Key: "cert"}}}
}

func writing(j *v1alpha1.TenantJob) {
	j.Spec.Template.Volumes = []v1alpha1.VolumeMount{{Name: "data", MountPath: "/data"}}
}

func editJob(name string, change func(*v1alpha1.TenantJob)) func(*converge.Run) {
	return func(r *converge.Run) {
		j := jobNamed(name)
		r.Store.Edit(j, func() { change(j) })
	}
}

func removeJob(name string) func(*converge.Run) {
	return func(r *converge.Run) { r.Store.Delete(jobNamed(name)) }
}

// over is true when the one run of a job has ended so.
func over(name string, phase v1alpha1.JobRunPhase, code int32) until {
	return func(r *converge.Run) error {
		j := jobNamed(name)
		if !r.Store.Get(namespace, name, j) {
			return errors.New("the job is gone")
		}
		if len(j.Status.History) != 1 || len(j.Status.Active) != 0 {
			return fmt.Errorf("%d runs are over and %d are not: %+v", len(j.Status.History), len(j.Status.Active), j.Status.Conditions)
		}

		run := j.Status.History[0]
		if run.Phase != phase || run.ExitCode == nil || *run.ExitCode != code {
			return fmt.Errorf("the run is %+v", run)
		}

		return nil
	}
}

// active is true while the run goes on, with a container.
func active(name string) until {
	return func(r *converge.Run) error {
		j := jobNamed(name)
		if !r.Store.Get(namespace, name, j) || len(j.Status.Active) != 1 || j.Status.Active[0].Phase != v1alpha1.RunRunning {
			return fmt.Errorf("no run goes on: %+v", j.Status)
		}

		return nil
	}
}

// pending is true while the run waits, and says why.
func pending(name, reason string) until {
	return func(r *converge.Run) error {
		j := jobNamed(name)
		if !r.Store.Get(namespace, name, j) || len(j.Status.Active) != 1 || j.Status.Active[0].Phase != v1alpha1.RunPending || j.Status.Active[0].Reason != reason {
			return fmt.Errorf("it does not wait because of %s: %+v", reason, j.Status)
		}

		return nil
	}
}

func interrupted(name string) until {
	return func(r *converge.Run) error {
		j := jobNamed(name)
		if !r.Store.Get(namespace, name, j) || len(j.Status.History) != 1 || j.Status.History[0].Phase != v1alpha1.RunInterrupted ||
			!conditions.IsTrue(j, v1alpha1.ConditionSuspended) {
			return fmt.Errorf("not interrupted: %+v", j.Status)
		}

		return noServiceOf(name)(r)
	}
}

// noServiceOf is true when Swarm has nothing of a job any more, and no container of it runs.
func noServiceOf(name string) until {
	return func(r *converge.Run) error {
		w := r.World.(*world)
		for _, s := range w.ourServices() {
			if owner, _ := swarmobj.OwnerOf(s.Spec.Labels); owner.Name == name {
				return fmt.Errorf("service %q is left", s.Spec.Name)
			}
		}
		for _, c := range w.cluster.Containers() {
			if c.Service != "stranger" {
				return fmt.Errorf("a container of %q runs", c.Service)
			}
		}

		return nil
	}
}

func noJob(name string) until {
	return func(r *converge.Run) error {
		if r.Store.Get(namespace, name, jobNamed(name)) {
			return errors.New("the job is still there")
		}

		return noServiceOf(name)(r)
	}
}

func TestJobFaults(t *testing.T) {
	for _, scenario := range jobScenarios {
		t.Run(scenario.Name, func(t *testing.T) { newJobHarness(t).Run(t, scenario, converge.EveryPoint) })
	}
}

func TestJobStaleViews(t *testing.T) {
	for _, scenario := range jobScenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			newJobHarness(t).Run(t, scenario, converge.StaleRestarts(1, 2, 4), converge.LostNotifications(20), converge.Lags(time.Second, 20*time.Second))
		})
	}
}

func TestJobStorms(t *testing.T) {
	for _, scenario := range jobScenarios {
		t.Run(scenario.Name, func(t *testing.T) { newJobHarness(t).Run(t, scenario, converge.Storms(10, 10)) })
	}
}

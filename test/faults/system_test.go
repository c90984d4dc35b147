package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/collector"
	"github.com/dogker/dogker/controllers/tenant"
	"github.com/dogker/dogker/controllers/workload"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// newHarness wires the loops as the server does, on a swarm and a store in memory.
func newHarness() *converge.Harness {
	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	must(v1alpha1.AddToScheme(scheme))
	must(billingv1.AddToScheme(scheme))

	h := &converge.Harness{
		Scheme: scheme,
		Status: []client.Object{&v1alpha1.TenantContainer{}, &v1alpha1.Tenant{}, &billingv1.BillingAccount{}},
		World:  func(r *converge.Run) converge.World { return newWorld(r) },
		Start:  start,
		Keys:   keys,
		State:  stateOfAPI,
		Check:  brokenRules,
		Replay: "go test ./test/faults -run '%s'",
	}

	for _, i := range workload.Indexes {
		h.Indexes = append(h.Indexes, converge.Index{Object: i.Object, Field: i.Field, Values: i.Values})
	}

	h.Indexes = append(h.Indexes, converge.Index{Object: &v1alpha1.Tenant{}, Field: tenant.IndexPlan, Values: tenant.PlanOf})

	return h
}

// start begins a process: the read cache of the swarm, the loops of containers, tenants and accounts, and the collector.
func start(p *converge.Process) {
	w := p.World.(*world)
	docker := swarm.New(w.client(p), swarm.Options{})

	docker.Subscribe(func(o swarmobj.Owner) {
		p.Enqueue(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: o.Tenant, Name: o.Name}})
	})

	p.Go(func(ctx context.Context) { _ = docker.Run(ctx) })

	metrics := prometheus.NewRegistry()
	passes := engine.NewMetrics(metrics)
	kind := workload.New(p.Client, p.Live, docker, door{p.Seam, w.registry}, silent{}, w.digests())
	loop := engine.New(p.Client, kind, engine.Options{
		Name: workload.Name, Finalizer: v1alpha1.Finalizer, Recorder: silent{}, Strict: true,
		Metrics: passes, Jitter: func() float64 { return 0 },
	})
	tenants := startTenants(p, docker, passes)
	paying := startAccounts(p, docker, passes)
	p.Reconcile(reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		switch {
		case req.Namespace == "":
			return inTurn(ctx, req, tenants, paying.keeper)
		case isAccount(req):
			return paying.loop.Reconcile(ctx, req)
		default:
			return loop.Reconcile(ctx, req)
		}
	}))
	w.watchPanics(metrics)

	p.Watch(&v1alpha1.TenantContainer{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		return append(asked(loop.IgnoreOwnWrites(), old, new), dependents(p, old, new)...)
	})
	p.Watch(&v1alpha1.ContainerRevision{}, recorded)

	for _, of := range []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}} {
		p.Watch(of, func(_ context.Context, old, new client.Object) []reconcile.Request {
			o := either(old, new)

			return byIndex(p, o.GetNamespace(), "spec.references", kindName(of)+"/"+o.GetName())
		})
	}

	p.Watch(&v1alpha1.Volume{}, func(_ context.Context, old, new client.Object) []reconcile.Request {
		o := either(old, new)

		return byIndex(p, o.GetNamespace(), "spec.volumes", o.GetName())
	})

	sweeper := collector.New(p.Client, p.Live, docker, slog.New(slog.DiscardHandler), nil)
	p.Go(func(ctx context.Context) { _ = sweeper.Start(ctx) })
}

// inTurn lets two loops about the same object have a pass each. They come back when the first of them wants to.
func inTurn(ctx context.Context, req reconcile.Request, loops ...reconcile.Reconciler) (next reconcile.Result, err error) {
	for _, loop := range loops {
		got, failed := loop.Reconcile(ctx, req)
		err = errors.Join(err, failed)

		if after := got.RequeueAfter; after > 0 && (next.RequeueAfter == 0 || after < next.RequeueAfter) {
			next.RequeueAfter = after
		}
	}

	return next, err
}

// silent records no events.
type silent struct{}

func (silent) Event(runtime.Object, string, string, string) {}

// asked is a request for the container itself, unless the loop has written what is new about it.
func asked(own predicate.Predicate, old, new client.Object) []reconcile.Request {
	if old != nil && new != nil && !own.Update(event.UpdateEvent{ObjectOld: old, ObjectNew: new}) {
		return nil
	}

	return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(either(old, new))}}
}

// dependents are the containers that wait for one that has become ready.
func dependents(p *converge.Process, old, new client.Object) []reconcile.Request {
	if !isReady(new) || isReady(old) {
		return nil
	}

	return byIndex(p, new.GetNamespace(), "spec.dependsOn", new.GetName())
}

func isReady(o client.Object) bool {
	tc, ok := o.(*v1alpha1.TenantContainer)

	return ok && tc != nil && conditions.IsTrue(tc, conditions.Ready)
}

// recorded is a request for the container whose history has a record more or less.
func recorded(_ context.Context, old, new client.Object) []reconcile.Request {
	if old != nil && new != nil {
		return nil
	}

	var out []reconcile.Request

	o := either(old, new)
	for _, owner := range o.GetOwnerReferences() {
		out = append(out, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: owner.Name}})
	}

	return out
}

func byIndex(p *converge.Process, namespace, field, value string) []reconcile.Request {
	var list v1alpha1.TenantContainerList
	if err := p.Client.List(p.Context(), &list, client.InNamespace(namespace), client.MatchingFields{field: value}); err != nil {
		return nil
	}

	var out []reconcile.Request
	for i := range list.Items {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
	}

	return out
}

func kindName(o client.Object) string {
	if _, ok := o.(*corev1.Secret); ok {
		return "Secret"
	}

	return "ConfigMap"
}

func either(old, new client.Object) client.Object {
	if new != nil {
		return new
	}

	return old
}

func keys(c client.Client) []types.NamespacedName {
	var list v1alpha1.TenantContainerList
	if err := c.List(context.Background(), &list); err != nil {
		return nil
	}

	var keys []types.NamespacedName
	for i := range list.Items {
		keys = append(keys, client.ObjectKeyFromObject(&list.Items[i]))
	}

	return append(append(keys, tenantKeys(c)...), accountKeys(c)...)
}

// imageInWords is what status says of an image, without the time at which the registry gave it.
func imageInWords(i *v1alpha1.ImageStatus) string {
	if i == nil {
		return "none"
	}

	return fmt.Sprintf("%s as %s pinned %t granted %t", i.Requested, i.Resolved, i.Pinned, i.Proof != nil && i.Proof.GrantedTime != nil)
}

// stateOfAPI is what the API holds, without what differs from run to run.
func stateOfAPI(r *converge.Run) []string {
	var (
		out        []string
		containers v1alpha1.TenantContainerList
		revisions  v1alpha1.ContainerRevisionList
		secrets    corev1.SecretList
	)

	r.Store.List(&containers)
	r.Store.List(&revisions)
	r.Store.List(&secrets)

	for i := range containers.Items {
		c := &containers.Items[i]
		s := c.Status
		out = append(out, fmt.Sprintf("container %s generation %d observed %d tasks %q replicas %d/%d/%d revision %d image %s failed %+v",
			c.Name, c.Generation, s.ObservedGeneration, s.Tasks, s.Replicas, s.ReadyReplicas, s.UpdatedReplicas, s.Revision, imageInWords(s.Image), s.FailedRevision))

		for _, condition := range s.Conditions {
			out = append(out, fmt.Sprintf("container %s %s=%s %s: %s", c.Name, condition.Type, condition.Status, condition.Reason, condition.Message))
		}
	}

	out = append(out, stateOfTenants(r)...)
	out = append(out, stateOfAccounts(r)...)

	for _, rev := range revisions.Items {
		out = append(out, fmt.Sprintf("revision %s of %s image %s outcome %s", rev.Name, rev.Spec.Container, rev.Spec.ResolvedImage, rev.Status.Outcome))
	}

	for _, s := range secrets.Items {
		out = append(out, "secret "+s.Name)
	}

	sort.Strings(out)

	return out
}

// brokenRules lists what is wrong with the API's objects.
func brokenRules(r *converge.Run) []string {
	var list v1alpha1.TenantContainerList
	r.Store.List(&list)

	var out []string

	for i := range list.Items {
		for _, problem := range check.Problems(&list.Items[i]) {
			out = append(out, fmt.Sprintf("status of %s: %s", list.Items[i].Name, problem))
		}
	}

	out = append(out, brokenTenants(r)...)
	out = append(out, brokenAccounts(r)...)
	observed := map[types.UID]int64{}

	for o := range r.Store.History() {
		c, ok := o.(*v1alpha1.TenantContainer)
		if !ok {
			continue
		}

		if now := c.Status.ObservedGeneration; now < observed[c.UID] {
			out = append(out, fmt.Sprintf("R14: observedGeneration of %s went back from %d to %d", c.Name, observed[c.UID], now))
		}

		observed[c.UID] = c.Status.ObservedGeneration
	}

	return out
}

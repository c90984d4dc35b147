package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

const (
	noTenant = "namespace without tenant"

	// applied is how many containers are applied in a turn, and thought how long the client waits after one has come to
	// its end: what the controllers and the quota make of the last one is out of the way of the next then.
	applied = 100
	thought = 20 * time.Millisecond
	// between is how long the client waits before it begins with another verb.
	between = 3 * time.Second
)

// Verbs of the benchmark.
const (
	applyNew    = "apply that creates"
	applyChange = "apply that changes, dry run"
)

var admission = benchmark{
	name:  "admission",
	title: "What a tenant's rules add to an apply",
	about: "One client applies containers of 0 replicas by server-side apply, 100 in a turn, each when the one before is Ready: in a namespace that " +
		"belongs to no tenant, and in that of a tenant whose plan has the profile restricted and a quota for everything. A new container meets all of " +
		"it: defaults, rules, and the charge of the quota, which is a write of its own; a changed one, as a dry run, all but the charge. What is " +
		"added is the difference within a round.",
	goals: []measure.Goal{{Figure: addedTo(applyNew, 99), AtMost: 0.002}, {Figure: addedTo(applyChange, 99), AtMost: 0.002}},
	run: func(ctx context.Context, s *session) error {
		o, err := s.office(ctx)
		if err != nil {
			return err
		}
		in, err := o.places(ctx)
		if err != nil {
			return err
		}
		turn := func(namespace string) func(context.Context, adder) error {
			return func(ctx context.Context, add adder) error { return o.timeApplies(ctx, namespace, add) }
		}
		if err := s.take(ctx, s.samples, arm{noTenant, turn(in.without)}, arm{measure.Ours, turn(in.tenant)}); err != nil {
			return err
		}
		s.addDifferences()

		return nil
	},
}

func percentileOf(verb string, p float64) string { return fmt.Sprintf("%s, p%.0f", verb, p) }

func addedTo(verb string, p float64) string { return "added to an " + percentileOf(verb, p) }

// places are two namespaces that differ in whether they belong to a tenant. Containers of both run an image of a registry on
// the same machine: without one none of a tenant's would become Ready.
type places struct{ without, tenant string }

func (o *office) places(ctx context.Context) (places, error) {
	const strict = "strict"
	in := places{without: "free", tenant: "ruled"}

	if err := o.server.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: in.without}}); err != nil {
		return in, err
	}
	registry, err := rig.StartRegistry()
	if err != nil {
		return in, err
	}
	o.stops = append(o.stops, registry.Close)
	if o.image, err = registry.Push(ctx, "bench/app"); err != nil {
		return in, err
	}

	rules := plan(strict, v1alpha1.ProfileRestricted)
	rules.Spec.Images = &v1alpha1.ImageRules{Allowed: []v1alpha1.ImagePattern{v1alpha1.ImagePattern(registry.Host)}}
	if err := o.server.Client.Create(ctx, rules); err != nil {
		return in, err
	}
	t := o.tenant(in.tenant)
	t.Spec.PlanName = strict
	if err := o.server.CreateTenants(ctx, []*v1alpha1.Tenant{t}); err != nil {
		return in, err
	}

	// The subjects of changes, which also show that both namespaces are ready for more.
	raw, err := o.server.Raw()
	if err != nil {
		return in, err
	}
	for _, namespace := range []string{in.without, in.tenant} {
		if err := o.apply(ctx, raw, namespace, "subject", 0, false); err != nil {
			return in, err
		}
	}

	return in, nil
}

// timeApplies times a turn in the namespace, and takes away what it has made.
func (o *office) timeApplies(ctx context.Context, namespace string, add adder) error {
	raw, err := o.server.Raw()
	if err != nil {
		return err
	}

	watch, err := o.server.WatchReady(ctx)
	if err != nil {
		return err
	}
	defer watch.Stop()

	name := func(i int) string { return fmt.Sprintf("new-%04d", i) }
	for _, verb := range []struct {
		figure string
		call   func(i int) error
		settle func(i int) error
	}{
		{
			applyNew,
			func(i int) error { return o.apply(ctx, raw, namespace, name(i), 0, false) },
			func(i int) error {
				_, err := watch.AwaitOne(ctx, client.ObjectKey{Namespace: namespace, Name: name(i)})
				return errors.Join(err, sleep(ctx, thought))
			},
		},
		{
			applyChange,
			func(i int) error { return o.apply(ctx, raw, namespace, "subject", i+1, true) },
			func(int) error { return nil },
		},
	} {
		if err := sleep(ctx, between); err != nil {
			return err
		}
		took := make(measure.Values, applied)
		for i := range took {
			began := time.Now()
			if err := verb.call(i); err != nil {
				return fmt.Errorf("%s: %w", verb.figure, err)
			}
			took[i] = time.Since(began).Seconds()
			if err := verb.settle(i); err != nil {
				return err
			}
		}
		add(percentileOf(verb.figure, 50), measure.Seconds, took.Median())
		add(percentileOf(verb.figure, 99), measure.Seconds, took.Percentile(99))
	}

	return o.empty(ctx, namespace, applied)
}

// empty takes the new containers away, after it has seen that there are n.
func (o *office) empty(ctx context.Context, namespace string, n int) error {
	var list v1alpha1.TenantContainerList
	if err := o.server.Client.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return err
	}
	var made []client.Object
	for i := range list.Items {
		if list.Items[i].Name != "subject" {
			made = append(made, &list.Items[i])
		}
	}
	if len(made) != n {
		return fmt.Errorf("namespace %q has %d new containers, and should have %d", namespace, len(made), n)
	}

	return o.server.Remove(ctx, made)
}

// addDifferences tells what was added, round by round.
func (s *session) addDifferences() {
	for _, verb := range []string{applyNew, applyChange} {
		for _, p := range []float64{50, 99} {
			without := s.report.Values(noTenant, percentileOf(verb, p))
			for i, with := range s.report.Values(measure.Ours, percentileOf(verb, p)) {
				s.report.Add(measure.Ours, addedTo(verb, p), measure.Seconds, with-without[i])
			}
		}
	}
}

// apply is what `kubectl apply --server-side` sends for a container that says what people usually say.
func (o *office) apply(ctx context.Context, c rest.Interface, namespace, name string, value int, dryRun bool) error {
	text := func(s string) *v1alpha1.Text { return new(v1alpha1.Text(s)) }
	body, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "TenantContainer",
		"metadata": map[string]any{"namespace": namespace, "name": name, "labels": map[string]string{"app": name}},
		"spec": v1alpha1.TenantContainerSpec{
			Image: v1alpha1.Image(o.image), Replicas: new(int32(0)), Args: []v1alpha1.Text{"-idle"},
			Env: []v1alpha1.EnvVar{
				{Name: "ADDRESS", Value: text(":8080")}, {Name: "LEVEL", Value: text("info")},
				{Name: "VALUE", Value: text(fmt.Sprint(value))},
			},
		},
	})
	if err != nil {
		return err
	}

	call := c.Patch(types.ApplyPatchType).AbsPath("/apis", v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version, "namespaces", namespace, "tenantcontainers", name).
		Param("fieldManager", "bench").Param("force", "true").Body(body)
	if dryRun {
		call = call.Param("dryRun", metav1.DryRunAll)
	}

	return call.Do(ctx).Error()
}

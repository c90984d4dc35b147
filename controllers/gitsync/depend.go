package gitsync

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/outcome"
)

const (
	// dependencyPoll is when to look again at what is waited for, should the change of it that starts a pass be missed.
	dependencyPoll = time.Minute
	// cyclePoll is when to look whether somebody has opened a circle elsewhere.
	cyclePoll = 30 * time.Second
)

// depends is nil when all that the sync depends on is ready, and otherwise how the pass ends.
func (p *pass) depends(ctx context.Context) error {
	if len(p.sync.Spec.DependsOn) == 0 {
		return nil
	}

	var list gitopsv1.GitSyncList
	if err := p.cached.List(ctx, &list, client.InNamespace(p.sync.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list syncs of %q: %w", p.sync.Namespace, err)
	}

	edges, states := map[string][]string{}, map[string]lifecycle.State{}

	for i := range list.Items {
		other := &list.Items[i]
		edges[other.Name], states[other.Name] = dependenciesOf(other), stateOf(other)
	}

	// The cache may not have the latest spec of this one yet.
	edges[p.sync.Name] = dependenciesOf(p.sync)

	if cycle := lifecycle.Cycle(p.sync.Name, edges); cycle != nil {
		return &outcome.Stall{
			Reason: gitopsv1.ReasonDependencyCycle, Message: "spec.dependsOn: it waits for itself: " + lifecycle.CycleText(cycle),
		}
	}

	if _, why := lifecycle.WaitFor(edges[p.sync.Name], states); why != "" {
		return &outcome.Wait{Reason: gitopsv1.ReasonDependencyNotReady, Message: why, After: dependencyPoll}
	}

	return nil
}

func dependenciesOf(s *gitopsv1.GitSync) []string {
	out := make([]string, 0, len(s.Spec.DependsOn))
	for _, d := range s.Spec.DependsOn {
		out = append(out, string(d.Name))
	}

	return out
}

func stateOf(s *gitopsv1.GitSync) lifecycle.State {
	ready := conditions.Get(s, conditions.Ready)

	return lifecycle.State{
		Ready:     ready != nil && ready.Status == metav1.ConditionTrue && s.DeletionTimestamp.IsZero(),
		Current:   s.Status.ObservedGeneration == s.Generation,
		Suspended: s.Spec.Suspend,
	}
}

// leaving is whether the namespace, or the tenant that it belongs to, is going away: everything in it goes then, and must
// not be put back.
func (p *pass) leaving(ctx context.Context, r client.Reader) (bool, error) {
	var ns corev1.Namespace
	if err := r.Get(ctx, types.NamespacedName{Name: p.sync.Namespace}, &ns); err != nil {
		if apierrors.IsNotFound(err) {
			return true, nil
		}

		return false, fmt.Errorf("read namespace %q: %w", p.sync.Namespace, err)
	}

	if !ns.DeletionTimestamp.IsZero() {
		return true, nil
	}

	name := ns.Labels[dogkerv1.LabelTenant]
	if name == "" {
		return false, nil
	}

	var tenant dogkerv1.Tenant

	err := r.Get(ctx, types.NamespacedName{Name: name}, &tenant)
	if err != nil && !apierrors.IsNotFound(err) {
		return false, fmt.Errorf("read tenant %q: %w", name, err)
	}

	return err == nil && !tenant.DeletionTimestamp.IsZero(), nil
}

package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
)

// Wait blocks until everything that was built is Ready, something has failed for good, the timeout is over, or ctx ends. What
// is left alone is not waited for. An error of type Errors says of each object why it is not Ready; it can be called again.
func (p *Plan) Wait(ctx context.Context, timeout time.Duration) error {
	deadline := p.visit.now().Add(timeout)

	for {
		errs, final, err := p.Health(ctx)
		if err != nil {
			return err
		}

		if len(errs) == 0 || final || !p.visit.now().Before(deadline) {
			return errs.Err()
		}

		if err := sleep(ctx, p.visit.opts.Poll); err != nil {
			return fmt.Errorf("wait for objects to be ready: %w", err)
		}
	}
}

// Health says of all objects what keeps them from being Ready; it looks once, and does not wait. final is true when waiting
// does not help.
func (p *Plan) Health(ctx context.Context) (errs delivery.Errors, final bool, err error) {
	live, err := p.visit.states(ctx, p.steps)
	if err != nil {
		return nil, false, err
	}

	for _, s := range p.steps {
		if s.action == delivery.Skipped {
			continue
		}

		ready, failed, why := judgeHealth(s.item, live[s.id])
		if ready {
			continue
		}

		final = final || failed
		e := s.failure(delivery.ReasonUnhealthy, "%s", why)
		e.Transient = true
		errs = append(errs, e)
	}

	return errs, final, nil
}

// states reads what the API has of all that can be more or less Ready, one list for each kind.
func (v *visit) states(ctx context.Context, steps []*step) (map[inventory.ID]*unstructured.Unstructured, error) {
	type listed struct {
		api  dynamic.ResourceInterface
		kind string
	}

	places := map[place]listed{}

	for _, s := range steps {
		if s.action != delivery.Skipped && !alwaysReady(s.item) {
			places[place{s.resource, s.id.Namespace}] = listed{v.of(s.item), s.id.Kind}
		}
	}

	out := map[inventory.ID]*unstructured.Unstructured{}

	for p, l := range places {
		o := metav1.ListOptions{LabelSelector: v.selector(), Limit: page}

		for {
			list, err := l.api.List(ctx, o)
			if err != nil {
				return nil, fmt.Errorf("list %s in %q: %w", p.resource.Resource, p.namespace, err)
			}

			for i := range list.Items {
				u := &list.Items[i]
				out[inventory.ID{Namespace: u.GetNamespace(), Name: u.GetName(), Group: p.resource.Group, Kind: l.kind}] = u
			}

			if o.Continue = list.GetContinue(); o.Continue == "" {
				break
			}
		}
	}

	return out, nil
}

// alwaysReady is true for what has no state beyond being there. Its content needs not be read.
func alwaysReady(it *item) bool {
	return it.id.Group == "" && slices.Contains([]string{"ConfigMap", "Secret", "ServiceAccount", "ResourceQuota", "Namespace"}, it.id.Kind) ||
		it.id.Group == "rbac.authorization.k8s.io"
}

// judgeHealth says whether an object is Ready, and otherwise why not and whether that is its last word.
func judgeHealth(it *item, live *unstructured.Unstructured) (ready, failed bool, why string) {
	switch {
	case alwaysReady(it):
		return true, false, ""
	case live == nil:
		return false, false, "does not exist any more"
	}

	result, err := status.Compute(live)
	if err != nil {
		return false, false, "has a status that cannot be read"
	}

	switch result.Status {
	case status.CurrentStatus:
		// kstatus takes an object without conditions for one that never has any. Ours have them as soon as they were seen.
		if ownKind(it) && !hasReady(live) {
			return false, false, "has not been looked at yet"
		}

		return true, false, ""
	case status.FailedStatus:
		return false, true, "has failed: " + saying(live, result)
	case status.TerminatingStatus:
		return false, false, "is being deleted"
	default:
		return false, false, "is not ready: " + saying(live, result)
	}
}

func ownKind(it *item) bool {
	return it.id.Group == "dogker.io" || strings.HasSuffix(it.id.Group, ".dogker.io")
}

func hasReady(u *unstructured.Unstructured) bool { return condition(u, "Ready") != nil }

// condition is the one of a type; nil for none.
func condition(u *unstructured.Unstructured, kind string) map[string]any {
	all, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")

	for _, one := range all {
		if c, _ := one.(map[string]any); c["type"] == kind {
			return c
		}
	}

	return nil
}

// saying is what the object says about itself, in the words of its Ready condition where it has one.
func saying(u *unstructured.Unstructured, result *status.Result) string {
	if c := condition(u, "Ready"); c != nil && c["status"] != "True" {
		return fmt.Sprintf("%v: %v", c["reason"], c["message"])
	}

	return result.Message
}

package autoscaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
	"github.com/dogker/dogker/reconciler/logkey"
)

// act writes the number that was decided, where another one is written, or as many more as there is room and money for: what is
// refused is asked for by halves. It returns how many tasks there are to be then, and says in the decision what kept it from
// more.
func (a *Autoscaler) act(
	ctx context.Context, tc *v1alpha1.TenantContainer, s *state, current int32, d *autoscale.Decision, log *slog.Logger,
) (int32, error) {
	// What was refused a moment ago is not asked for again, and neither is anything when that leaves nothing more.
	wanted := s.ceiling(d.Desired, a.Now())
	if wanted < d.Desired {
		d.Limited = s.refusal
		wanted = max(wanted, current)
	}
	for n := wanted; ; n = current + (n-current)/2 {
		if written, ok := autoscale.Decided(tc); ok && written == n && n == current {
			d.Desired = n

			return current, nil
		}
		err := a.annotate(ctx, tc, s, n)
		switch why, refused := refusalOf(err); {
		case err == nil:
			if n >= d.Desired {
				s.refusal = autoscale.Remark{}
			}
			d.Desired = n

			return n, nil
		case !refused || n <= current:
			return current, fmt.Errorf("write number of tasks of %q: %w", tc.Name, err)
		default:
			log.DebugContext(ctx, "Scaling TenantContainer was refused", "to", n, logkey.Err, err)
			if s.refusal.Reason != why.Reason {
				a.announceRefusal(tc, n, err)
			}
			s.refuse(n, why, a.Now())
			d.Limited = why
		}
	}
}

// annotate writes the number and nothing else, into the object of that UID.
func (a *Autoscaler) annotate(ctx context.Context, tc *v1alpha1.TenantContainer, s *state, n int32) error {
	u := identity(tc)
	u.SetAnnotations(map[string]string{v1alpha1.AnnotationReplicas: strconv.FormatInt(int64(n), 10)})

	return a.apply(ctx, u, s)
}

// identity is the object with nothing in it. With the UID a write never makes an object that has gone meanwhile.
func identity(tc *v1alpha1.TenantContainer) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("TenantContainer"))
	u.SetNamespace(tc.Namespace)
	u.SetName(tc.Name)
	u.SetUID(tc.UID)

	return u
}

func (a *Autoscaler) apply(ctx context.Context, u *unstructured.Unstructured, s *state) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()

	if err := a.Writer.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(FieldOwner), client.ForceOwnership); err != nil {
		return err
	}
	s.version = u.GetResourceVersion()

	return nil
}

// report writes the status where it says something else than what is there. Values that change nothing wait for a minute.
func (a *Autoscaler) report(ctx context.Context, tc *v1alpha1.TenantContainer, s *state, r *report, now time.Time) error {
	if !differs(tc.Status.Autoscaling, &r.AutoscalingStatus, now.Sub(s.reported) >= valuesHold) {
		return nil
	}

	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&r.AutoscalingStatus)
	if err != nil {
		return fmt.Errorf("encode status: %w", err)
	}
	u := identity(tc)
	u.Object["status"] = map[string]any{"autoscaling": fields}
	if err := a.applyStatus(ctx, u, s); err != nil {
		return fmt.Errorf("write status of %q: %w", tc.Name, err)
	}
	s.reported = now

	return nil
}

func (a *Autoscaler) applyStatus(ctx context.Context, u *unstructured.Unstructured, s *state) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()

	err := a.Writer.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(FieldOwner), client.ForceOwnership)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	s.version = u.GetResourceVersion()

	return nil
}

// valuesHold is for how long a status stays of which only the values are not what they were.
const valuesHold = time.Minute

// retire takes back what was written about a container that does not scale any more.
func (a *Autoscaler) retire(ctx context.Context, tc *v1alpha1.TenantContainer, s *state) error {
	s.memory, s.counters = nil, nil

	if _, annotated := tc.Annotations[v1alpha1.AnnotationReplicas]; annotated {
		if err := a.apply(ctx, identity(tc), s); err != nil {
			return fmt.Errorf("remove number of tasks of %q: %w", tc.Name, err)
		}
	}
	if tc.Status.Autoscaling != nil {
		if err := a.applyStatus(ctx, identity(tc), s); err != nil {
			return fmt.Errorf("remove status of %q: %w", tc.Name, err)
		}
	}

	return nil
}

// refusalOf is why more is not to be had; false for an error that is no refusal.
func refusalOf(err error) (autoscale.Remark, bool) {
	var s apierrors.APIStatus
	if !errors.As(err, &s) || !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) && s.Status().Code != 403 {
		return autoscale.Remark{}, false
	}

	switch reason := s.Status().Reason; {
	case strings.Contains(err.Error(), "exceeded quota"):
		return autoscale.Remark{
			Reason: v1alpha1.ReasonQuotaExceeded, Message: "More tasks are needed, and the quota of the namespace has no room for them",
		}, true
	case reason == metav1.StatusReason(billingv1.ReasonInsufficientBalance):
		return autoscale.Remark{
			Reason: v1alpha1.ReasonInsufficientBalance, Message: "More tasks are needed, and the balance would not last for them as long as the plan asks",
		}, true
	default:
		return autoscale.Remark{Reason: v1alpha1.ReasonScalingRefused, Message: "More tasks are needed, and the platform refuses them"}, true
	}
}

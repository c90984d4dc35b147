package bootstrap

import (
	"context"
	"fmt"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
)

// ensureFairness makes the priority levels before the flow schemas that refer to them.
func (b bootstrapper) ensureFairness(ctx context.Context) error {
	levels, err := levels()
	if err != nil {
		return err
	}
	for _, level := range levels {
		if err := retry.RetryOnConflict(retry.DefaultRetry, func() error { return b.ensureLevel(ctx, level) }); err != nil {
			return fmt.Errorf("ensure priority level %q: %w", level.Name, err)
		}
	}

	flows, err := flows()
	if err != nil {
		return err
	}
	for _, flow := range flows {
		if err := retry.RetryOnConflict(retry.DefaultRetry, func() error { return b.ensureFlow(ctx, flow) }); err != nil {
			return fmt.Errorf("ensure flow schema %q: %w", flow.Name, err)
		}
	}

	return nil
}

func (b bootstrapper) ensureLevel(ctx context.Context, want *flowcontrolv1.PriorityLevelConfiguration) error {
	return ensureSpec(ctx, b.kube.FlowcontrolV1().PriorityLevelConfigurations(), want,
		func(o *flowcontrolv1.PriorityLevelConfiguration) *flowcontrolv1.PriorityLevelConfigurationSpec {
			return &o.Spec
		})
}

func (b bootstrapper) ensureFlow(ctx context.Context, want *flowcontrolv1.FlowSchema) error {
	return ensureSpec(ctx, b.kube.FlowcontrolV1().FlowSchemas(), want,
		func(o *flowcontrolv1.FlowSchema) *flowcontrolv1.FlowSchemaSpec { return &o.Spec })
}

// kindOf is the part of a typed client that ensureSpec needs.
type kindOf[T any] interface {
	Get(ctx context.Context, name string, o metav1.GetOptions) (T, error)
	Create(ctx context.Context, obj T, o metav1.CreateOptions) (T, error)
	Update(ctx context.Context, obj T, o metav1.UpdateOptions) (T, error)
}

// ensureSpec makes an object, or puts its spec back, unless the platform team has taken it over.
func ensureSpec[T metav1.Object, S any](ctx context.Context, api kindOf[T], want T, spec func(T) *S) error {
	have, err := api.Get(ctx, want.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = api.Create(ctx, want, metav1.CreateOptions{})
		return err
	}
	if err != nil || handed(have) || equality.Semantic.DeepEqual(*spec(have), *spec(want)) {
		return err
	}

	*spec(have) = *spec(want)
	_, err = api.Update(ctx, have, metav1.UpdateOptions{})

	return err
}

// handed is true for an object whose spec the platform team has taken over, in the way that Kubernetes has for its own.
func handed(o metav1.Object) bool {
	return o.GetAnnotations()[flowcontrolv1.AutoUpdateAnnotationKey] == "false"
}

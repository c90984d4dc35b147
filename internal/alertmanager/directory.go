package alertmanager

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
)

// Cached is a Directory that reads from a cache.
type Cached struct{ Reader client.Reader }

var _ Directory = Cached{}

// Audience implements Directory.
func (c Cached) Audience(ctx context.Context, namespace string) (Audience, error) {
	var t v1alpha1.Tenant

	err := c.Reader.Get(ctx, client.ObjectKey{Name: namespace}, &t, &client.GetOptions{UnsafeDisableDeepCopy: new(true)})
	if err != nil && !apierrors.IsNotFound(err) {
		return Audience{}, fmt.Errorf("read tenant %q: %w", namespace, err)
	}

	// Whose a namespace is says the Tenant, once it has it: it may be refused one that was there before.
	tenant := err == nil && t.Status.Namespace == namespace

	var receivers monitoringv1.ReceiverList
	if err := c.Reader.List(ctx, &receivers, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return Audience{}, fmt.Errorf("list receivers of %q: %w", namespace, err)
	}

	return Audience{Receivers: receivers.Items, Tenant: tenant, Contacts: tenant && alert.Technical(t.Spec.Contacts)}, nil
}

package adopt

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Condition is a condition of an object.
type Condition = metav1.Condition

const ready = "Ready"

// refusals are the reasons for which the server does not adopt, and will not by itself.
var refusals = []string{
	v1alpha1.ReasonAdoptionRefused, v1alpha1.ReasonRefusedByPolicy, v1alpha1.ReasonInvalidSpec, v1alpha1.ReasonImageNotTrusted,
}

// follow waits until the server has adopted a service, or has said why it does not.
func (i *Importer) follow(ctx context.Context, a Adoption, out *Outcome) error {
	name := a.Service.Spec.Name
	tc := &v1alpha1.TenantContainer{}
	refused := false

	err := i.await(ctx, func() (bool, error) {
		if err := i.Client.Get(ctx, client.ObjectKeyFromObject(a.Container), tc); err != nil {
			return false, err
		}
		refused = slices.Contains(refusals, reasonOf(tc))

		return refused || owns(tc, a.Service.ID), nil
	})

	switch {
	case errors.Is(err, errTimeout):
		out.Pending = append(out.Pending, name)

		return fmt.Errorf("service %q is not adopted yet: %s; TenantContainer %q stays, and the server goes on trying", name, saidOf(tc), tc.Name)
	case err != nil:
		return fmt.Errorf("follow TenantContainer %q: %w", a.Container.Name, err)
	case refused && !owns(tc, a.Service.ID):
		return errors.Join(fmt.Errorf("service %q is left alone: %s", name, saidOf(tc)), i.takeBack(ctx, tc))
	}

	out.Adopted = append(out.Adopted, name)
	fmt.Fprintf(i.Out, "tenantcontainer.dogker.io/%s adopted\n", tc.Name)

	return i.forget(ctx, tc)
}

// owns is true for a container that has the service.
func owns(tc *v1alpha1.TenantContainer, id string) bool {
	return tc.Status.Service != nil && tc.Status.Service.ID == id
}

func reasonOf(tc *v1alpha1.TenantContainer) string {
	for _, c := range tc.Status.Conditions {
		if c.Type == ready {
			return c.Reason
		}
	}

	return ""
}

// forget takes the word away by which the service was adopted: it has been obeyed.
func (i *Importer) forget(ctx context.Context, tc *v1alpha1.TenantContainer) error {
	patch := client.MergeFrom(tc.DeepCopy())
	delete(tc.Annotations, v1alpha1.AnnotationAdopt)
	if err := i.Client.Patch(ctx, tc, patch); err != nil {
		return fmt.Errorf("take the annotation %s from TenantContainer %q: %w", v1alpha1.AnnotationAdopt, tc.Name, err)
	}

	return nil
}

// takeBack removes a container that was refused. The server may be about to try once more, and whoever removes a container
// with a service removes the service. So the word is taken away first, and the server has to have said that it sees nothing
// but a service of somebody else.
func (i *Importer) takeBack(ctx context.Context, tc *v1alpha1.TenantContainer) error {
	if err := i.forget(ctx, tc); err != nil {
		return err
	}
	err := i.await(ctx, func() (bool, error) {
		if err := i.Client.Get(ctx, client.ObjectKeyFromObject(tc), tc); err != nil {
			return false, err
		}

		return reasonOf(tc) == v1alpha1.ReasonNameConflict && tc.Status.Service == nil, nil
	})
	if err != nil {
		return fmt.Errorf("TenantContainer %q stays, because it is not certain that it has no service: %w", tc.Name, err)
	}

	version := tc.ResourceVersion
	err = i.Client.Delete(ctx, tc, client.Preconditions{UID: &tc.UID, ResourceVersion: &version})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove TenantContainer %q: %w", tc.Name, err)
	}

	return nil
}

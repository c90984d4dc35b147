package admission

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/resourcequota"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/quota"
)

// RegisterAllotment makes the plugin known, by the name of Kubernetes' plugin that is in it.
func RegisterAllotment(plugins *admission.Plugins) {
	plugins.Register(resourcequota.PluginName, func(io.Reader) (admission.Interface, error) {
		inner, err := quota.NewPlugin()
		if err != nil {
			return nil, err
		}

		return &Allotment{Plugin: inner, charge: inner.Validate}, nil
	})
}

// Allotment gives a request what it takes from what there is: the ports that a container publishes, and its part of the
// quota. It comes last, because only this of a request stays when the request fails. A claim can be undone and a charge
// cannot, so the charge is after the claim.
type Allotment struct {
	*quota.Plugin

	directory Directory
	charge    func(context.Context, admission.Attributes, admission.ObjectInterfaces) error
}

var _ admission.ValidationInterface = (*Allotment)(nil)

// SetDirectory gives the plugin the record of ports.
func (p *Allotment) SetDirectory(d Directory) { p.directory = d }

// ValidateInitialization refuses a plugin that could not see.
func (p *Allotment) ValidateInitialization() error {
	if p.directory == nil {
		return errors.New("admission of published ports needs a directory of tenants")
	}

	return p.Plugin.ValidateInitialization()
}

// Validate allots, or refuses.
func (p *Allotment) Validate(ctx context.Context, a admission.Attributes, o admission.ObjectInterfaces) error {
	undo, err := p.claim(ctx, a)
	if err != nil {
		return err
	}
	if err := p.charge(ctx, a, o); err != nil {
		undo()

		return err
	}

	return nil
}

// claim takes the ports that a container publishes; undo is never nil.
func (p *Allotment) claim(ctx context.Context, a admission.Attributes) (undo func(), err error) {
	nothing := func() {}
	if !concerns(a) || a.GetSubresource() != "" || a.IsDryRun() {
		return nothing, nil
	}
	now, old, err := objects(a)
	if err != nil {
		return nothing, err
	}
	if !changesSpec(now, old) {
		return nothing, nil
	}
	tc, err := typed[v1alpha1.TenantContainer](now)
	if err != nil {
		return nothing, apierrors.NewInternalError(err)
	}
	tc.Namespace = a.GetNamespace()
	if !publishes(tc) {
		return nothing, nil
	}

	var before *v1alpha1.TenantContainer
	if old != nil {
		if before, err = typed[v1alpha1.TenantContainer](old); err != nil {
			return nothing, apierrors.NewInternalError(err)
		}
	}
	_, tenant, err := p.directory.Policy(ctx, a.GetNamespace())
	if err != nil {
		return nothing, apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), err)
	}
	undo, errs, err := p.directory.Claim(ctx, tc, before, tenant)
	if err != nil {
		return nothing, apierrors.NewInternalError(fmt.Errorf("claim published ports of %q: %w", tc.Name, err))
	}
	if len(errs) > 0 {
		undo()

		return nothing, apierrors.NewInvalid(containerKind, tc.Name, errs)
	}

	return undo, nil
}

func publishes(tc *v1alpha1.TenantContainer) bool {
	for _, port := range tc.Spec.Ports {
		if port.Publish != nil {
			return true
		}
	}

	return false
}

package admission

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// PluginName is how the plugin is known to the API server.
const PluginName = "DogkerTenantContainer"

var (
	containerResource = v1alpha1.GroupVersion.WithResource("tenantcontainers")
	containerKind     = schema.GroupKind{Group: v1alpha1.GroupVersion.Group, Kind: "TenantContainer"}
)

// Register makes the plugin known.
func Register(plugins *admission.Plugins) {
	plugins.Register(PluginName, func(io.Reader) (admission.Interface, error) {
		return &Plugin{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// Plugin applies the rules to TenantContainers of every version.
type Plugin struct {
	*admission.Handler

	client    dynamic.Interface
	directory Directory
}

var (
	_ admission.MutationInterface    = (*Plugin)(nil)
	_ admission.ValidationInterface  = (*Plugin)(nil)
	_ initializer.WantsDynamicClient = (*Plugin)(nil)
)

// SetDynamicClient gives the plugin its sight of other objects.
func (p *Plugin) SetDynamicClient(c dynamic.Interface) { p.client = c }

// SetDirectory gives the plugin its sight of tenants.
func (p *Plugin) SetDirectory(d Directory) { p.directory = d }

// ValidateInitialization refuses a plugin that could not see.
func (p *Plugin) ValidateInitialization() error {
	if p.client == nil || p.directory == nil {
		return errors.New("admission of TenantContainers needs a client and a directory of tenants")
	}

	return nil
}

// Admit brings what is asked for into the form in which it is stored.
func (p *Plugin) Admit(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if !concerns(a) || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}

	holdUntilGone(now, v1alpha1.Finalizer)
	if err := reconcileReplicas(now, old); err != nil {
		return apierrors.NewInternalError(fmt.Errorf("set replicas: %w", err))
	}

	return p.fillIn(ctx, a, now, old)
}

// Validate refuses what must not be stored. It runs for the status subresource too. A request to the scale subresource
// carries a Scale and can change nothing but replicas.
func (p *Plugin) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if !concerns(a) {
		return nil
	}
	if a.GetSubresource() == "scale" {
		return p.judgeScale(ctx, a)
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}

	if errs := foreignAnnotations(now, old, a.GetUserInfo().GetName()); len(errs) > 0 {
		return apierrors.NewForbidden(a.GetResource().GroupResource(), now.GetName(), errs.ToAggregate())
	}
	if a.GetSubresource() != "" {
		return nil
	}
	if err := p.judge(ctx, a, now, old); err != nil {
		return err
	}
	if !newDependencies(now, old) {
		return nil
	}

	return p.refuseCycle(ctx, now)
}

func (p *Plugin) refuseCycle(ctx context.Context, now *unstructured.Unstructured) error {
	path, err := cycleOf(ctx, p.client.Resource(containerResource).Namespace(now.GetNamespace()), now)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if path == nil {
		return nil
	}
	refusal := field.Invalid(field.NewPath("spec", "dependsOn"), path[1], "must not lead back to the container itself: "+arrows(path))

	return apierrors.NewInvalid(containerKind, now.GetName(), field.ErrorList{refusal})
}

func concerns(a admission.Attributes) bool {
	return a.GetResource().GroupResource() == containerResource.GroupResource()
}

// objects are the new object and the old one; the old one is nil on create. Custom objects always arrive unstructured;
// anything else is a change in the API server that we would not understand, and is refused.
func objects(a admission.Attributes) (now, old *unstructured.Unstructured, err error) {
	now, ok := a.GetObject().(*unstructured.Unstructured)
	if !ok {
		return nil, nil, apierrors.NewInternalError(fmt.Errorf("admit TenantContainer: unexpected type %T", a.GetObject()))
	}
	if a.GetOperation() == admission.Create {
		return now, nil, nil
	}
	if old, ok = a.GetOldObject().(*unstructured.Unstructured); !ok {
		return nil, nil, apierrors.NewInternalError(fmt.Errorf("admit TenantContainer: unexpected type %T", a.GetOldObject()))
	}

	return now, old, nil
}

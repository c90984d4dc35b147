package admission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/volume"
)

// VolumePluginName is how the plugin for Volumes and VolumeClasses is known to the API server.
const VolumePluginName = "DogkerVolume"

var (
	volumeKind      = v1alpha1.GroupVersion.WithKind("Volume").GroupKind()
	volumeClassKind = v1alpha1.GroupVersion.WithKind("VolumeClass").GroupKind()
)

// RegisterVolume makes the plugin known.
func RegisterVolume(plugins *admission.Plugins) {
	plugins.Register(VolumePluginName, func(io.Reader) (admission.Interface, error) {
		return &Volume{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// Volume fills in what a Volume takes from its class, and refuses what no schema can: a size that the class does not allow, data
// of others, a move, and classes that would show tenants a node or each other's data.
type Volume struct {
	*admission.Handler

	client     dynamic.Interface
	authorizer authorizer.Authorizer
}

var (
	_ admission.MutationInterface       = (*Volume)(nil)
	_ admission.ValidationInterface     = (*Volume)(nil)
	_ admission.InitializationValidator = (*Volume)(nil)
	_ initializer.WantsDynamicClient    = (*Volume)(nil)
	_ initializer.WantsAuthorizer       = (*Volume)(nil)
)

// SetDynamicClient gives the plugin its sight of classes.
func (p *Volume) SetDynamicClient(c dynamic.Interface) { p.client = c }

// SetAuthorizer gives the plugin its sight of who may what.
func (p *Volume) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// ValidateInitialization refuses a plugin that could not see.
func (p *Volume) ValidateInitialization() error {
	if p.client == nil || p.authorizer == nil {
		return errors.New("admission of Volumes needs a client and an authorizer")
	}

	return nil
}

// Admit gives both kinds their finalizers, and a Volume what its class says.
func (p *Volume) Admit(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	kind := a.GetKind().GroupKind()
	if kind != volumeKind && kind != volumeClassKind || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}
	if kind == volumeClassKind {
		holdUntilGone(now, v1alpha1.FinalizerVolumeClass)

		return nil
	}
	holdUntilGone(now, v1alpha1.FinalizerVolume)
	if now.GetDeletionTimestamp() != nil {
		return nil
	}

	return p.fillIn(ctx, now, old)
}

// fillIn takes over what an update leaves out, as it was, and then what the class says.
func (p *Volume) fillIn(ctx context.Context, now, old *unstructured.Unstructured) error {
	for _, name := range []string{"className", "reclaimPolicy"} {
		if old == nil || text(now, name) != "" {
			continue
		}
		if before := text(old, name); before != "" {
			if err := unstructured.SetNestedField(now.Object, before, "spec", name); err != nil {
				return nil // The spec is no object; the schema says so.
			}
		}
	}
	if text(now, "className") != "" && text(now, "reclaimPolicy") != "" {
		return nil
	}

	classes, err := p.classes(ctx)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if text(now, "className") == "" {
		class := volume.Default(classes)
		if class == nil {
			return apierrors.NewInvalid(volumeKind, now.GetName(), field.ErrorList{field.Required(field.NewPath("spec", "className"),
				"must be set, because no VolumeClass is the default; "+thereAre(classes))})
		}
		if err := unstructured.SetNestedField(now.Object, class.Name, "spec", "className"); err != nil {
			return nil
		}
	}
	if class := named(classes, text(now, "className")); class != nil && text(now, "reclaimPolicy") == "" {
		_ = unstructured.SetNestedField(now.Object, string(class.Spec.ReclaimPolicy), "spec", "reclaimPolicy")
	}

	return nil
}

func text(o *unstructured.Unstructured, name string) string {
	value, _, _ := unstructured.NestedString(o.Object, "spec", name)

	return value
}

// classes are read past all caches: a class and Volumes of it are applied together.
func (p *Volume) classes(ctx context.Context) ([]v1alpha1.VolumeClass, error) {
	list, err := p.client.Resource(storageResource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list volume classes: %w", err)
	}

	out := make([]v1alpha1.VolumeClass, 0, len(list.Items))
	for i := range list.Items {
		class, err := typed[v1alpha1.VolumeClass](&list.Items[i])
		if err != nil {
			return nil, err
		}
		out = append(out, *class)
	}

	return out, nil
}

func named(classes []v1alpha1.VolumeClass, name string) *v1alpha1.VolumeClass {
	for i := range classes {
		if classes[i].Name == name {
			return &classes[i]
		}
	}

	return nil
}

// thereAre names the classes: tenants cannot list them, because options may hold what is nobody's business.
func thereAre(classes []v1alpha1.VolumeClass) string {
	if len(classes) == 0 {
		return "there are none"
	}
	var names []string
	for i := range classes {
		names = append(names, classes[i].Name)
	}
	slices.Sort(names)

	return "there are: " + strings.Join(names, ", ")
}

// Validate judges a spec that is new or has changed.
func (p *Volume) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	kind := a.GetKind().GroupKind()
	if kind != volumeKind && kind != volumeClassKind || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil || sameSpec(now, old) {
		return err
	}

	var errs field.ErrorList
	if kind == volumeClassKind {
		errs, err = judged(now, kind, func(c *v1alpha1.VolumeClass) field.ErrorList { return volume.CheckClass(&c.Spec, old != nil) })
	} else {
		errs, err = p.judge(ctx, a, now, old)
	}
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(kind, now.GetName(), errs)
	}

	return nil
}

func (p *Volume) judge(ctx context.Context, a admission.Attributes, now, old *unstructured.Unstructured) (field.ErrorList, error) {
	v, err := typed[v1alpha1.Volume](now)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	var before *v1alpha1.Volume
	if old != nil {
		if before, err = typed[v1alpha1.Volume](old); err != nil {
			return nil, apierrors.NewInternalError(err)
		}
	}

	classes, err := p.classes(ctx)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	class := named(classes, string(v.Spec.ClassName))
	if class == nil && before == nil {
		return field.ErrorList{field.Invalid(field.NewPath("spec", "className"), string(v.Spec.ClassName), "there is no such VolumeClass; "+thereAre(classes))}, nil
	}
	if v.Spec.Adopt != "" && before == nil {
		if err := p.mayAdopt(ctx, a); err != nil {
			return nil, err
		}
	}

	return volume.CheckVolume(v, before, class), nil
}

// mayAdopt refuses whoever may not adopt everywhere. A right in one namespace does not do: members of tenants have such rights.
func (p *Volume) mayAdopt(ctx context.Context, a admission.Attributes) error {
	resource := a.GetResource().GroupResource()
	decision, _, err := p.authorizer.Authorize(ctx, authorizer.AttributesRecord{
		User: a.GetUserInfo(), Verb: verbAdopt, APIGroup: resource.Group, APIVersion: v1alpha1.GroupVersion.Version,
		Resource: resource.Resource, Name: a.GetName(), ResourceRequest: true,
	})
	if decision == authorizer.DecisionAllow {
		return nil
	}
	refusal := field.Forbidden(field.NewPath("spec", "adopt"), fmt.Sprintf(
		"gives away data that belonged to a Volume before, which is the platform's to decide: it takes the right to %s %s in all namespaces", verbAdopt, resource.Resource))

	return apierrors.NewForbidden(resource, a.GetName(), errors.Join(refusal, err))
}

package admission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/snapshotrules"
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
// of others, a move or a restore that cannot be, commands for whoever may run none, and classes that would show tenants a node or each
// other's data.
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
	if err == nil && kind == volumeKind {
		err = keepData(ctx, p.authorizer, a, now, old, v1alpha1.FinalizerVolume)
	}
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
		if err := mayTake(ctx, p.authorizer, a, field.NewPath("spec", "adopt")); err != nil {
			return nil, err
		}
	}
	snapshots, err := p.judgeSnapshots(ctx, a, v, before)
	if err != nil {
		return nil, err
	}

	return append(volume.CheckVolume(v, before, class), snapshots...), nil
}

// judgeSnapshots judges what a Volume says of its snapshots.
func (p *Volume) judgeSnapshots(ctx context.Context, a admission.Attributes, v, before *v1alpha1.Volume) (field.ErrorList, error) {
	now := v.Spec.Snapshots
	if now == nil {
		return nil, nil
	}
	old := &v1alpha1.VolumeSnapshots{}
	if before != nil && before.Spec.Snapshots != nil {
		old = before.Spec.Snapshots
	}
	if now.Hooks != nil && !equality.Semantic.DeepEqual(now.Hooks, old.Hooks) {
		if err := mayExec(ctx, p.authorizer, a, field.NewPath("spec", "snapshots", "hooks")); err != nil {
			return nil, err
		}
	}
	classes, err := snapshotClasses(ctx, p.client)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}

	return snapshotrules.CheckVolume(now, old, classes), nil
}

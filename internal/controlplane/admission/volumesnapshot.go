package admission

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/agekey"
	"github.com/dogker/dogker/reconciler/snapshotrules"
)

// VolumeSnapshotPluginName is how the plugin for VolumeSnapshots and their classes is known to the API server.
const VolumeSnapshotPluginName = "DogkerVolumeSnapshot"

var (
	snapshotKind          = v1alpha1.GroupVersion.WithKind("VolumeSnapshot").GroupKind()
	snapshotClassKind     = v1alpha1.GroupVersion.WithKind("VolumeSnapshotClass").GroupKind()
	snapshotResource      = v1alpha1.GroupVersion.WithResource("volumesnapshots")
	snapshotClassResource = v1alpha1.GroupVersion.WithResource("volumesnapshotclasses")
)

// RegisterVolumeSnapshot makes the plugin known.
func RegisterVolumeSnapshot(plugins *admission.Plugins) {
	plugins.Register(VolumeSnapshotPluginName, func(io.Reader) (admission.Interface, error) {
		return &VolumeSnapshot{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// VolumeSnapshot fills in the class of a snapshot, and refuses what no schema can: a class that is not there, an archive that may be
// of others, and classes whose place cannot be meant.
type VolumeSnapshot struct {
	*admission.Handler

	client     dynamic.Interface
	authorizer authorizer.Authorizer
	dataDir    string
}

var (
	_ admission.MutationInterface       = (*VolumeSnapshot)(nil)
	_ admission.ValidationInterface     = (*VolumeSnapshot)(nil)
	_ admission.InitializationValidator = (*VolumeSnapshot)(nil)
	_ initializer.WantsDynamicClient    = (*VolumeSnapshot)(nil)
	_ initializer.WantsAuthorizer       = (*VolumeSnapshot)(nil)
	_ wantsDataDir                      = (*VolumeSnapshot)(nil)
)

// SetDynamicClient gives the plugin its sight of Volumes and classes.
func (p *VolumeSnapshot) SetDynamicClient(c dynamic.Interface) { p.client = c }

// SetAuthorizer gives the plugin its sight of who may what.
func (p *VolumeSnapshot) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// SetDataDir tells the plugin where archives must not be.
func (p *VolumeSnapshot) SetDataDir(path string) { p.dataDir = path }

// ValidateInitialization refuses a plugin that could not see.
func (p *VolumeSnapshot) ValidateInitialization() error {
	if p.client == nil || p.authorizer == nil || p.dataDir == "" {
		return errors.New("admission of VolumeSnapshots needs a client, an authorizer and the data directory")
	}

	return nil
}

// Admit gives both kinds their finalizers, and a VolumeSnapshot its class.
func (p *VolumeSnapshot) Admit(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	kind := a.GetKind().GroupKind()
	if kind != snapshotKind && kind != snapshotClassKind || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}
	if kind == snapshotClassKind {
		holdUntilGone(now, v1alpha1.FinalizerVolumeSnapshotClass)

		return nil
	}
	holdUntilGone(now, v1alpha1.FinalizerVolumeSnapshot)
	if now.GetDeletionTimestamp() != nil || text(now, "className") != "" {
		return nil
	}

	class := ""
	if old != nil {
		class = text(old, "className") // What an update leaves out stays as it was.
	} else if class, err = p.classFor(ctx, a.GetNamespace(), now); err != nil {
		return err
	}
	if class != "" {
		_ = unstructured.SetNestedField(now.Object, class, "spec", "className") // A spec that is no object the schema refuses.
	}

	return nil
}

// classFor is the class of a snapshot that names none: that of its Volume, or else the default.
func (p *VolumeSnapshot) classFor(ctx context.Context, namespace string, snapshot *unstructured.Unstructured) (string, error) {
	name, _, _ := unstructured.NestedString(snapshot.Object, "spec", "source", "volumeName")
	if name != "" {
		v, err := lookUp[v1alpha1.Volume](ctx, p.client, mountedResource, namespace, name)
		if err != nil {
			return "", apierrors.NewInternalError(err)
		}
		if v != nil && v.Spec.Snapshots != nil && v.Spec.Snapshots.ClassName != "" {
			return string(v.Spec.Snapshots.ClassName), nil
		}
	}

	classes, err := snapshotClasses(ctx, p.client)
	if err != nil {
		return "", apierrors.NewInternalError(err)
	}
	if class := snapshotrules.Default(classes); class != nil {
		return class.Name, nil
	}

	return "", apierrors.NewInvalid(snapshotKind, snapshot.GetName(), field.ErrorList{field.Required(field.NewPath("spec", "className"),
		"must be set, because no VolumeSnapshotClass is the default; "+snapshotrules.ThereAre(classes))})
}

// snapshotClasses are read past all caches: a class and snapshots of it are applied together.
func snapshotClasses(ctx context.Context, c dynamic.Interface) ([]v1alpha1.VolumeSnapshotClass, error) {
	list, err := c.Resource(snapshotClassResource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list volume snapshot classes: %w", err)
	}

	out := make([]v1alpha1.VolumeSnapshotClass, 0, len(list.Items))
	for i := range list.Items {
		class, err := typed[v1alpha1.VolumeSnapshotClass](&list.Items[i])
		if err != nil {
			return nil, err
		}
		out = append(out, *class)
	}

	return out, nil
}

// Validate judges a spec that is new or has changed. That of a snapshot cannot change, which the schema says.
func (p *VolumeSnapshot) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	kind := a.GetKind().GroupKind()
	if kind != snapshotKind && kind != snapshotClassKind || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err == nil && kind == snapshotKind {
		if err = keepData(ctx, p.authorizer, a, now, old, v1alpha1.FinalizerVolumeSnapshot); err == nil {
			err = keepTicks(ctx, p.authorizer, a, now, old)
		}
	}
	if err != nil || sameSpec(now, old) || old != nil && kind == snapshotKind {
		return err
	}

	var errs field.ErrorList
	if kind == snapshotClassKind {
		errs, err = judged(now, kind, p.judgeClass)
	} else {
		errs, err = p.judge(ctx, a, now)
	}
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(kind, now.GetName(), errs)
	}

	return nil
}

func (p *VolumeSnapshot) judgeClass(c *v1alpha1.VolumeSnapshotClass) field.ErrorList {
	errs := snapshotrules.CheckClass(&c.Spec, p.dataDir)
	for i, recipient := range c.Spec.Recipients {
		if _, err := agekey.Recipients(recipient); err != nil {
			errs = append(errs, field.Invalid(field.NewPath("spec", "recipients").Index(i), recipient, "must be an age recipient, as age-keygen prints it (age1…)"))
		}
	}

	return errs
}

func (p *VolumeSnapshot) judge(ctx context.Context, a admission.Attributes, now *unstructured.Unstructured) (field.ErrorList, error) {
	s, err := typed[v1alpha1.VolumeSnapshot](now)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	if s.Spec.Source.Archive != nil {
		if err := mayTake(ctx, p.authorizer, a, field.NewPath("spec", "source", "archive")); err != nil {
			return nil, err
		}
	}
	classes, err := snapshotClasses(ctx, p.client)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}

	return snapshotrules.CheckSource(&s.Spec, classes), nil
}

// mayTake refuses data of earlier objects to whoever may not adopt everywhere. A right in one namespace does not do: members of
// tenants have such rights.
func mayTake(ctx context.Context, z authorizer.Authorizer, a admission.Attributes, at *field.Path) error {
	resource := a.GetResource().GroupResource()
	may, err := mayAdopt(ctx, z, a)
	if may {
		return nil
	}
	refusal := field.Forbidden(at, fmt.Sprintf(
		"gives away data that belonged to a Volume before, which is the platform's to decide: it takes the right to %s %s in all namespaces", verbAdopt, resource.Resource))

	return apierrors.NewForbidden(resource, a.GetName(), errors.Join(refusal, err))
}

// mayAdopt tells who decides about data in all namespaces.
func mayAdopt(ctx context.Context, z authorizer.Authorizer, a admission.Attributes) (bool, error) {
	resource := a.GetResource().GroupResource()
	decision, _, err := z.Authorize(ctx, authorizer.AttributesRecord{
		User: a.GetUserInfo(), Verb: verbAdopt, APIGroup: resource.Group, APIVersion: v1alpha1.GroupVersion.Version,
		Resource: resource.Resource, Name: a.GetName(), ResourceRequest: true,
	})

	return decision == authorizer.DecisionAllow, err
}

// mayExec refuses hooks to whoever may not run commands in containers of the namespace. A hook runs in a container that is there
// already, with all that its process holds, and at hours when nobody looks.
func mayExec(ctx context.Context, z authorizer.Authorizer, a admission.Attributes, at *field.Path) error {
	decision, _, err := z.Authorize(ctx, authorizer.AttributesRecord{
		User: a.GetUserInfo(), Verb: "create", Namespace: a.GetNamespace(), APIVersion: "v1",
		Resource: "pods", Subresource: "exec", ResourceRequest: true,
	})
	if decision == authorizer.DecisionAllow {
		return nil
	}
	refusal := field.Forbidden(at, fmt.Sprintf("runs commands in containers: it takes the right to create pods/exec in namespace %q", a.GetNamespace()))

	return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), errors.Join(refusal, err))
}

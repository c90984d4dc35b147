package admission

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/deletion"
)

// DeletionPluginName is how the plugin for the deletion of tenants is known to the API server.
const DeletionPluginName = "DogkerTenantDeletion"

// RegisterDeletion makes the plugin known.
func RegisterDeletion(plugins *admission.Plugins) {
	plugins.Register(DeletionPluginName, func(io.Reader) (admission.Interface, error) {
		return &Deletion{Handler: admission.NewHandler(admission.Delete)}, nil
	})
}

// Deletion refuses to delete a tenant that is protected. An object that is being deleted cannot be called back, so that a
// guard after the deletion has begun would only put it off.
type Deletion struct {
	*admission.Handler

	ours  dynamic.Interface
	typed kubernetes.Interface
}

var (
	_              admission.ValidationInterface          = (*Deletion)(nil)
	_              initializer.WantsDynamicClient         = (*Deletion)(nil)
	_              initializer.WantsExternalKubeClientSet = (*Deletion)(nil)
	_              admission.InitializationValidator      = (*Deletion)(nil)
	tenantResource                                        = v1alpha1.GroupVersion.WithResource("tenants")
	onlyOne                                               = metav1.ListOptions{Limit: 1}
)

// SetDynamicClient gives the plugin its sight of containers.
func (d *Deletion) SetDynamicClient(c dynamic.Interface) { d.ours = c }

// SetExternalKubeClientSet gives the plugin its sight of data.
func (d *Deletion) SetExternalKubeClientSet(c kubernetes.Interface) { d.typed = c }

// ValidateInitialization refuses a plugin that could not see.
func (d *Deletion) ValidateInitialization() error {
	if d.ours == nil || d.typed == nil {
		return errors.New("admission of the deletion of tenants needs clients")
	}

	return nil
}

// Validate refuses the deletion of a tenant that is protected. A tenant that never got its namespace has nothing in it.
func (d *Deletion) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetResource().GroupResource() != tenantResource.GroupResource() || a.GetSubresource() != "" {
		return nil
	}

	old, ok := a.GetOldObject().(*unstructured.Unstructured)
	if !ok {
		return nil // A deletion of many is asked about once more for each of them.
	}

	t := &v1alpha1.Tenant{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(old.Object, t); err != nil {
		return apierrors.NewInternalError(fmt.Errorf("read Tenant %q: %w", old.GetName(), err))
	}
	if t.DeletionTimestamp != nil || t.Status.Namespace == "" {
		return nil
	}

	containers, data, err := d.contents(ctx, t.Status.Namespace)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if why := deletion.Protected(t, containers, data); why != "" {
		return apierrors.NewForbidden(tenantResource.GroupResource(), t.Name, errors.New(why))
	}

	return nil
}

// contents tells whether there are containers in a namespace, and names the data in it.
func (d *Deletion) contents(ctx context.Context, namespace string) (containers int, data []string, err error) {
	list, err := d.ours.Resource(containerResource).Namespace(namespace).List(ctx, onlyOne)
	if err != nil {
		return 0, nil, fmt.Errorf("list containers of %q: %w", namespace, err)
	}

	secrets, err := d.typed.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, nil, fmt.Errorf("list secrets of %q: %w", namespace, err)
	}

	configMaps, err := d.typed.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, nil, fmt.Errorf("list config maps of %q: %w", namespace, err)
	}

	volumes, err := d.names(ctx, mountedResource, namespace)
	if err != nil {
		return 0, nil, err
	}

	snapshots, err := d.names(ctx, snapshotResource, namespace)
	if err != nil {
		return 0, nil, err
	}

	return len(list.Items), deletion.Data(secrets.Items, configMaps.Items, volumes, snapshots), nil
}

// names are those of all objects of a kind in a namespace.
func (d *Deletion) names(ctx context.Context, r schema.GroupVersionResource, namespace string) ([]string, error) {
	list, err := d.ours.Resource(r).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list %s of %q: %w", r.Resource, namespace, err)
	}

	names := make([]string, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, list.Items[i].GetName())
	}

	return names, nil
}

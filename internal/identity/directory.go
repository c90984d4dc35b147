package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

// informerResync is how often everything is looked at anew, should a change have been missed.
const informerResync = 10 * time.Minute

var (
	usersResource        = v1alpha1.GroupVersion.WithResource("users")
	deployTokensResource = v1alpha1.GroupVersion.WithResource("deploytokens")
)

// Directory is People as this process' own API serves them.
type Directory struct {
	client  dynamic.Interface
	users   cache.SharedIndexInformer
	tokens  cache.SharedIndexInformer
	changes chan struct{}
}

var _ People = (*Directory)(nil)

// NewDirectory makes a directory; it knows nobody before Run.
func NewDirectory(client dynamic.Interface) (*Directory, error) {
	d := &Directory{client: client, changes: make(chan struct{}, 1)}
	d.users = dynamicinformer.NewFilteredDynamicInformer(client, usersResource, metav1.NamespaceAll, informerResync, cache.Indexers{}, nil).Informer()
	d.tokens = dynamicinformer.NewFilteredDynamicInformer(client, deployTokensResource, metav1.NamespaceAll, informerResync, cache.Indexers{}, nil).Informer()
	if err := d.users.SetTransform(transformTo[v1alpha1.User]); err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	if err := d.tokens.SetTransform(transformTo[v1alpha1.DeployToken]); err != nil {
		return nil, fmt.Errorf("read deploy tokens: %w", err)
	}
	_, err := d.users.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { d.changed() },
		UpdateFunc: func(_, _ any) { d.changed() },
		DeleteFunc: func(any) { d.changed() },
	})
	if err != nil {
		return nil, fmt.Errorf("watch users: %w", err)
	}

	return d, nil
}

// transformTo keeps objects in memory as what they are, without what is the larger part of many.
func transformTo[T any](object any) (any, error) {
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return object, nil
	}
	out := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out); err != nil {
		return nil, fmt.Errorf("read %s %q: %w", u.GetKind(), u.GetName(), err)
	}
	if m, err := meta.Accessor(out); err == nil {
		m.SetManagedFields(nil)
		m.SetAnnotations(nil)
	}

	return out, nil
}

func (d *Directory) changed() {
	select {
	case d.changes <- struct{}{}:
	default:
	}
}

// Changes has a value whenever a User may have changed or gone. It is for one reader.
func (d *Directory) Changes() <-chan struct{} { return d.changes }

// Run follows the objects until the context ends.
func (d *Directory) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { d.users.Run(ctx.Done()) })
	wg.Go(func() { d.tokens.Run(ctx.Done()) })
	wg.Wait()

	return nil
}

// Synced implements People.
func (d *Directory) Synced() bool { return d.users.HasSynced() && d.tokens.HasSynced() }

// User implements People.
func (d *Directory) User(name string) (*v1alpha1.User, bool) {
	return find[v1alpha1.User](d.users, name)
}

// Users implements People.
func (d *Directory) Users() []*v1alpha1.User {
	var users []*v1alpha1.User
	for _, object := range d.users.GetStore().List() {
		if u, ok := object.(*v1alpha1.User); ok {
			users = append(users, u)
		}
	}

	return users
}

// DeployToken implements People.
func (d *Directory) DeployToken(namespace, name string) (*v1alpha1.DeployToken, bool) {
	return find[v1alpha1.DeployToken](d.tokens, namespace+"/"+name)
}

func find[T any](informer cache.SharedIndexInformer, key string) (*T, bool) {
	object, ok, err := informer.GetStore().GetByKey(key)
	if err != nil || !ok {
		return nil, false
	}
	typed, ok := object.(*T)

	return typed, ok
}

// ReadUser implements People.
func (d *Directory) ReadUser(ctx context.Context, name string) (*v1alpha1.User, error) {
	u, err := d.client.Resource(usersResource).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}

	return typed[v1alpha1.User](u)
}

// ReadDeployToken implements People.
func (d *Directory) ReadDeployToken(ctx context.Context, namespace, name string) (*v1alpha1.DeployToken, error) {
	u, err := d.client.Resource(deployTokensResource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}

	return typed[v1alpha1.DeployToken](u)
}

// CreateUser implements People.
func (d *Directory) CreateUser(ctx context.Context, u *v1alpha1.User) (*v1alpha1.User, error) {
	u = u.DeepCopy()
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("User"))
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(u)
	if err != nil {
		return nil, fmt.Errorf("encode user %q: %w", u.Name, err)
	}
	delete(object, "status")
	made, err := d.client.Resource(usersResource).Create(ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}

	return typed[v1alpha1.User](made)
}

// DeleteUser implements People.
func (d *Directory) DeleteUser(ctx context.Context, u *v1alpha1.User) error {
	err := d.client.Resource(usersResource).Delete(ctx, u.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(u.UID))})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}

	return err
}

// ReportUser implements People.
func (d *Directory) ReportUser(ctx context.Context, u *v1alpha1.User, status v1alpha1.UserStatus) error {
	return patchStatus(ctx, d.client.Resource(usersResource), u, status)
}

// ReportDeployToken implements People.
func (d *Directory) ReportDeployToken(ctx context.Context, t *v1alpha1.DeployToken, status v1alpha1.DeployTokenStatus) error {
	return patchStatus(ctx, d.client.Resource(deployTokensResource).Namespace(t.Namespace), t, status)
}

// patchStatus writes status on that very object and no successor of its name.
func patchStatus(ctx context.Context, client dynamic.ResourceInterface, object metav1.Object, status any) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": object.GetUID()}, "status": status})
	if err != nil {
		return fmt.Errorf("encode status of %q: %w", object.GetName(), err)
	}
	_, err = client.Patch(ctx, object.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}, "status")

	return err
}

func typed[T any](u *unstructured.Unstructured) (*T, error) {
	out := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out); err != nil {
		return nil, fmt.Errorf("read %s %q: %w", u.GetKind(), u.GetName(), err)
	}

	return out, nil
}

package bootstrap

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"

	"github.com/dogker/dogker/reconciler/logkey"
)

// Namespace holds Dogker's own objects, such as the lease of its controllers.
const Namespace = "dogker-system"

// poll is how often we look whether a kind is served. It is short, because nothing can be used before.
const poll = 20 * time.Millisecond

// bootstrapper holds the clients of one run.
type bootstrapper struct {
	kube       kubernetes.Interface
	extensions apiextensions.Interface
	dynamic    dynamic.Interface
	log        *slog.Logger
}

// Ensure brings the cluster to what this binary needs. It is idempotent, and blocks until the kinds can be used. cfg is
// a client that may do anything.
func Ensure(ctx context.Context, cfg *rest.Config, log *slog.Logger) error {
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("create client: %w", err)
	}
	extensions, err := apiextensions.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("create client of kinds: %w", err)
	}
	objects, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("create client of objects: %w", err)
	}
	b := bootstrapper{kube: kube, extensions: extensions, dynamic: objects, log: log}

	crds, err := kinds()
	if err != nil {
		return err
	}
	for _, crd := range crds {
		if err := b.ensureKind(ctx, crd); err != nil {
			return err
		}
	}
	if err := b.ensureNamespace(ctx); err != nil {
		return err
	}
	if err := b.ensureRoles(ctx); err != nil {
		return err
	}
	if err := b.ensureBindings(ctx); err != nil {
		return err
	}
	if err := b.ensureFairness(ctx); err != nil {
		return err
	}
	for _, crd := range crds {
		if err := b.waitServed(ctx, crd); err != nil {
			return err
		}
	}

	return b.ensureDefaultClass(ctx)
}

func (b bootstrapper) ensureKind(ctx context.Context, want *apiextensionsv1.CustomResourceDefinition) error {
	api := b.extensions.ApiextensionsV1().CustomResourceDefinitions()

	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		have, err := api.Get(ctx, want.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			b.log.InfoContext(ctx, "Creating kind", logkey.Object, want.Name)
			_, err = api.Create(ctx, want, metav1.CreateOptions{})
			return err
		}
		if err != nil || equality.Semantic.DeepEqual(have.Spec, want.Spec) {
			return err
		}

		b.log.InfoContext(ctx, "Updating kind", logkey.Object, want.Name)
		have.Spec = want.Spec
		_, err = api.Update(ctx, have, metav1.UpdateOptions{})

		return err
	})
	if err != nil {
		return fmt.Errorf("ensure kind %q: %w", want.Name, err)
	}

	return nil
}

func (b bootstrapper) ensureNamespace(ctx context.Context) error {
	_, err := b.kube.CoreV1().Namespaces().Get(ctx, Namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}}
		_, err = b.kube.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{})
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("ensure namespace %q: %w", Namespace, err)
	}

	return nil
}

func (b bootstrapper) ensureRoles(ctx context.Context) error {
	wanted, err := roles()
	if err != nil {
		return err
	}
	for _, role := range wanted {
		err := retry.RetryOnConflict(retry.DefaultRetry, func() error { return b.ensureRole(ctx, role) })
		if err != nil {
			return fmt.Errorf("ensure role %q: %w", role.Name, err)
		}
	}

	return nil
}

func (b bootstrapper) ensureRole(ctx context.Context, want *rbacv1.ClusterRole) error {
	api := b.kube.RbacV1().ClusterRoles()

	have, err := api.Get(ctx, want.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = api.Create(ctx, want, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	if equality.Semantic.DeepEqual(have.Rules, want.Rules) && equality.Semantic.DeepEqual(have.Labels, want.Labels) {
		return nil
	}

	have.Rules, have.Labels = want.Rules, want.Labels
	_, err = api.Update(ctx, have, metav1.UpdateOptions{})

	return err
}

func (b bootstrapper) ensureBindings(ctx context.Context) error {
	wanted, err := bindings()
	if err != nil {
		return err
	}
	for _, binding := range wanted {
		err := retry.RetryOnConflict(retry.DefaultRetry, func() error { return b.ensureBinding(ctx, binding) })
		if err != nil {
			return fmt.Errorf("ensure role binding %q: %w", binding.Name, err)
		}
	}

	return nil
}

// ensureBinding puts the subjects right. The role of a binding cannot be changed, by nobody.
func (b bootstrapper) ensureBinding(ctx context.Context, want *rbacv1.ClusterRoleBinding) error {
	api := b.kube.RbacV1().ClusterRoleBindings()

	have, err := api.Get(ctx, want.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = api.Create(ctx, want, metav1.CreateOptions{})
		return err
	}
	if err != nil || equality.Semantic.DeepEqual(have.Subjects, want.Subjects) {
		return err
	}

	have.Subjects = want.Subjects
	_, err = api.Update(ctx, have, metav1.UpdateOptions{})

	return err
}

// waitServed waits until every version of the kind answers a list and is found by clients that ask which kinds there
// are. The first list also makes the API server compile the schema and fill its cache, which a tenant's first write
// would otherwise have to wait for.
func (b bootstrapper) waitServed(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) error {
	for _, v := range crd.Spec.Versions {
		path := fmt.Sprintf("/apis/%s/%s/%s", crd.Spec.Group, v.Name, crd.Spec.Names.Plural)
		var last error
		err := wait.PollUntilContextCancel(ctx, poll, true, func(ctx context.Context) (bool, error) {
			last = b.kube.Discovery().RESTClient().Get().AbsPath(path).Param("limit", "1").Do(ctx).Error()
			if last == nil {
				last = b.discovered(crd.Spec.Group+"/"+v.Name, crd.Spec.Names.Plural)
			}
			return last == nil, nil
		})
		if err != nil {
			return fmt.Errorf("wait until %q is served: %w (%v)", path, err, last)
		}
	}

	return nil
}

// discovered fails while the kind is missing from what clients are told there is. That is put together beside the
// serving of kinds, and a little later.
func (b bootstrapper) discovered(groupVersion, plural string) error {
	_, lists, err := b.kube.Discovery().ServerGroupsAndResources()
	if err != nil {
		return err
	}
	for _, list := range lists {
		for _, r := range list.APIResources {
			if list.GroupVersion == groupVersion && r.Name == plural {
				return nil
			}
		}
	}

	return fmt.Errorf("%s is not among the kinds of %s", plural, groupVersion)
}

package admission

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
)

// GitSyncPluginName is how the plugin for GitSyncs is known to the API server.
const GitSyncPluginName = "DogkerGitSync"

var (
	syncResource = gitopsv1.GroupVersion.WithResource("gitsyncs")
	syncKind     = gitopsv1.GroupVersion.WithKind("GitSync").GroupKind()
)

// RegisterGitSync makes the plugin known.
func RegisterGitSync(plugins *admission.Plugins) {
	plugins.Register(GitSyncPluginName, func(io.Reader) (admission.Interface, error) {
		return &GitSync{Handler: admission.NewHandler(admission.Create, admission.Update, admission.Delete)}, nil
	})
}

// GitSync keeps GitSyncs from being a way around RBAC: whatever their repository holds is applied, and pruned, as a
// ServiceAccount, so that who says which repository and which account acts as that account. And it says at once what would only
// come out when the repository is fetched.
type GitSync struct {
	*admission.Handler

	client     dynamic.Interface
	authorizer authorizer.Authorizer
	// private lets repositories of tenants be at addresses that are not public.
	private bool
}

var (
	_ admission.MutationInterface       = (*GitSync)(nil)
	_ admission.ValidationInterface     = (*GitSync)(nil)
	_ admission.InitializationValidator = (*GitSync)(nil)
	_ initializer.WantsAuthorizer       = (*GitSync)(nil)
	_ initializer.WantsDynamicClient    = (*GitSync)(nil)
	_ wantsPrivateRepositories          = (*GitSync)(nil)
)

// SetAuthorizer gives the plugin its sight of who may what.
func (p *GitSync) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// SetDynamicClient gives the plugin its sight of other GitSyncs.
func (p *GitSync) SetDynamicClient(c dynamic.Interface) { p.client = c }

// SetPrivateRepositories says whether repositories of tenants may be at addresses that are not public.
func (p *GitSync) SetPrivateRepositories(allowed bool) { p.private = allowed }

// ValidateInitialization refuses a plugin that could not see.
func (p *GitSync) ValidateInitialization() error {
	if p.client == nil || p.authorizer == nil {
		return errors.New("admission of GitSyncs needs a client and an authorizer")
	}

	return nil
}

// Admit gives a GitSync its finalizer. Passwords in a URL it refuses already: the schema comes next, and shows what it refuses.
func (p *GitSync) Admit(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetKind().GroupKind() != syncKind || a.GetSubresource() != "" || a.GetOperation() == admission.Delete {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}
	holdUntilGone(now, gitopsv1.FinalizerGitSync)
	if !sameSpec(now, old) {
		if errs := revealing(now); len(errs) > 0 {
			return apierrors.NewInvalid(syncKind, now.GetName(), errs)
		}
	}

	return nil
}

// Validate judges a spec that is new or has changed, also of a GitSync that is being deleted: it is as the account in its spec
// that what it applied is deleted.
func (p *GitSync) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetKind().GroupKind() != syncKind || a.GetSubresource() != "" {
		return nil
	}
	if a.GetOperation() == admission.Delete {
		return p.judgeDeletion(ctx, a)
	}
	now, old, err := objects(a)
	if err != nil || sameSpec(now, old) {
		return err
	}
	spec, err := syncSpec(now)
	if err != nil {
		return err
	}

	accounts := []string{actsAs(spec)}
	if old != nil {
		before, err := syncSpec(old)
		if err != nil {
			return err
		}
		// A sync that runs as an account is not changed by who could not be that account.
		accounts = append(accounts, actsAs(before))
	}
	for _, name := range accounts {
		if err := mayActAs(ctx, p.authorizer, a, name); err != nil {
			return err
		}
	}
	if errs := judgeSync(spec, p.private || a.GetNamespace() == bootstrap.Namespace); len(errs) > 0 {
		return apierrors.NewInvalid(syncKind, now.GetName(), errs)
	}
	if !newDependencies(now, old) {
		return nil
	}

	return p.refuseCircle(ctx, a.GetNamespace(), now)
}

// judgeDeletion refuses to delete a sync, and with it what it has applied, to who could not be the account that deletes it.
func (p *GitSync) judgeDeletion(ctx context.Context, a admission.Attributes) error {
	old, ok := a.GetOldObject().(*unstructured.Unstructured)
	if !ok {
		return nil // A deletion of many is asked about once more for each of them.
	}
	spec, err := syncSpec(old)
	if err != nil {
		return err
	}
	if spec.DeletionPolicy == gitopsv1.DeletionOrphan || spec.DeletionPolicy != gitopsv1.DeletionDelete && !spec.Prune {
		return nil
	}

	return mayActAs(ctx, p.authorizer, a, actsAs(spec))
}

// mayActAs refuses who could not be the account by a token of it either.
func mayActAs(ctx context.Context, z authorizer.Authorizer, a admission.Attributes, account string) error {
	allowed, err := mayCreateToken(ctx, z, a, account)
	if allowed {
		return nil
	}
	refusal := field.Forbidden(field.NewPath("spec", "serviceAccountName"), fmt.Sprintf(
		"%q: whoever decides about this %s acts as that ServiceAccount, and needs the right to create serviceaccounts/token of it in namespace %q; "+
			"developers of a tenant have it for %q", account, a.GetKind().Kind, a.GetNamespace(), gitopsv1.AccountName))

	return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), errors.Join(refusal, err))
}

func (p *GitSync) refuseCircle(ctx context.Context, namespace string, now *unstructured.Unstructured) error {
	path, err := cycleOf(ctx, p.client.Resource(syncResource).Namespace(namespace), now)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if path == nil {
		return nil
	}
	refusal := field.Invalid(field.NewPath("spec", "dependsOn"), path[1], "must not lead back to the GitSync itself: "+arrows(path))

	return apierrors.NewInvalid(syncKind, now.GetName(), field.ErrorList{refusal})
}

// sameSpec is true for a request that changes nothing of what is synced. old is nil on create.
func sameSpec(now, old *unstructured.Unstructured) bool {
	return old != nil && equality.Semantic.DeepEqual(now.Object["spec"], old.Object["spec"])
}

func syncSpec(u *unstructured.Unstructured) (*gitopsv1.GitSyncSpec, error) {
	g := &gitopsv1.GitSync{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, g); err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("read GitSync %q: %w", u.GetName(), err))
	}

	return &g.Spec, nil
}

// actsAs is whom a GitSync acts as.
func actsAs(spec *gitopsv1.GitSyncSpec) string {
	return cmp.Or(string(spec.ServiceAccountName), gitopsv1.AccountName)
}

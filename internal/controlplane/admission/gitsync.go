package admission

import (
	"context"
	"errors"
	"io"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/client-go/dynamic"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
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
	sync, err := actors[gitopsv1.GitSync]{p.authorizer, syncAccount}.judge(ctx, a, now, old)
	if err != nil {
		return err
	}
	if errs := judgeSync(&sync.Spec, p.private || a.GetNamespace() == bootstrap.Namespace); len(errs) > 0 {
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
	sync, err := typed[gitopsv1.GitSync](old)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if policy := sync.Spec.DeletionPolicy; policy == gitopsv1.DeletionOrphan || policy != gitopsv1.DeletionDelete && !sync.Spec.Prune {
		return nil
	}

	return mayActAs(ctx, p.authorizer, a, string(syncAccount(sync)))
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

func syncAccount(s *gitopsv1.GitSync) dogkerv1.ObjectName { return s.Spec.ServiceAccountName }

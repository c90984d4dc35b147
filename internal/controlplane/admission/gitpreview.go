package admission

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// GitPreviewPluginName is how the plugin for GitPreviews is known to the API server.
const GitPreviewPluginName = "DogkerGitPreview"

var previewKind = gitopsv1.GroupVersion.WithKind("GitPreview").GroupKind()

// RegisterGitPreview makes the plugin known.
func RegisterGitPreview(plugins *admission.Plugins) {
	plugins.Register(GitPreviewPluginName, func(io.Reader) (admission.Interface, error) {
		return &GitPreview{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// GitPreview keeps GitPreviews from being a way around RBAC: they read Secrets as a ServiceAccount, and what they copy is shown to
// whom a repository says. And it says at once what would only come out when the repository is asked.
type GitPreview struct {
	*admission.Handler

	authorizer authorizer.Authorizer
	// private lets repositories of tenants be at addresses that are not public.
	private bool
}

var (
	_ admission.MutationInterface       = (*GitPreview)(nil)
	_ admission.ValidationInterface     = (*GitPreview)(nil)
	_ admission.InitializationValidator = (*GitPreview)(nil)
	_ initializer.WantsAuthorizer       = (*GitPreview)(nil)
	_ wantsPrivateRepositories          = (*GitPreview)(nil)
)

// SetAuthorizer gives the plugin its sight of who may what.
func (p *GitPreview) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// SetPrivateRepositories says whether repositories of tenants may be at addresses that are not public.
func (p *GitPreview) SetPrivateRepositories(allowed bool) { p.private = allowed }

// ValidateInitialization refuses a plugin that could not see.
func (p *GitPreview) ValidateInitialization() error {
	if p.authorizer == nil {
		return errors.New("admission of GitPreviews needs an authorizer")
	}

	return nil
}

// Admit gives a GitPreview its finalizer. Passwords in a URL it refuses already: the schema comes next, and shows what it refuses.
func (p *GitPreview) Admit(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetKind().GroupKind() != previewKind || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil {
		return err
	}
	holdUntilGone(now, gitopsv1.FinalizerGitPreview)
	if sameSpec(now, old) {
		return nil
	}
	if errs := revealing(now); len(errs) > 0 {
		return apierrors.NewInvalid(previewKind, now.GetName(), errs)
	}

	return nil
}

// Validate judges a spec that is new or has changed. To delete one takes nothing more than the right to: previews are the GitPreview's
// own.
func (p *GitPreview) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetKind().GroupKind() != previewKind || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil || sameSpec(now, old) {
		return err
	}

	// What is read as an account is not shown elsewhere by who could not be that account.
	preview, err := actors[gitopsv1.GitPreview]{p.authorizer, previewAccount}.judge(ctx, a, now, old)
	if err != nil {
		return err
	}
	if errs := judgePreview(&preview.Spec, p.private); len(errs) > 0 {
		return apierrors.NewInvalid(previewKind, now.GetName(), errs)
	}

	return nil
}

// judgePreview lists what a schema cannot say about a spec.
func judgePreview(spec *gitopsv1.GitPreviewSpec, private bool) field.ErrorList {
	at := field.NewPath("spec")
	errs := judgeRepository(&gitopsv1.GitSyncSpec{URL: spec.URL, SecretRef: spec.SecretRef}, at, private)

	template := at.Child("template")
	if p := spec.Template.Path; path.IsAbs(p) || slices.Contains(strings.Split(p, "/"), "..") {
		errs = append(errs, field.Invalid(template.Child("path"), p, "must be relative to the root of the repository, and not lead out of it: no leading / and no .."))
	}

	return append(errs, judgeVariables(spec.Template.PostBuild, template.Child("postBuild"))...)
}

func previewAccount(g *gitopsv1.GitPreview) dogkerv1.ObjectName { return g.Spec.ServiceAccountName }

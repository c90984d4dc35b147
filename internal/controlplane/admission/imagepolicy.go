package admission

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"text/template"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/git/fetch"
	"github.com/dogker/dogker/reconciler/imagepolicy"
	"github.com/dogker/dogker/reconciler/source"
)

// ImagePolicyPluginName is how the plugin for ImagePolicies is known to the API server.
const ImagePolicyPluginName = "DogkerImagePolicy"

var imagePolicyKind = gitopsv1.GroupVersion.WithKind("ImagePolicy").GroupKind()

// RegisterImagePolicy makes the plugin known.
func RegisterImagePolicy(plugins *admission.Plugins) {
	plugins.Register(ImagePolicyPluginName, func(io.Reader) (admission.Interface, error) {
		return &ImagePolicy{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// ImagePolicy keeps ImagePolicies from being a way around RBAC: they read Secrets and change containers as a ServiceAccount. And it
// says at once what would only come out when a registry or a repository is asked.
type ImagePolicy struct {
	*admission.Handler

	authorizer authorizer.Authorizer
	directory  Directory
	// private lets repositories of tenants be at addresses that are not public.
	private bool
}

var (
	_ admission.MutationInterface       = (*ImagePolicy)(nil)
	_ admission.ValidationInterface     = (*ImagePolicy)(nil)
	_ admission.InitializationValidator = (*ImagePolicy)(nil)
	_ initializer.WantsAuthorizer       = (*ImagePolicy)(nil)
	_ wantsPrivateRepositories          = (*ImagePolicy)(nil)
	_ wantsDirectory                    = (*ImagePolicy)(nil)
)

// SetAuthorizer gives the plugin its sight of who may what.
func (p *ImagePolicy) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// SetDirectory gives the plugin its sight of tenants.
func (p *ImagePolicy) SetDirectory(d Directory) { p.directory = d }

// SetPrivateRepositories says whether repositories of tenants may be at addresses that are not public.
func (p *ImagePolicy) SetPrivateRepositories(allowed bool) { p.private = allowed }

// ValidateInitialization refuses a plugin that could not see.
func (p *ImagePolicy) ValidateInitialization() error {
	if p.authorizer == nil || p.directory == nil {
		return errors.New("admission of ImagePolicies needs an authorizer and a directory of tenants")
	}

	return nil
}

// Admit changes nothing. Passwords in a URL it refuses already: the schema comes next, and shows what it refuses.
func (p *ImagePolicy) Admit(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetKind().GroupKind() != imagePolicyKind || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil || sameSpec(now, old) {
		return err
	}
	if errs := revealing(now); len(errs) > 0 {
		return apierrors.NewInvalid(imagePolicyKind, now.GetName(), errs)
	}

	return nil
}

// Validate judges a spec that is new or has changed. To delete a policy takes nothing more than the right to: what it has written
// stays.
func (p *ImagePolicy) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetKind().GroupKind() != imagePolicyKind || a.GetSubresource() != "" {
		return nil
	}
	now, old, err := objects(a)
	if err != nil || sameSpec(now, old) {
		return err
	}

	policy, err := actors[gitopsv1.ImagePolicy]{p.authorizer, imagePolicyAccount}.judge(ctx, a, now, old)
	if err != nil {
		return err
	}

	// A registry is asked from the server's own network, as it is for containers, and so the same ones are.
	rules, tenant, err := p.directory.Policy(ctx, a.GetNamespace())
	if err != nil {
		return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), err)
	}
	errs := judgeImagePolicy(&policy.Spec, p.private || a.GetNamespace() == bootstrap.Namespace)
	if tenant {
		errs = append(rules.CheckRepository(string(policy.Spec.Image)), errs...)
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(imagePolicyKind, now.GetName(), errs)
	}

	return nil
}

func imagePolicyAccount(p *gitopsv1.ImagePolicy) dogkerv1.ObjectName {
	return p.Spec.ServiceAccountName
}

// judgeImagePolicy lists what a schema cannot say about a spec. private lets repositories be at addresses that are not public.
func judgeImagePolicy(spec *gitopsv1.ImagePolicySpec, private bool) field.ErrorList {
	var errs field.ErrorList
	if _, err := imagepolicy.Compile(spec); err != nil {
		errs = append(errs, err)
	}
	if spec.Update == nil || spec.Update.Git == nil {
		return errs
	}

	git, at := spec.Update.Git, field.NewPath("spec", "update", "git")
	if git.URL != "" {
		errs = append(errs, judgeRepository(&gitopsv1.GitSyncSpec{URL: git.URL, SecretRef: git.SecretRef}, at, private)...)
	}
	for name, branch := range map[string]string{"branch": git.Branch, "pushBranch": git.PushBranch} {
		var refused *source.Error
		// The URL is one that is never asked.
		if err := fetch.Check(source.Request{URL: "https://git.invalid/a", Ref: source.Ref{Branch: branch}}); errors.As(err, &refused) {
			errs = append(errs, field.Invalid(at.Child(name), branch, refused.Message))
		}
	}
	if p := git.Path; path.IsAbs(p) || slices.Contains(strings.Split(p, "/"), "..") {
		errs = append(errs, field.Invalid(at.Child("path"), p, "must be relative to the root of the repository, and not lead out of it: no leading / and no .."))
	}
	// It is read here, and filled in elsewhere: a template is a program, and one that never ends is one as well.
	if _, err := template.New("message").Parse(git.MessageTemplate); err != nil {
		errs = append(errs, field.Invalid(at.Child("messageTemplate"), git.MessageTemplate, "must be a template in Go's language: "+strings.TrimPrefix(err.Error(), "template: message:")))
	}
	slices.SortFunc(errs, func(a, b *field.Error) int { return strings.Compare(a.Error(), b.Error()) })

	return errs
}

package admission

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/kubernetes/pkg/apis/authentication"
	core "k8s.io/kubernetes/pkg/apis/core"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// TokenSecretPluginName is how the plugin for Secrets with tokens is known to the API server.
const TokenSecretPluginName = "DogkerTokenSecret"

// RegisterTokenSecret makes the plugin known.
func RegisterTokenSecret(plugins *admission.Plugins) {
	plugins.Register(TokenSecretPluginName, func(io.Reader) (admission.Interface, error) {
		return &TokenSecret{Handler: admission.NewHandler(admission.Create, admission.Update)}, nil
	})
}

// TokenSecret keeps Secrets from being a way around RBAC: Kubernetes fills one of type service-account-token with a token
// of the account that it names, so that whoever may write Secrets, as developers of a tenant may, could be any account of
// the namespace. Who makes one has to be allowed to ask for such a token.
//
// Of the account of GitSyncs nobody gets a token by the right to that account alone: developers have it to name the account
// in GitSyncs, and with a token would stay developers for as long as it is good, whatever becomes of their membership.
type TokenSecret struct {
	*admission.Handler

	authorizer authorizer.Authorizer
}

var (
	_ admission.ValidationInterface = (*TokenSecret)(nil)
	_ initializer.WantsAuthorizer   = (*TokenSecret)(nil)
)

// SetAuthorizer gives the plugin its sight of who may what.
func (p *TokenSecret) SetAuthorizer(a authorizer.Authorizer) { p.authorizer = a }

// ValidateInitialization refuses a plugin that could not see.
func (p *TokenSecret) ValidateInitialization() error {
	if p.authorizer == nil {
		return errors.New("admission of Secrets with tokens needs an authorizer")
	}

	return nil
}

// Validate refuses a Secret that would be filled with the token of an account of which the requester may have none, and a token
// of the account of GitSyncs.
func (p *TokenSecret) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if _, ok := a.GetObject().(*authentication.TokenRequest); ok && a.GetName() == gitopsv1.AccountName {
		return p.judgeSyncToken(ctx, a)
	}
	now, ok := a.GetObject().(*core.Secret)
	if !ok || a.GetSubresource() != "" || now.Type != core.SecretTypeServiceAccountToken {
		return nil
	}
	account := now.Annotations[core.ServiceAccountNameKey]
	if old, ok := a.GetOldObject().(*core.Secret); ok && old != nil && old.Annotations[core.ServiceAccountNameKey] == account {
		return nil // Whoever can read it has that token already.
	}

	if account == gitopsv1.AccountName {
		if err := p.judgeSyncToken(ctx, a); err != nil {
			return err
		}
	}
	allowed, err := mayCreateToken(ctx, p.authorizer, a, account)
	if allowed {
		return nil
	}
	refusal := field.Forbidden(field.NewPath("type"), fmt.Sprintf(
		"a Secret of type %s is filled with a token of ServiceAccount %q, and for that the right to create serviceaccounts/token is needed",
		now.Type, account))

	return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), errors.Join(refusal, err))
}

// judgeSyncToken demands the right to tokens of all accounts for one of the account of GitSyncs.
func (p *TokenSecret) judgeSyncToken(ctx context.Context, a admission.Attributes) error {
	allowed, err := mayCreateToken(ctx, p.authorizer, a, "")
	if allowed {
		return nil
	}
	refusal := fmt.Errorf("a token of ServiceAccount %q takes the right to create serviceaccounts/token of all accounts in namespace %q; "+
		"the right to this one is for naming it in spec.serviceAccountName of GitSyncs", gitopsv1.AccountName, a.GetNamespace())

	return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), errors.Join(refusal, err))
}

// mayCreateToken is whether who makes the request may ask for tokens of a ServiceAccount in its namespace; of all of them when
// account is empty. An error means that it is not known.
func mayCreateToken(ctx context.Context, z authorizer.Authorizer, a admission.Attributes, account string) (bool, error) {
	decision, _, err := z.Authorize(ctx, authorizer.AttributesRecord{
		User: a.GetUserInfo(), Verb: "create", Namespace: a.GetNamespace(), APIVersion: "v1",
		Resource: "serviceaccounts", Subresource: "token", Name: account, ResourceRequest: true,
	})

	return decision == authorizer.DecisionAllow, err
}

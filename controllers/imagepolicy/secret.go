package imagepolicy

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/source"
)

// secret reads a Secret that a field names, as the ServiceAccount.
func (l *look) secret(ctx context.Context, field, name string) (map[string][]byte, error) {
	c, err := l.accounts.As(l.policy.Namespace, l.account())
	if err != nil {
		return nil, err
	}

	var s corev1.Secret

	switch err := c.Get(ctx, types.NamespacedName{Namespace: l.policy.Namespace, Name: name}, &s); {
	case err == nil:
		return s.Data, nil
	case apierrors.IsNotFound(err):
		return nil, waiting(gitopsv1.ReasonSecretNotFound, "%s: Secret %q does not exist", field, name)
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return nil, waiting(gitopsv1.ReasonSecretNotFound, "%s: Secret %q may not be read by the ServiceAccount %q", field, name, l.account())
	default:
		return nil, fmt.Errorf("read Secret %q: %w", name, err)
	}
}

// auth is what a Git server is shown: what a GitSync with the same Secret would show it.
func (l *look) auth(ctx context.Context, field, name, url string) (source.Auth, error) {
	data, err := l.secret(ctx, field, name)
	if err != nil {
		return source.Auth{}, err
	}

	a, err := lifecycle.Auth(url, data)
	if err != nil {
		return source.Auth{}, waiting(gitopsv1.ReasonSecretNotFound, "%s: Secret %q: %s", field, name, err)
	}

	return a, nil
}

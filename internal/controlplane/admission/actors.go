package admission

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// actors judges requests for objects that act as a ServiceAccount: whoever decides about one acts as that account.
type actors[T any] struct {
	authorizer authorizer.Authorizer
	// account is what an object says whom it acts as; empty for the account that every tenant has.
	account func(*T) dogkerv1.ObjectName
}

// judge refuses who could not be the account that the object is to act as, and on an update also who could not be the one that
// it acts as: an object that acts as an account is not changed by who could not be that account. It returns the object as it is
// to be. old is nil on create.
func (j actors[T]) judge(ctx context.Context, a admission.Attributes, now, old *unstructured.Unstructured) (*T, error) {
	object, err := typed[T](now)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	if err := mayActAs(ctx, j.authorizer, a, string(j.account(object))); err != nil {
		return nil, err
	}
	if old == nil {
		return object, nil
	}
	before, err := typed[T](old)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}

	return object, mayActAs(ctx, j.authorizer, a, string(j.account(before)))
}

// mayActAs refuses who could not be the account by a token of it either.
func mayActAs(ctx context.Context, z authorizer.Authorizer, a admission.Attributes, account string) error {
	account = cmp.Or(account, gitopsv1.AccountName)
	allowed, err := mayCreateToken(ctx, z, a, account)
	if allowed {
		return nil
	}
	refusal := field.Forbidden(field.NewPath("spec", "serviceAccountName"), fmt.Sprintf(
		"%q: whoever decides about this %s acts as that ServiceAccount, and needs the right to create serviceaccounts/token of it in namespace %q; "+
			"developers of a tenant have it for %q", account, a.GetKind().Kind, a.GetNamespace(), gitopsv1.AccountName))

	return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), errors.Join(refusal, err))
}

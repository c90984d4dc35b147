package controlplane

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/kubernetes/pkg/serviceaccount"
)

// boundObjects looks up what a service-account token is bound to. Pods and nodes are views, which hold no tokens, so
// a token that claims to be bound to one is bound to nothing.
type boundObjects struct {
	accounts corelisters.ServiceAccountLister
	secrets  corelisters.SecretLister
}

func tokenGetter(f informers.SharedInformerFactory) serviceaccount.ServiceAccountTokenGetter {
	core := f.Core().V1()
	return boundObjects{accounts: core.ServiceAccounts().Lister(), secrets: core.Secrets().Lister()}
}

// GetServiceAccount implements serviceaccount.ServiceAccountTokenGetter.
func (b boundObjects) GetServiceAccount(_ context.Context, namespace, name string) (*corev1.ServiceAccount, error) {
	return b.accounts.ServiceAccounts(namespace).Get(name)
}

// GetSecret implements serviceaccount.ServiceAccountTokenGetter.
func (b boundObjects) GetSecret(_ context.Context, namespace, name string) (*corev1.Secret, error) {
	return b.secrets.Secrets(namespace).Get(name)
}

// GetPod implements serviceaccount.ServiceAccountTokenGetter.
func (boundObjects) GetPod(_ context.Context, _, name string) (*corev1.Pod, error) {
	return nil, apierrors.NewNotFound(corev1.Resource("pods"), name)
}

// GetNode implements serviceaccount.ServiceAccountTokenGetter.
func (boundObjects) GetNode(_ context.Context, name string) (*corev1.Node, error) {
	return nil, apierrors.NewNotFound(corev1.Resource("nodes"), name)
}

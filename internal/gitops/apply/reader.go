package apply

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// Reader reads what a sync names, with the rights of its ServiceAccount.
type Reader struct {
	config *rest.Config
}

// NewReader returns a Reader. The configuration must be allowed to impersonate ServiceAccounts.
func NewReader(cfg *rest.Config) *Reader { return &Reader{config: cfg} }

// Secret is the data of a Secret of the account's namespace. Errors are those of the API.
func (r *Reader) Secret(ctx context.Context, account types.NamespacedName, name string) (map[string][]byte, error) {
	client, err := r.as(account)
	if err != nil {
		return nil, err
	}

	secret, err := client.Secrets(account.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}

	return secret.Data, nil
}

// ConfigMap is the data of a ConfigMap of the account's namespace. Errors are those of the API.
func (r *Reader) ConfigMap(ctx context.Context, account types.NamespacedName, name string) (map[string]string, error) {
	client, err := r.as(account)
	if err != nil {
		return nil, err
	}

	cm, err := client.ConfigMaps(account.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}

	return cm.Data, nil
}

func (r *Reader) as(account types.NamespacedName) (*corev1client.CoreV1Client, error) {
	cfg, err := As(r.config, account.Namespace, account.Name)
	if err != nil {
		return nil, err
	}

	client, err := corev1client.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("create client: %w", err)
	}

	return client, nil
}

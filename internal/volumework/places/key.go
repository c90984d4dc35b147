package places

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/voldata/archive"
)

// KeySecretName is the name of the Secret that holds the key of a class.
func KeySecretName(c *v1alpha1.VolumeSnapshotClass) string {
	if ref := c.Spec.KeySecretRef; ref != nil {
		return string(ref.Name)
	}

	return "snapshot-key-" + c.Name
}

// EnsureKey makes the key of a class that has none and never had one, and says who its archives are made for. A Secret that is there is
// left as it is, whatever is in it. It is idempotent.
func (p *Places) EnsureKey(ctx context.Context, class string) (recipient string, err error) {
	c, err := p.class(ctx, class)
	if err != nil {
		return "", err
	}
	name := KeySecretName(c)
	s, err := p.secret(ctx, name)
	if err != nil {
		return "", err
	}
	if s == nil {
		if err := p.makeKey(ctx, c, name); err != nil {
			return "", err
		}
	}
	// What counts is what is there: another server may have made one at the same time.
	key, err := p.keyOf(ctx, c)
	if err != nil {
		return "", err
	}

	return key.Recipient(), nil
}

func (p *Places) makeKey(ctx context.Context, c *v1alpha1.VolumeSnapshotClass, name string) error {
	if c.Status.Recipient != "" {
		return missingKey(c, name, p.o.Namespace)
	}
	text, err := archive.NewKey()
	if err != nil {
		return err
	}
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.o.Namespace, Name: name},
		Type:       corev1.SecretTypeOpaque,
		Data:       map[string][]byte{KeyIdentity: []byte(text)},
	}
	if err := p.o.Writer.Create(ctx, s); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make Secret %q: %w", name, err)
	}

	return nil
}

// missingKey is a key that was there, or is not there yet.
func missingKey(c *v1alpha1.VolumeSnapshotClass, name, namespace string) error {
	if c.Status.Recipient == "" {
		return keyFault("there is no Secret %q in namespace %s yet, which holds its key", name, namespace)
	}

	return keyFault("Secret %q in namespace %s is gone, which held the key of its archives (%s): put it back, or put another one there, which opens none of them", name, namespace, c.Status.Recipient)
}

package set

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/dogker/dogker/reconciler/inventory"
)

const (
	// prefix is what the names of records begin with, and what sets are called in labels of objects: no sync is.
	prefix = "dogker-set-"
	// keyInventory is the key of the record's data.
	keyInventory = "inventory"
	// manager is who has written it.
	manager = "dogker-apply"
)

// ErrConcurrent means that somebody else applies the same set.
var ErrConcurrent = errors.New("somebody else has applied the same set meanwhile: look again")

// IsRecord is true for the name of a ConfigMap that is the record of a set.
func IsRecord(name string) bool { return strings.HasPrefix(name, prefix) }

// record is what a set has applied, as it was read last.
type record struct {
	api     typedv1.ConfigMapInterface
	name    string
	stored  *corev1.ConfigMap
	entries []inventory.Entry
}

// read reads what is on record; nothing for a set that is new.
func (r *record) read(ctx context.Context) error {
	stored, err := r.api.Get(ctx, prefix+r.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}

	if err != nil {
		return fmt.Errorf("read record of set %q: %w", r.name, err)
	}

	if err := json.Unmarshal([]byte(stored.Data[keyInventory]), &r.entries); err != nil {
		return fmt.Errorf("read record of set %q: ConfigMap %q: data.%s: Invalid value: must be a list of entries", r.name, stored.Name, keyInventory)
	}

	r.stored = stored

	return nil
}

// write makes the record say what is on it from now on, if it does not say so already.
func (r *record) write(ctx context.Context, entries []inventory.Entry) error {
	if slices.Equal(entries, r.entries) {
		return nil
	}

	err := r.replace(ctx, entries)

	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), r.stored != nil && apierrors.IsNotFound(err):
		return fmt.Errorf("write record of set %q: %w", r.name, ErrConcurrent)
	case err != nil:
		return fmt.Errorf("write record of set %q: %w", r.name, err)
	}

	r.entries = entries

	return nil
}

func (r *record) replace(ctx context.Context, entries []inventory.Entry) (err error) {
	if len(entries) == 0 {
		return r.api.Delete(ctx, r.stored.Name, metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{UID: &r.stored.UID, ResourceVersion: &r.stored.ResourceVersion},
		})
	}

	raw, err := json.Marshal(entries)
	if err != nil {
		return err
	}

	data := map[string]string{keyInventory: string(raw)}

	if r.stored == nil {
		r.stored, err = r.api.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: prefix + r.name, Labels: map[string]string{"app.kubernetes.io/managed-by": manager}},
			Data:       data,
		}, metav1.CreateOptions{FieldManager: manager})

		return err
	}

	next := r.stored.DeepCopy()
	next.Data = data

	after, err := r.api.Update(ctx, next, metav1.UpdateOptions{FieldManager: manager})
	if err == nil {
		r.stored = after
	}

	return err
}

package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// byHand is whether an entry is of somebody who works with kubectl. What such people add to an object that a repository
// declares is drift, unless it is metadata: labels and annotations tell controllers what to do now, such as to suspend.
// Controllers, the scale subresource and status are never taken for people.
func byHand(e metav1.ManagedFieldsEntry) bool {
	return e.Subresource == "" && (strings.HasPrefix(e.Manager, "kubectl") || e.Manager == "before-first-apply")
}

// ours is whether an entry is of what we have applied.
func ours(e metav1.ManagedFieldsEntry) bool {
	return e.Subresource == "" && e.Manager == FieldManager && e.Operation == metav1.ManagedFieldsOperationApply
}

// fieldsOf is the set of fields of those entries that match.
func fieldsOf(u *unstructured.Unstructured, match func(metav1.ManagedFieldsEntry) bool) *fieldpath.Set {
	out := fieldpath.NewSet()

	for _, entry := range u.GetManagedFields() {
		if !match(entry) || entry.FieldsV1 == nil {
			continue
		}

		var set fieldpath.Set
		if set.FromJSON(entry.FieldsV1.GetRawReader()) == nil {
			out = out.Union(&set)
		}
	}

	return out
}

// stray are the fields outside of metadata that people have added by hand. dry is what applying would come to: what people
// have changed and the repository declares is ours in it.
func stray(dry *unstructured.Unstructured) *fieldpath.Set {
	hand := fieldsOf(dry, byHand)
	if hand.Empty() {
		return hand
	}

	out := fieldpath.NewSet()

	hand.Difference(fieldsOf(dry, ours)).Iterate(func(p fieldpath.Path) {
		if len(p) == 0 || p[0].FieldName == nil || *p[0].FieldName == "metadata" {
			return
		}

		out.Insert(p.Copy())
	})

	return out
}

// takeover makes what was added by hand ours, so that applying takes it away, and returns the object's new version. Who dies
// after it finds the same difference again: what is ours and not declared.
func (v *visit) takeover(ctx context.Context, it *item, live *unstructured.Unstructured, fields *fieldpath.Set) (version string, err error) {
	var (
		entries []metav1.ManagedFieldsEntry
		mine    *metav1.ManagedFieldsEntry
	)

	for _, entry := range live.GetManagedFields() {
		switch {
		case ours(entry):
			mine = &entry
		case byHand(entry):
			if entry.FieldsV1, err = without(entry.FieldsV1, fields); err != nil {
				return "", fmt.Errorf("read managed fields: %w", err)
			}

			if entry.FieldsV1 != nil {
				entries = append(entries, entry)
			}
		default:
			entries = append(entries, entry)
		}
	}

	if mine == nil {
		mine = &metav1.ManagedFieldsEntry{
			Manager: FieldManager, Operation: metav1.ManagedFieldsOperationApply,
			APIVersion: it.object.GetAPIVersion(), FieldsType: "FieldsV1",
		}
	}

	if mine.FieldsV1, err = with(mine.FieldsV1, fields); err != nil {
		return "", fmt.Errorf("read managed fields: %w", err)
	}

	patch, err := json.Marshal([]map[string]any{
		{"op": "test", "path": "/metadata/uid", "value": live.GetUID()},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
		{"op": "replace", "path": "/metadata/managedFields", "value": append(entries, *mine)},
	})
	if err != nil {
		return "", fmt.Errorf("write patch: %w", err)
	}

	after, err := v.of(it).Patch(ctx, it.id.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	if err != nil {
		return "", err
	}

	return after.GetResourceVersion(), nil
}

// without is a set with some fields taken out of it; nil when nothing is left.
func without(f *metav1.FieldsV1, fields *fieldpath.Set) (*metav1.FieldsV1, error) {
	set, err := read(f)
	if err != nil {
		return nil, err
	}

	if set = set.Difference(fields); set.Empty() {
		return nil, nil
	}

	return write(set)
}

// with is a set with some fields put into it.
func with(f *metav1.FieldsV1, fields *fieldpath.Set) (*metav1.FieldsV1, error) {
	set, err := read(f)
	if err != nil {
		return nil, err
	}

	return write(set.Union(fields))
}

func read(f *metav1.FieldsV1) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if f == nil {
		return set, nil
	}

	return set, set.FromJSON(f.GetRawReader())
}

func write(set *fieldpath.Set) (*metav1.FieldsV1, error) {
	raw, err := set.ToJSON()
	if err != nil {
		return nil, err
	}

	return metav1.NewFieldsV1(string(raw)), nil
}

package apply

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/dogker/dogker/reconciler/inventory"
)

// payload is what is applied of an item onto what is there; live is nil where nothing is. Fields that somebody else decides
// about are left to him: what another manager owns is not mentioned, so that it is his alone; what nobody else owns is
// mentioned as it is, because a field that its only owner stops mentioning is removed.
func (v *visit) payload(it *item, live *unstructured.Unstructured) *unstructured.Unstructured {
	out := it.object.DeepCopy()
	if live == nil {
		return out
	}

	for _, rule := range v.request.Ignore {
		if rule.Kind != "" && rule.Kind != it.id.Kind || rule.Name != "" && rule.Name != it.id.Name {
			continue
		}

		for _, pointer := range rule.Paths {
			leaveAlone(out, live, segments(pointer))
		}
	}

	return out
}

// segments are the parts of a JSON pointer.
func segments(pointer string) []string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}

	return parts
}

func leaveAlone(out, live *unstructured.Unstructured, path []string) {
	if _, declared, err := unstructured.NestedFieldNoCopy(out.Object, path...); err != nil || !declared {
		return
	}

	is, there, err := unstructured.NestedFieldCopy(live.Object, path...)

	if err != nil || !there || ownedByOthers(live, path) {
		unstructured.RemoveNestedField(out.Object, path...)

		return
	}

	// The path is one of maps: it was just found in out.
	_ = unstructured.SetNestedField(out.Object, is, path...)
}

// ownedByOthers is whether somebody but us has the field, or something in it.
func ownedByOthers(live *unstructured.Unstructured, path []string) bool {
	parts := make([]any, 0, len(path))
	for _, name := range path {
		parts = append(parts, name)
	}

	at, err := fieldpath.MakePath(parts...)
	if err != nil {
		return false
	}

	for _, entry := range live.GetManagedFields() {
		if entry.Manager == FieldManager || entry.FieldsV1 == nil {
			continue
		}

		var set fieldpath.Set
		if set.FromJSON(entry.FieldsV1.GetRawReader()) != nil {
			continue
		}

		inside := &set
		for _, element := range at {
			if inside.Members.Has(element) {
				return true
			}

			inside = inside.WithPrefix(element)
		}

		if !inside.Empty() {
			return true
		}
	}

	return false
}

// passive is whether an item is not to be touched, given what is there: it, or the object in the API, says so.
func (it *item) passive(live *unstructured.Unstructured) bool {
	if it.policy.Skip() {
		return true
	}

	if live == nil {
		return false
	}

	// What cannot be read is read as the more careful one; there is no file to blame.
	there, _ := inventory.PolicyOf(live.GetLabels(), live.GetAnnotations())

	return there.Skip() || slices.Contains([]inventory.Mode{it.policy.Mode, there.Mode}, inventory.ModeIfNotPresent)
}

package apply

import (
	"encoding/base64"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/source"
)

// item is one object of a build.
type item struct {
	source source.Object
	id     inventory.ID
	// object is what is applied, with its namespace and our labels.
	object   *unstructured.Unstructured
	resource schema.GroupVersionResource
	policy   inventory.Policy
	// plain has what stood in stringData, which is data in object.
	plain []string
}

// maxDecodeErrors is how many objects are named before looking for more mistakes costs more than it tells.
const maxDecodeErrors = 20

// decode makes items of a build, in its order, and refuses what a sync may not have. It asks nobody but for kinds.
func decode(r delivery.Request, kinds meta.RESTMapper) ([]*item, delivery.Errors) {
	var (
		items []*item
		errs  delivery.Errors
	)

	first := map[inventory.ID]*item{}

	for _, o := range r.Objects {
		it, err := decodeOne(r, kinds, o)
		if err == nil && first[it.id] != nil {
			err = it.failure(delivery.ReasonInvalid, "is declared twice, here and in %s:%d", first[it.id].source.File, first[it.id].source.Line)
		}

		if err != nil {
			if errs = append(errs, err); len(errs) == maxDecodeErrors {
				break
			}

			continue
		}

		first[it.id] = it
		items = append(items, it)
	}

	return items, errs
}

func decodeOne(r delivery.Request, kinds meta.RESTMapper, o source.Object) (*item, *delivery.Error) {
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(o.JSON); err != nil {
		return nil, &delivery.Error{File: o.File, Line: o.Line, Reason: delivery.ReasonInvalid, Message: "is no object with apiVersion and kind"}
	}

	gvk := u.GroupVersionKind()
	it := &item{source: o, object: u, id: inventory.ID{Namespace: u.GetNamespace(), Name: u.GetName(), Group: gvk.Group, Kind: gvk.Kind}}

	if u.GetName() == "" {
		e := it.failure(delivery.ReasonInvalid, "must not be empty")
		e.Field = "metadata.name"

		return nil, e
	}

	mapping, err := kinds.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		return nil, it.failure(delivery.ReasonKindUnknown, "there is no kind %s in %s", gvk.Kind, gvk.GroupVersion())
	}

	if err != nil {
		e := it.failure(delivery.ReasonUnavailable, "find kind %s in %s: %s", gvk.Kind, gvk.GroupVersion(), err)
		e.Transient, e.Cause = true, err

		return nil, e
	}

	it.resource = mapping.Resource
	if e := it.settle(r, mapping.Scope.Name() == meta.RESTScopeNameNamespace); e != nil {
		return nil, e
	}

	return it, it.prepare(r)
}

// settle puts the object into its namespace, or refuses where it wants to be.
func (it *item) settle(r delivery.Request, namespaced bool) *delivery.Error {
	named := it.object.GetNamespace()

	switch {
	case !namespaced && !r.AnyNamespace:
		return it.failure(delivery.ReasonNamespaceRefused, "belongs to the whole cluster; a sync stays in its own namespace, %q", r.Sync.Namespace)
	case !namespaced:
		named = ""
	case named == "":
		named = r.Sync.Namespace
	case named != r.Sync.Namespace && !r.AnyNamespace:
		e := it.failure(delivery.ReasonNamespaceRefused, "Invalid value: %q: must be %q or empty, because a sync stays in its own namespace", named, r.Sync.Namespace)
		e.Field = "metadata.namespace"

		return e
	}

	it.object.SetNamespace(named)
	it.id.Namespace = named

	return nil
}

// serverOwned are fields of metadata that the API decides about. They are in what was exported from a cluster.
var serverOwned = []string{"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields", "selfLink"}

// prepare makes the object what is applied.
func (it *item) prepare(r delivery.Request) *delivery.Error {
	if err := it.id.Validate(); err != nil {
		e := it.failure(delivery.ReasonInvalid, "Invalid value: %q: must not have two underscores in a row, or one at an end", it.id.Name)
		e.Field = "metadata.name"

		return e
	}

	// A label that is no text would make all of them unreadable, and be lost with them.
	for _, field := range []string{"labels", "annotations"} {
		if _, _, err := unstructured.NestedStringMap(it.object.Object, "metadata", field); err != nil {
			e := it.failure(delivery.ReasonInvalid, "must be a map of texts; numbers and true need quotes")
			e.Field = "metadata." + field

			return e
		}
	}

	for _, field := range serverOwned {
		unstructured.RemoveNestedField(it.object.Object, "metadata", field)
	}

	unstructured.RemoveNestedField(it.object.Object, "status")

	policy, err := inventory.PolicyOf(it.object.GetLabels(), it.object.GetAnnotations())
	if err != nil {
		return it.failure(delivery.ReasonInvalid, "%s", err)
	}

	it.policy = policy
	it.policy.Force = policy.Force || r.Force

	labels := it.object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}

	for key, value := range ownerLabels(r) {
		if forged, ok := labels[key]; ok && forged != value {
			e := it.failure(delivery.ReasonInvalid, "Invalid value: %q: must be %q or absent, because it says which sync the object belongs to", forged, value)
			e.Field = fmt.Sprintf("metadata.labels[%s]", key)

			return e
		}

		labels[key] = value
	}

	it.object.SetLabels(labels)
	it.foldStringData()

	return nil
}

// ownerLabels are what everything that a sync has applied carries.
func ownerLabels(r delivery.Request) map[string]string {
	return map[string]string{
		inventory.Prefix + inventory.KeyName:      r.Sync.Name,
		inventory.Prefix + inventory.KeyNamespace: r.Sync.Namespace,
	}
}

// foldStringData makes data of stringData, as the API does when it stores a Secret. What is stored has none, so that a Secret
// which declares it would differ for ever. What is no text is left for the API to refuse.
func (it *item) foldStringData() {
	plain, ok := it.object.Object["stringData"].(map[string]any)
	if !isSecret(it.id) || !ok {
		return
	}

	data, ok := it.object.Object["data"].(map[string]any)
	if !ok && it.object.Object["data"] != nil {
		return
	}

	folded := map[string]any{}
	for key, value := range data {
		folded[key] = value
	}

	for key, value := range plain {
		text, ok := value.(string)
		if !ok {
			return
		}

		folded[key] = base64.StdEncoding.EncodeToString([]byte(text))
		it.plain = append(it.plain, text)
	}

	it.object.Object["data"] = folded
	delete(it.object.Object, "stringData")
}

func isSecret(id inventory.ID) bool { return id.Group == "" && id.Kind == "Secret" }

// built are the objects as an inventory has them, sorted.
func built(items []*item) []inventory.Object {
	out := make([]inventory.Object, 0, len(items))
	for _, it := range items {
		out = append(out, inventory.Object{ID: it.id, Version: it.object.GroupVersionKind().Version})
	}

	slices.SortFunc(out, func(a, b inventory.Object) int { return a.ID.Compare(b.ID) })

	return out
}

package apply

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/dogker/dogker/reconciler/inventory"
)

// place is where objects are listed.
type place struct {
	resource  schema.GroupVersionResource
	namespace string
}

// page is how many objects are listed at once.
const page = 500

// look lists the metadata of what carries our labels, one list for each kind. An object that is not in it may exist all the
// same: somebody may have taken a label off.
func (v *visit) look(ctx context.Context, items []*item) (map[inventory.ID]metav1.Object, error) {
	places := map[place]schema.GroupKind{}
	for _, it := range items {
		places[place{it.resource, it.id.Namespace}] = it.object.GroupVersionKind().GroupKind()
	}

	out := map[inventory.ID]metav1.Object{}

	for p, kind := range places {
		o := metav1.ListOptions{LabelSelector: v.selector(), Limit: page}

		for {
			list, err := v.heads.Resource(p.resource).Namespace(p.namespace).List(ctx, o)
			if apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err) {
				// Who may change objects and not list them is asked about each. The answer says what is missing.
				break
			}

			if err != nil {
				return nil, fmt.Errorf("list %s in %q: %w", p.resource.Resource, p.namespace, err)
			}

			for i := range list.Items {
				head := &list.Items[i]
				out[inventory.ID{Namespace: head.Namespace, Name: head.Name, Group: kind.Group, Kind: kind.Kind}] = head
			}

			if o.Continue = list.Continue; o.Continue == "" {
				break
			}
		}
	}

	return out, nil
}

func (v *visit) selector() string { return labels.SelectorFromSet(ownerLabels(v.request)).String() }

package views

import (
	core "k8s.io/kubernetes/pkg/apis/core"

	"github.com/dogker/dogker/internal/controlplane/resourcemetrics"
)

var _ resourcemetrics.Source = (*Views)(nil)

// MeasuredPods are the pods of a namespace, or all when it is empty, as resource metrics tell of them.
func (v *Views) MeasuredPods(namespace string) ([]resourcemetrics.Pod, error) {
	if err := v.ready(); err != nil {
		return nil, err
	}
	rows, _ := v.pods.shelf.list(namespace)

	v.placesMu.RLock()
	defer v.placesMu.RUnlock()

	out := make([]resourcemetrics.Pod, 0, len(rows))
	for _, r := range rows {
		p, known := v.places[podKey{r.namespace, r.name}]
		pod, ok := r.object.(*core.Pod)
		if !known || !ok || len(pod.Spec.Containers) == 0 {
			continue
		}
		out = append(out, resourcemetrics.Pod{
			Namespace: r.namespace, Name: r.name, Labels: r.labels, Container: pod.Spec.Containers[0].Name, Task: p.place.Task,
		})
	}

	return out, nil
}

// MeasuredNodes are all nodes, as resource metrics tell of them.
func (v *Views) MeasuredNodes() ([]resourcemetrics.Node, error) {
	if err := v.ready(); err != nil {
		return nil, err
	}
	rows, _ := v.nodes.shelf.list("")

	v.placesMu.RLock()
	defer v.placesMu.RUnlock()

	out := make([]resourcemetrics.Node, 0, len(rows))
	for _, r := range rows {
		if id, known := v.nodeIDs[r.name]; known {
			out = append(out, resourcemetrics.Node{Name: r.name, ID: id, Labels: r.labels})
		}
	}

	return out, nil
}

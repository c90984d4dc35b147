package views

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	core "k8s.io/kubernetes/pkg/apis/core"
	corev1conversion "k8s.io/kubernetes/pkg/apis/core/v1"

	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/podview"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// placed is where the task of a pod is.
type placed struct {
	place  fleet.Place
	before *fleet.Place
}

func placeOf(t *swarmobj.TaskDetail) fleet.Place {
	return fleet.Place{Node: t.NodeID, Task: t.ID, Container: t.Container}
}

func before(t *podview.Chosen) *fleet.Place {
	if t.Before == nil || t.Before.Container == "" {
		return nil
	}
	p := placeOf(t.Before)

	return &p
}

func (v *Views) place(k podKey, p placed) {
	v.placesMu.Lock()
	defer v.placesMu.Unlock()

	v.places[k] = p
}

func (v *Views) displace(k podKey) {
	v.placesMu.Lock()
	defer v.placesMu.Unlock()

	delete(v.places, k)
}

// nameNodes notes which name is whose.
func (v *Views) nameNodes() {
	ids := make(map[string]string, len(v.known))
	for id, n := range v.known {
		ids[n.name] = id
	}

	v.placesMu.Lock()
	defer v.placesMu.Unlock()

	v.nodeIDs = ids
}

// Pod is a pod as it is shown, where its container is, and where the one before it in the same slot was; that is nil when
// there is none that is still known. Errors are of swarmobj's classes: ErrNotFound, or why nothing is known.
func (v *Views) Pod(namespace, name string) (pod *corev1.Pod, at fleet.Place, before *fleet.Place, err error) {
	if err := v.Swarm.State(); err != nil {
		return nil, at, nil, err
	}

	r := v.pods.shelf.get(namespace, name)
	v.placesMu.RLock()
	p, known := v.places[podKey{namespace, name}]
	v.placesMu.RUnlock()
	if r == nil || !known {
		return nil, at, nil, fmt.Errorf("find pod %q: %w", name, swarmobj.ErrNotFound)
	}
	pod = &corev1.Pod{}
	if err := corev1conversion.Convert_core_Pod_To_v1_Pod(v.pods.copied(r).(*core.Pod), pod, nil); err != nil {
		return nil, at, nil, fmt.Errorf("convert pod %q: %w", name, err)
	}

	return pod.DeepCopy(), p.place, p.before, nil
}

// Node is the engine's ID of the node that is shown by a name.
func (v *Views) Node(name string) (string, error) {
	if err := v.Swarm.State(); err != nil {
		return "", err
	}

	v.placesMu.RLock()
	defer v.placesMu.RUnlock()

	id, known := v.nodeIDs[name]
	if !known {
		return "", fmt.Errorf("find node %q: %w", name, swarmobj.ErrNotFound)
	}

	return id, nil
}

// unavailable is the answer while nothing is known.
func unavailable(err error) error {
	return apierrors.NewServiceUnavailable("pods and nodes are views of a swarm that cannot be asked now: " + err.Error())
}

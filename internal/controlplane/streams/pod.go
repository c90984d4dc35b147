package streams

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/endpoints/request"

	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Pods finds pods and nodes as they are shown; package views does. It answers at once, out of what is known. Errors are of
// swarmobj's classes: ErrNotFound when nothing by that name is shown, ErrUnavailable while nothing is known.
type Pods interface {
	// Pod by its name in a namespace, where its container is, and where the one before it in the same slot was. The place
	// names no container as long as none has been made; before is nil when none is known.
	Pod(namespace, name string) (pod *corev1.Pod, at fleet.Place, before *fleet.Place, err error)
	// Node is the engine's ID of a node that is shown by a name.
	Node(name string) (string, error)
}

// found is a pod as it is shown, and where its container is.
type found struct {
	*corev1.Pod
	place  fleet.Place
	before *fleet.Place
}

// find looks a pod up in the namespace of the request, and its container by name; empty for the only one.
func (s *Server) find(ctx context.Context, name, container string) (found, error) {
	namespace := request.NamespaceValue(ctx)
	if namespace == "" {
		return found{}, apierrors.NewBadRequest("a namespace is needed")
	}
	shown, at, before, err := s.Pods.Pod(namespace, name)
	if err != nil {
		return found{}, answer(err, "pods", name)
	}
	pod := found{Pod: shown, place: at, before: before}
	if container != "" && container != pod.container() {
		return found{}, apierrors.NewBadRequest(fmt.Sprintf("container %s is not valid for pod %s", container, name))
	}

	return pod, nil
}

// container is the name of the only one.
func (p found) container() string {
	if len(p.Spec.Containers) == 0 {
		return ""
	}

	return p.Spec.Containers[0].Name
}

// running refuses a pod that nobody can enter, in the words of Kubernetes.
func (p found) running() error {
	switch {
	case p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed:
		return apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q has ended; current phase is %s", p.container(), p.Name, p.Status.Phase))
	case p.place.Container == "":
		return p.waiting()
	default:
		return nil
	}
}

// waiting says why there is no container yet.
func (p found) waiting() error {
	reason := "ContainerCreating"
	for _, c := range p.Status.ContainerStatuses {
		if c.State.Waiting != nil && c.State.Waiting.Reason != "" {
			reason = c.State.Waiting.Reason
			if c.State.Waiting.Message != "" {
				reason += ": " + c.State.Waiting.Message
			}
		}
	}

	return apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q is waiting to start: %s", p.container(), p.Name, reason))
}

// answer translates the classes of swarmobj into Kubernetes' errors.
func answer(err error, resource, name string) error {
	var status apierrors.APIStatus

	switch {
	case errors.As(err, &status):
		return err
	case errors.Is(err, swarmobj.ErrNotFound):
		return apierrors.NewNotFound(corev1.Resource(resource), name)
	case errors.Is(err, swarmobj.ErrRefused):
		return apierrors.NewBadRequest(err.Error())
	case errors.Is(err, swarmobj.ErrUnavailable), errors.Is(err, swarmobj.ErrInactive),
		errors.Is(err, swarmobj.ErrNotManager), errors.Is(err, swarmobj.ErrNoLeader):
		return apierrors.NewServiceUnavailable(err.Error())
	default:
		return apierrors.NewInternalError(err)
	}
}

package views

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	core "k8s.io/kubernetes/pkg/apis/core"

	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// stopPatience is how long an engine may take beyond the grace period to say that a container has stopped.
const stopPatience = 15 * time.Second

// podStore answers for pods, which can be stopped: Swarm starts another task in the place of one that ends.
type podStore struct {
	*store
	views *Views
	stops stops
}

// stops are those that are under way: asking again changes nothing, and must not cost anything either. One that forces is
// another than one with a grace period.
type stops struct {
	mu      sync.Mutex
	running map[stop]bool
}

type stop struct {
	container string
	forced    bool
}

// begin is false when such a stop is under way.
func (s *stops) begin(one stop) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[one] {
		return false
	}
	if s.running == nil {
		s.running = map[stop]bool{}
	}
	s.running[one] = true

	return true
}

func (s *stops) end(one stop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, one)
}

var _ rest.GracefulDeleter = (*podStore)(nil)

// Delete implements rest.GracefulDeleter. It stops the task's container and is answered while that is under way, as
// Kubernetes does it: the pod is there until Swarm has seen its end.
func (p *podStore) Delete(ctx context.Context, name string, validate rest.ValidateObjectFunc, o *metav1.DeleteOptions) (runtime.Object, bool, error) {
	object, err := p.Get(ctx, name, nil)
	if err != nil {
		return nil, false, err
	}
	pod := object.(*core.Pod)
	if err := preconditions(pod, o); err != nil {
		return nil, false, err
	}
	if validate != nil {
		if err := validate(ctx, pod); err != nil {
			return nil, false, err
		}
	}

	_, at, _, err := p.views.Pod(request.NamespaceValue(ctx), name)
	switch {
	case err != nil:
		return nil, false, answer(err, name)
	case pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed:
		return nil, false, refuse(name, "it has ended, and Swarm forgets it when something else has run in its slot")
	case at.Container == "":
		return nil, false, refuse(name, "it has no container that could be stopped yet")
	case pod.DeletionTimestamp != nil || o != nil && len(o.DryRun) > 0:
		return pod, false, nil
	}

	grace := graceOf(pod, o)
	pod.DeletionGracePeriodSeconds = new(int64(grace / time.Second))
	pod.DeletionTimestamp = new(metav1.NewTime(time.Now().Add(grace)))

	return pod, false, p.stop(ctx, name, at, grace)
}

// stop asks the engine to stop the container. The engine answers when it has, which nobody waits for longer than it takes to
// learn that it does not refuse.
func (p *podStore) stop(ctx context.Context, name string, at fleet.Place, grace time.Duration) error {
	const refusal = 2 * time.Second

	one := stop{container: at.Container, forced: grace == 0}
	if !p.stops.begin(one) {
		return nil
	}
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace+stopPatience)
	done := make(chan error, 1)
	go func() {
		defer cancel()
		defer p.stops.end(one)
		done <- p.views.Runtime.Stop(whole, at, grace)
	}()

	t := time.NewTimer(refusal)
	defer t.Stop()

	select {
	case err := <-done:
		if err != nil && !errors.Is(err, swarmobj.ErrNotFound) {
			return answer(err, name)
		}

		return nil
	case <-t.C:
		return nil
	}
}

func preconditions(pod *core.Pod, o *metav1.DeleteOptions) error {
	if o == nil || o.Preconditions == nil {
		return nil
	}
	if uid := o.Preconditions.UID; uid != nil && *uid != pod.UID {
		return refuse(pod.Name, fmt.Sprintf("the UID in the precondition is %q, and that of the pod %q", *uid, pod.UID))
	}
	if v := o.Preconditions.ResourceVersion; v != nil && *v != pod.ResourceVersion {
		return refuse(pod.Name, fmt.Sprintf("the resourceVersion in the precondition is %q, and that of the pod %q", *v, pod.ResourceVersion))
	}

	return nil
}

// graceOf is what was asked for, but no longer than the container's own.
func graceOf(pod *core.Pod, o *metav1.DeleteOptions) time.Duration {
	own := int64(0)
	if g := pod.Spec.TerminationGracePeriodSeconds; g != nil {
		own = *g
	}
	if o != nil && o.GracePeriodSeconds != nil && *o.GracePeriodSeconds >= 0 {
		own = min(own, *o.GracePeriodSeconds)
	}

	return time.Duration(own) * time.Second
}

func refuse(name, why string) error {
	return apierrors.NewConflict(core.Resource("pods"), name, errors.New(why))
}

// answer translates the classes of swarmobj into Kubernetes' errors.
func answer(err error, name string) error {
	switch {
	case errors.Is(err, swarmobj.ErrNotFound):
		return apierrors.NewNotFound(core.Resource("pods"), name)
	case errors.Is(err, swarmobj.ErrRefused):
		return refuse(name, err.Error())
	default:
		return apierrors.NewServiceUnavailable(err.Error())
	}
}

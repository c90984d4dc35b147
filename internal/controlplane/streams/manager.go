package streams

import (
	"errors"
	"io"

	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// throughManager reads a log of a node that has no agent.
func (p *podLog) throughManager(st *stream, o fleet.LogOptions) (io.ReadCloser, error) {
	return fleet.LogsThroughManager(st.ctx, p.server.TaskLogs, p.place.Task, o, p.runs)
}

// runs tells whether the container has not ended, as far as anybody knows.
func (p *podLog) runs() bool {
	now, _, _, err := p.server.Pods.Pod(p.pod.Namespace, p.pod.Name)
	if err != nil {
		return !errors.Is(err, swarmobj.ErrNotFound)
	}

	return now.Status.Phase != corev1.PodSucceeded && now.Status.Phase != corev1.PodFailed
}

package engine

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// Recorder writes events for the owner of an object. It does not block. client-go's record.EventRecorder is one.
type Recorder interface {
	Event(object runtime.Object, eventType, reason, message string)
}

// silence records nothing.
type silence struct{}

func (silence) Event(runtime.Object, string, string, string) {}

// announce tells the owner of the object what a pass has changed in the summary: it became ready, it stalled, or
// something went wrong. What the kind did on the way is for the kind to tell. Nothing changed, no event.
func (e *Engine[T]) announce(before, after T, err error) {
	had, has := conditions.Get(before, conditions.Ready), conditions.Get(after, conditions.Ready)
	if had != nil && had.Status == has.Status && had.Reason == has.Reason && had.Message == has.Message {
		return
	}

	var wait *outcome.Wait

	switch {
	case has.Status == metav1.ConditionTrue && err == nil:
		if had == nil || had.Status != metav1.ConditionTrue {
			e.opts.Recorder.Event(after, corev1.EventTypeNormal, has.Reason, has.Message)
		}
	case errors.As(err, &wait) && wait.Err == nil, err == nil:
		// Progress, not trouble: the conditions show it.
	default:
		e.opts.Recorder.Event(after, corev1.EventTypeWarning, has.Reason, has.Message)
	}
}

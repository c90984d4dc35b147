package autoscaler

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Reasons of events, as a HorizontalPodAutoscaler has them.
const (
	eventRescaled = "SuccessfulRescale"
	eventRefused  = "FailedRescale"
)

// announce tells the tenant that the number of tasks is another.
func (a *Autoscaler) announce(tc *v1alpha1.TenantContainer, from, to int32, why string) {
	a.event(tc, corev1.EventTypeNormal, eventRescaled, fmt.Sprintf("Scaled from %d to %d tasks: %s", from, to, why))
}

// announceRefusal tells the tenant, in the words of who has refused it, why there are no more tasks.
func (a *Autoscaler) announceRefusal(tc *v1alpha1.TenantContainer, to int32, err error) {
	a.event(tc, corev1.EventTypeWarning, eventRefused, fmt.Sprintf("%d tasks are needed and not to be had: %v", to, err))
}

func (a *Autoscaler) event(tc *v1alpha1.TenantContainer, kind, reason, message string) {
	if a.Recorder != nil {
		a.Recorder.Event(tc.DeepCopy(), kind, reason, message)
	}
}

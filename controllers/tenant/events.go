package tenant

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Reasons of events, for the platform team.
const (
	eventNamespaceCreated = "NamespaceCreated"
	eventNetworkCreated   = "NetworkCreated"
	eventNetworkRemoved   = "NetworkRemoved"
	eventRightsChanged    = "RightsChanged"
	eventRemoved          = "Removed"
)

// announce tells the platform team what a step has changed, once it has.
func (c *Controller) announce(t *v1alpha1.Tenant, st step) {
	switch st := st.(type) {
	case createNetwork:
		c.event(t, corev1.EventTypeNormal, eventNetworkCreated, fmt.Sprintf("Created network with subnet %s", st.spec.Subnet))
	case removeNetwork:
		c.event(t, corev1.EventTypeWarning, eventNetworkRemoved, fmt.Sprintf("Removed network: its subnet %s is somebody else's", st.subnet))
	case createObject:
		if _, ok := st.object.(*corev1.Namespace); ok {
			c.event(t, corev1.EventTypeNormal, eventNamespaceCreated, fmt.Sprintf("Created namespace %q", st.object.GetName()))
		}
	case updateObject:
		c.announceRights(t, st.object, st)
	case removeObject:
		c.announceRights(t, st.object, st)
	}
}

// announceRights tells of a change of somebody's rights: after a change of the members, or the repair of what somebody
// else has changed.
func (c *Controller) announceRights(t *v1alpha1.Tenant, o client.Object, st step) {
	switch o.(type) {
	case *corev1.ResourceQuota, *corev1.Namespace:
	default:
		c.event(t, corev1.EventTypeNormal, eventRightsChanged, "Rights were brought in line with spec.members: "+st.String())
	}
}

func (c *Controller) event(t *v1alpha1.Tenant, eventType, reason, message string) {
	c.recorder.Event(t, eventType, reason, message)
}

package tenant

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/tenant/addresses"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// lookAround is when a tenant that is complete is looked at although nothing has been told: what happens to a network
// that was there before its tenant is told to nobody.
const lookAround = 5 * time.Minute

// report writes what was found into the status and says when to look again. wait is why the tenant is not complete, if it
// is not.
func (c *Controller) report(s *situation, wait error) (outcome.Result, error) {
	t := s.tenant

	if obstacle(s) == nil {
		t.Status.Namespace = t.Name
	}
	if s.plan != nil && s.network.blind == nil && obstacle(s) == nil {
		_, t.Status.Network, _ = s.network.decide(s.owner)
	}

	t.Status.Containers = ofMost(int64(s.containers), s.quota.Containers)

	if s.plan != nil {
		t.Status.Quota = &v1alpha1.QuotaStatus{Hard: amounts(hard(s.quota)), Used: amounts(s.used)}
	}

	reason, suspended := suspension(t)
	show(t, suspended, v1alpha1.ConditionSuspended, v1alpha1.ReasonSuspended, suspendedText(reason))
	c.reportShortages(s)

	if wait != nil {
		return outcome.Result{}, wait
	}

	if suspended {
		conditions.MarkReady(t, v1alpha1.ReasonSuspended, "Everything is in place; "+lowerFirst(suspendedText(reason)))
	} else {
		conditions.MarkReady(t, v1alpha1.ReasonProvisioned, "Everything is in place")
	}

	return outcome.Result{RequeueAfter: lookAround}, nil
}

// reportShortages says what there is too little of.
func (c *Controller) reportShortages(s *situation) {
	t := s.tenant

	n := t.Status.Network
	low := n != nil && n.AddressesTotal > 0 && addresses.Low(int(n.AddressesUsed), int(n.AddressesTotal))

	if low && !conditions.IsTrue(t, v1alpha1.ConditionAddressesLow) {
		c.event(t, corev1.EventTypeWarning, v1alpha1.ReasonAddressesLow, fmt.Sprintf("%s of the addresses in %s are used", n.Addresses, n.Subnet))
	}

	subnet := ""
	if low {
		subnet = n.Subnet
	}

	show(t, low, v1alpha1.ConditionAddressesLow, v1alpha1.ReasonAddressesLow, "Most of the addresses in "+subnet+" are used")

	// What is not known is not told anew.
	if differs := s.network.outdated(); s.plan != nil && s.network.blind == nil {
		show(t, differs != "", v1alpha1.ConditionNetworkOutdated, v1alpha1.ReasonEncryptionDiffers,
			differs+"; Swarm cannot change it: remove it while the tenant has no container, and it is made anew")
	}

	beyond := exceeded(hard(s.quota), s.used)
	slices.Sort(beyond)
	show(t, len(beyond) > 0 && s.plan != nil, v1alpha1.ConditionQuotaExceeded, v1alpha1.ReasonQuotaExceeded,
		"More is used than the quota allows: "+strings.Join(beyond, ", "))
}

func show(t *v1alpha1.Tenant, when bool, conditionType, reason, message string) {
	if !when {
		conditions.Delete(t, conditionType)

		return
	}

	conditions.Set(t, conditionType, metav1.ConditionTrue, reason, message)
}

// suspension is why all containers of the tenant are held at nothing. A person's reason comes before billing's.
func suspension(t *v1alpha1.Tenant) (reason string, suspended bool) {
	own, byPerson := t.Annotations[v1alpha1.AnnotationSuspend]
	bill, byBilling := t.Annotations[v1alpha1.AnnotationBillingSuspend]

	return cmp.Or(own, bill), byPerson || byBilling
}

func suspendedText(reason string) string {
	if reason == "" {
		return "All containers are held at zero replicas"
	}

	return "All containers are held at zero replicas: " + reason
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// ofMost shows a number and the most that it may be, if there is a most.
func ofMost(n int64, most *int64) string {
	if most == nil {
		return fmt.Sprint(n)
	}

	return fmt.Sprintf("%d/%d", n, *most)
}

func amounts(list corev1.ResourceList) map[string]resource.Quantity {
	if len(list) == 0 {
		return nil
	}

	out := make(map[string]resource.Quantity, len(list))
	for name, amount := range list {
		out[string(name)] = amount.DeepCopy()
	}

	return out
}

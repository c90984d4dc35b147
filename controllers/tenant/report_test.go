package tenant

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// noted records the reasons of events.
type noted []string

func (n *noted) Event(_ runtime.Object, eventType, reason, _ string) {
	*n = append(*n, eventType+" "+reason)
}

func TestReport(t *testing.T) {
	cases := map[string]struct {
		reason     string
		change     func(*situation)
		ready      string
		also       map[string]string // conditions beside Ready, and their messages
		containers string
		events     noted
	}{
		"Provisioned": {
			reason: "Everything is in place.", change: func(s *situation) { s.containers = 3 }, ready: v1alpha1.ReasonProvisioned, containers: "3/20",
		},
		"WithoutLimit": {
			reason: "What is not limited has no most.", change: func(s *situation) { s.quota.Containers = nil }, ready: v1alpha1.ReasonProvisioned, containers: "0",
		},
		"Suspended": {
			reason: "A suspended tenant is complete, and everybody sees why nothing runs.",
			change: func(s *situation) {
				s.tenant.Annotations = map[string]string{v1alpha1.AnnotationBillingSuspend: "Overdue"}
			},
			ready: v1alpha1.ReasonSuspended, containers: "0/20",
			also: map[string]string{v1alpha1.ConditionSuspended: "All containers are held at zero replicas: Overdue"},
		},
		"SuspendedTwice": {
			reason: "A person's reason comes first.",
			change: func(s *situation) {
				s.tenant.Annotations = map[string]string{v1alpha1.AnnotationBillingSuspend: "Overdue", v1alpha1.AnnotationSuspend: "Moving"}
			},
			ready: v1alpha1.ReasonSuspended, containers: "0/20",
			also: map[string]string{v1alpha1.ConditionSuspended: "All containers are held at zero replicas: Moving"},
		},
		"AddressesLow": {
			reason: "Somebody is told before the last address is gone; the message holds no number that changes.",
			change: func(s *situation) { s.network.view.Used = 178 },
			ready:  v1alpha1.ReasonProvisioned, containers: "0/20",
			also:   map[string]string{v1alpha1.ConditionAddressesLow: "Most of the addresses in 10.64.0.0/24 are used"},
			events: noted{"Warning AddressesLow"},
		},
		"AddressesNotLow": {
			reason: "Seventy percent are no news yet.", change: func(s *situation) { s.network.view.Used = 177 },
			ready: v1alpha1.ReasonProvisioned, containers: "0/20",
		},
		"StillLow": {
			reason: "It is told once.",
			change: func(s *situation) {
				s.network.view.Used = 200
				show(s.tenant, true, v1alpha1.ConditionAddressesLow, v1alpha1.ReasonAddressesLow, "Most of the addresses in 10.64.0.0/24 are used")
			},
			ready: v1alpha1.ReasonProvisioned, containers: "0/20",
			also: map[string]string{v1alpha1.ConditionAddressesLow: "Most of the addresses in 10.64.0.0/24 are used"},
		},
		"NotEncrypted": {
			reason: "A network that there is stays as it is, and it is said.",
			change: func(s *situation) { s.network.encrypted = true },
			ready:  v1alpha1.ReasonProvisioned, containers: "0/20",
			also: map[string]string{v1alpha1.ConditionNetworkOutdated: "The plan asks for an encrypted network, and the tenant's was made without encryption; " +
				"Swarm cannot change it: remove it while the tenant has no container, and it is made anew"},
		},
		"Encrypted": {
			reason: "What the plan asks for is no news.",
			change: func(s *situation) { s.network.encrypted, s.network.view.Network.Encrypted = true, true },
			ready:  v1alpha1.ReasonProvisioned, containers: "0/20",
		},
		"EncryptionUnknown": {
			reason: "Who sees nothing takes nothing back.",
			change: func(s *situation) {
				show(s.tenant, true, v1alpha1.ConditionNetworkOutdated, v1alpha1.ReasonEncryptionDiffers, "It differs")
				s.network = network{blind: sight.Lost(swarmobj.ErrUnavailable), encrypted: true}
			},
			ready: v1alpha1.ReasonProvisioned, containers: "0/20",
			also: map[string]string{v1alpha1.ConditionNetworkOutdated: "It differs"},
		},
		"QuotaLowered": {
			reason: "What is used already stays, and it is said.",
			change: func(s *situation) {
				s.used = corev1.ResourceList{v1alpha1.ResourceReplicas: *quantity("41"), v1alpha1.ResourceContainers: *quantity("21")}
			},
			ready: v1alpha1.ReasonProvisioned, containers: "0/20",
			also: map[string]string{v1alpha1.ConditionQuotaExceeded: "More is used than the quota allows: count/tenantcontainers.dogker.io, dogker.io/replicas"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var events noted

			s := complete(acme(), tc.change)
			c := &Controller{recorder: &events}

			if _, err := c.report(s, nil); err != nil {
				t.Fatal(err)
			}

			got := map[string]string{}
			for _, have := range s.tenant.Status.Conditions {
				if have.Type != conditions.Ready {
					got[have.Type] = have.Message
				}
			}

			if ready := conditions.Get(s.tenant, conditions.Ready); ready == nil || ready.Status != "True" || ready.Reason != tc.ready {
				t.Errorf("%s\nReady = %+v, want %s", tc.reason, ready, tc.ready)
			}
			if diff := cmp.Diff(orNone(tc.also), got); diff != "" {
				t.Errorf("%s\nconditions (-want +got):\n%s", tc.reason, diff)
			}
			if s.tenant.Status.Containers != tc.containers {
				t.Errorf("%s\ncontainers %q, want %q", tc.reason, s.tenant.Status.Containers, tc.containers)
			}
			if diff := cmp.Diff(tc.events, events); diff != "" {
				t.Errorf("%s\nevents (-want +got):\n%s", tc.reason, diff)
			}

			s.tenant.Status.ObservedGeneration = s.tenant.Generation
			check.Status(t, s.tenant)
		})
	}
}

func orNone(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}

	return m
}

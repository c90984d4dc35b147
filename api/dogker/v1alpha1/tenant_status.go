package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TenantStatus is what Dogker last saw; only the tenant controller writes it.
type TenantStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Namespace of the tenant, once it is there.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// Network of the tenant. Its subnet is claimed here before the network is made.
	// +optional
	Network *TenantNetwork `json:"network,omitempty"`
	// Containers that there are, of those that the quota allows, such as 3/20.
	// +optional
	Containers string `json:"containers,omitempty"`
	// Quota that is in effect, and what is used of it.
	// +optional
	Quota *QuotaStatus `json:"quota,omitempty"`
	// Billing is how the account of the tenant stands, if its plan has prices. Its BillingAccount says more.
	// +optional
	Billing *TenantBilling `json:"billing,omitempty"`
}

// TenantNetwork is the overlay network that all containers of a tenant share, and nobody else.
type TenantNetwork struct {
	// Name in Swarm.
	// +optional
	Name string `json:"name,omitempty"`
	// ID in Swarm; empty until it is made.
	// +optional
	ID string `json:"id,omitempty"`
	// Subnet in CIDR notation.
	// +optional
	Subnet string `json:"subnet,omitempty"`
	// Encrypted is true when the nodes encrypt what its containers send each other.
	// +optional
	Encrypted bool `json:"encrypted,omitempty"`
	// Addresses in use, of those that there are for containers, such as 12/250.
	// +optional
	Addresses string `json:"addresses,omitempty"`
	// AddressesUsed is how many addresses are in use.
	// +optional
	AddressesUsed int32 `json:"addressesUsed"`
	// AddressesTotal is how many addresses there are for containers.
	// +optional
	AddressesTotal int32 `json:"addressesTotal"`
}

// QuotaStatus is the quota in effect, by the names that `kubectl describe quota` shows.
type QuotaStatus struct {
	// Hard is the most that there may be.
	// +optional
	Hard map[string]resource.Quantity `json:"hard,omitempty"`
	// Used is what there is.
	// +optional
	Used map[string]resource.Quantity `json:"used,omitempty"`
}

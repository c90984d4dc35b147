package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	dogker "github.com/dogker/dogker/api/dogker/v1alpha1"
)

// PriceList says what use costs. It cannot be changed: what somebody was charged by must stay what it was. New prices are a
// new PriceList that replaces the old one, from an hour on, for all plans that name the old one.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=pricelists,scope=Cluster,shortName=prl,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether it is as it should be."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Whether its prices are charged, in one word."
// +kubebuilder:printcolumn:name="CPU",type=string,JSONPath=`.spec.prices.cpu`,description="Rupiah for one CPU for an hour."
// +kubebuilder:printcolumn:name="Memory",type=string,JSONPath=`.spec.prices.memory`,description="Rupiah for a GiB of memory for an hour."
// +kubebuilder:printcolumn:name="Storage",type=string,JSONPath=`.spec.prices.storage`,description="Rupiah for a GiB of volumes for an hour."
// +kubebuilder:printcolumn:name="Replica",type=string,JSONPath=`.spec.prices.replica`,description="Rupiah for a running task for an hour."
// +kubebuilder:printcolumn:name="From",type=string,JSONPath=`.spec.effectiveFrom`,description="From when they are charged."
// +kubebuilder:printcolumn:name="Replaces",type=string,JSONPath=`.spec.replaces`,description="The PriceList whose place it takes."
// +kubebuilder:printcolumn:name="Tenants",type=integer,JSONPath=`.status.tenants`,description="How many tenants are charged by it."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="the name of a PriceList must be no longer than 63 characters",messageExpression="'\"' + self.metadata.name + '\" must be no longer than 63 characters'"
type PriceList struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec holds the prices.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="is immutable: make another PriceList with spec.replaces"
	Spec PriceListSpec `json:"spec"`
	// Status is what Dogker last saw. It is restored when deleted.
	// +optional
	Status PriceListStatus `json:"status,omitempty"`
}

// PriceListList is a list of PriceLists.
//
// +kubebuilder:object:root=true
type PriceListList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []PriceList `json:"items"`
}

// PriceListSpec holds prices.
type PriceListSpec struct {
	// Currency of the prices.
	// +kubebuilder:default=IDR
	// +optional
	Currency Currency `json:"currency,omitempty"`
	// Prices of a unit of each meter. What has none is free.
	Prices Prices `json:"prices"`
	// EffectiveFrom is the hour (UTC) from which use is charged by these prices. It must not be in the past when the
	// PriceList is created. Without one they are in effect at once.
	// +kubebuilder:validation:XValidation:rule="self.getMinutes() == 0 && self.getSeconds() == 0 && self.getMilliseconds() == 0",message="must be on a whole hour, such as 2027-01-01T00:00:00Z"
	// +optional
	EffectiveFrom *metav1.Time `json:"effectiveFrom,omitempty"`
	// Replaces names the PriceList whose place this one takes from effectiveFrom on, for everybody who is charged by it.
	// A PriceList is replaced by one other only.
	// +optional
	Replaces dogker.DNSLabel `json:"replaces,omitempty"`
	// TaxNote is printed on statements, such as "Prices include 11% PPN."
	// +kubebuilder:validation:MaxLength=256
	// +optional
	TaxNote string `json:"taxNote,omitempty"`
}

// Prices are rupiah for a unit of each meter.
//
// +kubebuilder:validation:XValidation:rule="!has(self.egress) || self.egress.matches('^0([.]0+)?$')",message="egress must be 0 or absent: traffic is not measured yet"
type Prices struct {
	// CPU is the price of one CPU that a task has set aside (resources.requests.cpu), for an hour.
	// +optional
	CPU Amount `json:"cpu,omitempty"`
	// Memory is the price of a GiB that a task has set aside (resources.requests.memory), for an hour.
	// +optional
	Memory Amount `json:"memory,omitempty"`
	// Storage is the price of a GiB of a volume's declared size, for an hour.
	// +optional
	Storage Amount `json:"storage,omitempty"`
	// Replica is the price of a running task, for an hour.
	// +optional
	Replica Amount `json:"replica,omitempty"`
	// Egress is the price of a GiB that leaves for the internet. It is not measured yet, so it must be 0.
	// +optional
	Egress Amount `json:"egress,omitempty"`
}

// PriceListStatus is what Dogker last saw.
type PriceListStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// ReplacedBy names the PriceList that takes its place, now or later.
	// +optional
	ReplacedBy string `json:"replacedBy,omitempty"`
	// Plans is how many plans name it.
	// +optional
	Plans int32 `json:"plans"`
	// Tenants is how many tenants are charged by it.
	// +optional
	Tenants int32 `json:"tenants"`
}

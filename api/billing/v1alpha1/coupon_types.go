package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	dogker "github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Coupon gives promotional money to whoever knows its code, each tenant once. The code itself is not stored.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=coupons,scope=Cluster,shortName=cp,categories=dogker
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Whether it can be redeemed."
// +kubebuilder:printcolumn:name="Amount",type=string,JSONPath=`.spec.amount`,description="Rupiah that it gives."
// +kubebuilder:printcolumn:name="Percent",type=integer,JSONPath=`.spec.percent`,description="Or how much of a payment it adds."
// +kubebuilder:printcolumn:name="Redeemed",type=integer,JSONPath=`.status.redeemed`,description="How often it was redeemed."
// +kubebuilder:printcolumn:name="Max",type=integer,JSONPath=`.spec.maxRedemptions`,description="How often it can be."
// +kubebuilder:printcolumn:name="Until",type=string,JSONPath=`.spec.validUntil`,description="Until when."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="the name of a Coupon must be no longer than 63 characters",messageExpression="'\"' + self.metadata.name + '\" must be no longer than 63 characters'"
type Coupon struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec says what it gives, and to whom.
	Spec CouponSpec `json:"spec"`
	// Status is what Dogker last saw. It is restored when deleted.
	// +optional
	Status CouponStatus `json:"status,omitempty"`
}

// CouponList is a list of Coupons.
//
// +kubebuilder:object:root=true
type CouponList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Coupon `json:"items"`
}

// CouponSpec says what a coupon gives.
//
// +kubebuilder:validation:XValidation:rule="has(self.amount) != has(self.percent)",message="exactly one of amount and percent must be set"
// +kubebuilder:validation:XValidation:rule="!has(self.percent) || has(self.maxAmount)",message="maxAmount must bound what percent can come to"
// +kubebuilder:validation:XValidation:rule="has(self.percent) || !has(self.maxAmount)",message="maxAmount must only be set with percent, whose amount it bounds"
// +kubebuilder:validation:XValidation:rule="!has(self.validFrom) || !has(self.validUntil) || self.validFrom < self.validUntil",message="validFrom must be before validUntil"
type CouponSpec struct {
	// CodeSHA256 is the SHA-256 of the code in capitals, in hexadecimal. `dogker coupon hash` works it out.
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="is immutable: make another Coupon"
	CodeSHA256 string `json:"codeSHA256"`
	// Amount that it gives.
	// +optional
	Amount WholeAmount `json:"amount,omitempty"`
	// Percent of a payment that it adds. Such a coupon is redeemed with a TopUp only.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	Percent int32 `json:"percent,omitempty"`
	// MaxAmount bounds what percent comes to.
	// +optional
	MaxAmount WholeAmount `json:"maxAmount,omitempty"`
	// MaxRedemptions is how often it can be redeemed by all tenants together.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MaxRedemptions int64 `json:"maxRedemptions"`
	// ValidFrom is when it can be redeemed first.
	// +optional
	ValidFrom *metav1.Time `json:"validFrom,omitempty"`
	// ValidUntil is when it can be redeemed no more.
	// +optional
	ValidUntil *metav1.Time `json:"validUntil,omitempty"`
	// ExpirationDays is for how many days what it gave can be used; for ever when 0.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3650
	// +optional
	ExpirationDays int32 `json:"expirationDays,omitempty"`
	// Meter is the only one that it pays for; all when empty.
	// +optional
	Meter Meter `json:"meter,omitempty"`
	// PlanNames are the plans whose tenants may redeem it; all when there are none.
	// +kubebuilder:validation:MaxItems=32
	// +listType=set
	// +optional
	PlanNames []dogker.DNSLabel `json:"planNames,omitempty"`
}

// CouponStatus is what Dogker last saw.
type CouponStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is True while it can be redeemed.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Redeemed is how often it was.
	// +optional
	Redeemed int64 `json:"redeemed"`
}

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	dogker "github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Refund gives a payment back, or a part of it, to whoever paid. The amount is set aside before the gateway is asked, so
// that it cannot be spent meanwhile. The platform makes Refunds; tenants see them.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=refunds,shortName=rf,categories=dogker
// +kubebuilder:printcolumn:name="TopUp",type=string,JSONPath=`.spec.topUpName`,description="The payment."
// +kubebuilder:printcolumn:name="Amount",type=string,JSONPath=`.status.amount`,description="Rupiah that go back."
// +kubebuilder:printcolumn:name="Method",type=string,JSONPath=`.spec.method`,description="By whom it is paid back."
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`,description="How far it is."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
type Refund struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what to pay back.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="is immutable: make another Refund"
	Spec RefundSpec `json:"spec"`
	// Status says what became of it.
	// +optional
	Status RefundStatus `json:"status,omitempty"`
}

// RefundList is a list of Refunds.
//
// +kubebuilder:object:root=true
type RefundList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Refund `json:"items"`
}

// RefundSpec is what to pay back.
//
// +kubebuilder:validation:XValidation:rule="self.method != 'Manual' || has(self.evidence)",message="evidence must say how it was paid back when method is Manual"
// +kubebuilder:validation:XValidation:rule="self.method == 'Manual' || !has(self.evidence)",message="evidence must only be set when method is Manual: what the gateway pays back proves itself"
type RefundSpec struct {
	// TopUpName names the TopUp in the same namespace.
	TopUpName dogker.ObjectName `json:"topUpName"`
	// Amount to pay back; all that can be when there is none.
	// +optional
	Amount WholeAmount `json:"amount,omitempty"`
	// Reason for the payer.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	Reason string `json:"reason"`
	// Method. Gateway: Midtrans pays it back, where the way it was paid allows it. Manual: the platform has paid it back
	// itself, such as by a transfer, and only writes it down.
	// +kubebuilder:default=Gateway
	// +optional
	Method RefundMethod `json:"method,omitempty"`
	// Evidence of a manual refund, such as the reference of a transfer. The ledger keeps it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +optional
	Evidence string `json:"evidence,omitempty"`
}

// RefundMethod says by whom it is paid back.
//
// +kubebuilder:validation:Enum=Gateway;Manual
type RefundMethod string

// The methods.
const (
	RefundByGateway RefundMethod = "Gateway"
	RefundByHand    RefundMethod = "Manual"
)

// RefundPhase says how far a refund is.
//
// +kubebuilder:validation:Enum=Pending;Held;Sent;Posted;Voided
type RefundPhase string

// The phases.
const (
	// RefundPending: nothing was done.
	RefundPending RefundPhase = "Pending"
	// RefundHeld: the amount is set aside.
	RefundHeld RefundPhase = "Held"
	// RefundSent: the gateway was asked.
	RefundSent RefundPhase = "Sent"
	// RefundPosted: it went back.
	RefundPosted RefundPhase = "Posted"
	// RefundVoided: it did not, and the account has it again.
	RefundVoided RefundPhase = "Voided"
)

// RefundStatus says what became of a Refund.
type RefundStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is True once it is posted.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Phase says how far it is.
	// +optional
	Phase RefundPhase `json:"phase,omitempty"`
	// Key that the gateway knows it by.
	// +optional
	Key string `json:"key,omitempty"`
	// Amount that is paid back.
	// +optional
	Amount string `json:"amount,omitempty"`
	// Attempts counts the calls to the gateway that got a definite answer.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// SentAt is when the gateway was first asked to pay it back, as far as that is known.
	// +optional
	SentAt *metav1.Time `json:"sentAt,omitempty"`
	// AcceptedAt is when the gateway first said that it will. Some payers have the money only days after that.
	// +optional
	AcceptedAt *metav1.Time `json:"acceptedAt,omitempty"`
	// PostedAt is when the ledger was told.
	// +optional
	PostedAt *metav1.Time `json:"postedAt,omitempty"`
	// LedgerSequence is the last entry of the ledger about it.
	// +optional
	LedgerSequence int64 `json:"ledgerSequence,omitempty"`
}

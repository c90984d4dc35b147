package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BillingAccount is how a tenant stands: what it has, what it spends, and how long that lasts. There is one in the namespace
// of every tenant whose plan has prices; Dogker makes it. In its spec the tenant says when to be warned and what to spend at
// most.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=billingaccounts,shortName=ba,categories=dogker
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`,description="Active, Low, Grace, Suspended, BudgetCapped, Hold or Closed."
// +kubebuilder:printcolumn:name="Balance",type=string,JSONPath=`.status.available`,description="Rupiah that can be used."
// +kubebuilder:printcolumn:name="Rate/h",type=string,JSONPath=`.status.ratePerHour`,description="Rupiah that an hour of everything declared costs."
// +kubebuilder:printcolumn:name="Runway",type=string,JSONPath=`.status.runway`,description="For how long the balance lasts."
// +kubebuilder:printcolumn:name="Spent",type=string,JSONPath=`.status.spent`,description="Rupiah that were used this month."
// +kubebuilder:printcolumn:name="Charged",type=date,JSONPath=`.status.chargedThrough`,description="How long ago use was charged last."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Depletes",type=string,priority=1,JSONPath=`.status.depletesAt`,description="When the balance will be gone."
// +kubebuilder:printcolumn:name="Held",type=string,priority=1,JSONPath=`.status.held`,description="Rupiah on their way back to a payer."
// +kubebuilder:printcolumn:name="Prices",type=string,priority=1,JSONPath=`.status.priceListName`,description="The PriceList in effect."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name == 'default'",message="metadata.name must be default: a tenant has one account",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be default: a tenant has one account'"
type BillingAccount struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what the tenant wants to be told, and to spend.
	// +optional
	Spec BillingAccountSpec `json:"spec,omitempty"`
	// Status is how the account stands. It is restored when deleted.
	// +optional
	Status BillingAccountStatus `json:"status,omitempty"`
}

// BillingAccountList is a list of BillingAccounts.
//
// +kubebuilder:object:root=true
type BillingAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []BillingAccount `json:"items"`
}

// BillingAccountSpec is what the tenant wants to be told, and to spend; but for hold, which is the platform's.
type BillingAccountSpec struct {
	// Warnings say when to warn that the balance runs out.
	// +kubebuilder:default={}
	// +optional
	Warnings Warnings `json:"warnings,omitzero"`
	// Budget bounds what is spent in a month.
	// +optional
	Budget *Budget `json:"budget,omitempty"`
	// UTCOffsetHours says where a day and a month begin, in hours east of UTC.
	// +kubebuilder:default=7
	// +kubebuilder:validation:Minimum=-12
	// +kubebuilder:validation:Maximum=14
	// +optional
	UTCOffsetHours int32 `json:"utcOffsetHours"`
	// CouponCodes to redeem, each once. Those that come with a payment stand in the TopUp instead. What was redeemed stays
	// when its code is taken out.
	// +kubebuilder:validation:MaxItems=32
	// +listType=set
	// +optional
	CouponCodes []CouponCode `json:"couponCodes,omitempty"`
	// Hold stops everything of the tenant until the platform takes it away. Only the platform may set it; a chargeback
	// does, too.
	// +optional
	Hold *AccountHold `json:"hold,omitempty"`
}

// Warnings say when to warn.
type Warnings struct {
	// Runways are the times before the balance is gone at which to warn, each once for every credit.
	// +kubebuilder:default={"72h","24h","6h","1h"}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +listType=set
	// +optional
	Runways []Runway `json:"runways,omitempty"`
	// Balance below which to warn as well, however long it would last.
	// +optional
	Balance WholeAmount `json:"balance,omitempty"`
}

// Runway is a duration such as 30m, 24h or 72h: from a minute to 90 days.
//
// +kubebuilder:validation:MaxLength=16
// +kubebuilder:validation:Pattern=`^([0-9]+h)?([0-9]+m)?$`
// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1m') && duration(self) <= duration('2160h')",message="must be from 1m to 2160h"
type Runway string

// Budget bounds what is spent in a month.
type Budget struct {
	// MonthlyCap is what may be spent in a month.
	MonthlyCap WholeAmount `json:"monthlyCap"`
	// Action at the cap. Warn: say so, as at 75 and 90 percent. Suspend: stop everything as well, until the month is over
	// or the cap is raised.
	// +kubebuilder:default=Warn
	// +optional
	Action BudgetAction `json:"action,omitempty"`
}

// BudgetAction is what happens at a cap.
//
// +kubebuilder:validation:Enum=Warn;Suspend
type BudgetAction string

// The actions.
const (
	BudgetWarn    BudgetAction = "Warn"
	BudgetSuspend BudgetAction = "Suspend"
)

// AccountHold is why everything of a tenant is stopped.
type AccountHold struct {
	// Reason in one word, such as Chargeback or Abuse.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z]([A-Za-z0-9]*)$`
	Reason string `json:"reason"`
	// Message for the tenant.
	// +kubebuilder:validation:MaxLength=512
	// +optional
	Message string `json:"message,omitempty"`
}

// AccountPhase is what an account may do.
//
// +kubebuilder:validation:Enum=Active;Low;Grace;Suspended;BudgetCapped;Hold;Closed
type AccountPhase string

// BillingAccountStatus is how an account stands. Amounts are in whole rupiah, rounded down, but for ratePerHour and missing,
// which are rounded up; the ledger is exact.
type BillingAccountStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is always there.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Phase: Active runs. Low runs, and has been warned. Grace runs on nothing, for a limited time. Suspended,
	// BudgetCapped, Hold and Closed do not run.
	// +optional
	Phase AccountPhase `json:"phase,omitempty"`
	// PhaseSince is when the phase began.
	// +optional
	PhaseSince *metav1.Time `json:"phaseSince,omitempty"`
	// GraceEnds is when an account in Grace is suspended at the latest.
	// +optional
	GraceEnds *metav1.Time `json:"graceEnds,omitempty"`
	// Available is what can be used, in whole rupiah: paid and promotional, less what was used and is not settled. What is
	// held is not in it.
	// +optional
	Available string `json:"available,omitempty"`
	// Paid is the tenant's own money, less what is held; below zero it is a debt.
	// +optional
	Paid string `json:"paid,omitempty"`
	// Promotional is what is left of coupons and grants.
	// +optional
	Promotional string `json:"promotional,omitempty"`
	// Held is what is on its way back to a payer.
	// +optional
	Held string `json:"held,omitempty"`
	// Accrued is what was used since the last settlement.
	// +optional
	Accrued string `json:"accrued,omitempty"`
	// Spent is what was used this month, with what accrued.
	// +optional
	Spent string `json:"spent,omitempty"`
	// RatePerHour is what an hour of everything declared costs, with at most two decimals.
	// +optional
	RatePerHour string `json:"ratePerHour,omitempty"`
	// Runway is for how long the balance lasts at this rate, such as 71h30m; empty when nothing is spent.
	// +optional
	Runway string `json:"runway,omitempty"`
	// DepletesAt is when it will be gone.
	// +optional
	DepletesAt *metav1.Time `json:"depletesAt,omitempty"`
	// Missing is how much has to be paid before a suspended account runs again.
	// +optional
	Missing string `json:"missing,omitempty"`
	// DataKeptUntil is until when the data of an account that does not run is kept at least.
	// +optional
	DataKeptUntil *metav1.Time `json:"dataKeptUntil,omitempty"`
	// ChargedThrough is the moment until which use has been charged.
	// +optional
	ChargedThrough *metav1.Time `json:"chargedThrough,omitempty"`
	// PriceListName is the PriceList in effect.
	// +optional
	PriceListName string `json:"priceListName,omitempty"`
	// LedgerSequence and LedgerHash are those of the last entry of the ledger. Whoever writes them down can tell later that
	// nothing before was changed.
	// +optional
	LedgerSequence int64 `json:"ledgerSequence,omitempty"`
	// LedgerHash is the SHA-256 that ends the chain of entries.
	// +optional
	LedgerHash string `json:"ledgerHash,omitempty"`
	// Coupons that were redeemed or refused, of those in spec.couponCodes.
	// +listType=map
	// +listMapKey=code
	// +optional
	Coupons []RedeemedCoupon `json:"coupons,omitempty"`
}

// RedeemedCoupon is what became of a code.
type RedeemedCoupon struct {
	// Code in spec.couponCodes.
	Code CouponCode `json:"code"`
	// Amount that was given, empty when the code was not accepted.
	// +optional
	Amount string `json:"amount,omitempty"`
	// Reason in one word: Redeemed or CodeNotAccepted.
	Reason string `json:"reason"`
}

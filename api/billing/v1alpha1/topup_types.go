package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TopUp asks for a payment: Dogker opens a page at the payment gateway, puts its address in status.redirectURL, and credits
// the account as soon as the gateway says that it was paid.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=topups,shortName=tu,categories=dogker
// +kubebuilder:printcolumn:name="Amount",type=string,JSONPath=`.spec.amount`,description="Rupiah to pay."
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`,description="What became of the payment."
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.redirectURL`,description="The page to pay on."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Expires",type=string,priority=1,JSONPath=`.status.expiresAt`,description="Until when it can be paid."
// +kubebuilder:printcolumn:name="Order",type=string,priority=1,JSONPath=`.status.orderID`,description="What the gateway calls it."
// +kubebuilder:printcolumn:name="Method",type=string,priority=1,JSONPath=`.status.method`,description="How it was paid."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="the name of a TopUp must be no longer than 63 characters",messageExpression="'\"' + self.metadata.name + '\" must be no longer than 63 characters'"
type TopUp struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what to pay.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="is immutable: make another TopUp"
	Spec TopUpSpec `json:"spec"`
	// Status says what became of it.
	// +optional
	Status TopUpStatus `json:"status,omitempty"`
}

// TopUpList is a list of TopUps.
//
// +kubebuilder:object:root=true
type TopUpList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []TopUp `json:"items"`
}

// TopUpSpec is what to pay.
type TopUpSpec struct {
	// Amount to pay and to be credited. The plan may say how much at least and at most.
	Amount WholeAmount `json:"amount"`
	// Methods that the payer may choose from; all that the platform offers when there are none.
	// +kubebuilder:validation:MaxItems=24
	// +listType=set
	// +optional
	Methods []PaymentMethod `json:"methods,omitempty"`
	// CouponCode of a coupon that adds to the payment when it is credited.
	// +optional
	CouponCode CouponCode `json:"couponCode,omitempty"`
	// ExpirationSeconds is how long it can be paid after it was created: five minutes to seven days, a day by default.
	// +kubebuilder:default=86400
	// +kubebuilder:validation:Minimum=300
	// +kubebuilder:validation:Maximum=604800
	// +optional
	ExpirationSeconds int64 `json:"expirationSeconds,omitempty"`
	// ReturnURL is where the payer is sent afterwards. Nothing is concluded from a payer who comes back.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https://[^\s"<>\\]+$`
	// +optional
	ReturnURL string `json:"returnURL,omitempty"`
}

// PaymentMethod is a way to pay, as Midtrans names it.
//
// +kubebuilder:validation:Enum=credit_card;gopay;shopeepay;other_qris;dana;ovo;bca_va;bni_va;bri_va;cimb_va;permata_va;other_va;echannel;bca_klikpay;bca_klikbca;bri_epay;cimb_clicks;danamon_online;uob_ezpay;indomaret;alfamart;akulaku;kredivo
type PaymentMethod string

// CouponCode is what people type: letters, digits and dashes. Capitals do not matter.
//
// +kubebuilder:validation:MinLength=4
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9-]*$`
type CouponCode string

// TopUpPhase is what became of a payment.
//
// +kubebuilder:validation:Enum=Pending;AwaitingPayment;Challenged;Credited;PartiallyRefunded;Refunded;Reversed;ChargedBack;Failed;Expired
type TopUpPhase string

// The phases.
const (
	// TopUpPending: the page is not open yet.
	TopUpPending TopUpPhase = "Pending"
	// TopUpAwaitingPayment: it can be paid.
	TopUpAwaitingPayment TopUpPhase = "AwaitingPayment"
	// TopUpChallenged: it was paid and the gateway doubts by whom. The platform decides there.
	TopUpChallenged TopUpPhase = "Challenged"
	// TopUpCredited: it was paid, and the account has the money.
	TopUpCredited TopUpPhase = "Credited"
	// TopUpPartiallyRefunded: a part of it went back.
	TopUpPartiallyRefunded TopUpPhase = "PartiallyRefunded"
	// TopUpRefunded: all of it went back.
	TopUpRefunded TopUpPhase = "Refunded"
	// TopUpReversed: the gateway took it back right after it was paid.
	TopUpReversed TopUpPhase = "Reversed"
	// TopUpChargedBack: the payer's bank took it back.
	TopUpChargedBack TopUpPhase = "ChargedBack"
	// TopUpFailed: it was cancelled. A payment that arrives all the same is credited.
	TopUpFailed TopUpPhase = "Failed"
	// TopUpExpired: nobody paid in time. A payment that arrives all the same is credited.
	TopUpExpired TopUpPhase = "Expired"
)

// TopUpStatus says what became of a TopUp.
type TopUpStatus struct {
	// ObservedGeneration is the spec generation this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Conditions say how it stands. Ready is True once it is credited.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Phase is what became of the payment.
	// +optional
	Phase TopUpPhase `json:"phase,omitempty"`
	// OrderID is what the gateway calls it. It follows from the UID of the TopUp and the time it was created, so it never
	// changes, and nothing reads it from here.
	// +optional
	OrderID string `json:"orderID,omitempty"`
	// RedirectURL is the page to pay on.
	// +optional
	RedirectURL string `json:"redirectURL,omitempty"`
	// OpenedAt is when the page was asked for.
	// +optional
	OpenedAt *metav1.Time `json:"openedAt,omitempty"`
	// ExpiresAt is until when it can be paid.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
	// Attempts counts the calls to the gateway that got a definite answer.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// CheckedAt is when the gateway was last asked, NextCheckAt when it will be.
	// +optional
	CheckedAt *metav1.Time `json:"checkedAt,omitempty"`
	// NextCheckAt is when the gateway will be asked again, if nothing is heard before.
	// +optional
	NextCheckAt *metav1.Time `json:"nextCheckAt,omitempty"`
	// GatewayStatus is the gateway's own word for how the payment stands.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	GatewayStatus string `json:"gatewayStatus,omitempty"`
	// TransactionID is the payment that was credited.
	// +optional
	TransactionID string `json:"transactionID,omitempty"`
	// Method by which it was paid.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Method string `json:"method,omitempty"`
	// CreditedAt is when the account got the money.
	// +optional
	CreditedAt *metav1.Time `json:"creditedAt,omitempty"`
	// CreditedSequence is the entry of the ledger that says so.
	// +optional
	CreditedSequence int64 `json:"creditedSequence,omitempty"`
	// Fee that the payer bore on top.
	// +optional
	Fee string `json:"fee,omitempty"`
	// Refunded is what went back, by refunds and by the gateway.
	// +optional
	Refunded string `json:"refunded,omitempty"`
	// ChargedBack is what the payer's bank took back.
	// +optional
	ChargedBack string `json:"chargedBack,omitempty"`
	// CouponAmount is what the coupon added.
	// +optional
	CouponAmount string `json:"couponAmount,omitempty"`
}

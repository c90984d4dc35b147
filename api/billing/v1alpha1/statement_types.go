package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Statement says what a month came to. Dogker writes it once, when everything of the month has been charged; it never
// changes. Its name is the month, such as 2026-11.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=statements,shortName=st,categories=dogker
// +kubebuilder:printcolumn:name="Opening",type=string,JSONPath=`.spec.opening`,description="Rupiah at the beginning."
// +kubebuilder:printcolumn:name="Paid",type=string,JSONPath=`.spec.paidIn`,description="Payments, less refunds."
// +kubebuilder:printcolumn:name="Given",type=string,JSONPath=`.spec.given`,description="Promotional money, less what expired."
// +kubebuilder:printcolumn:name="Used",type=string,JSONPath=`.spec.used`,description="What use was charged."
// +kubebuilder:printcolumn:name="Closing",type=string,JSONPath=`.spec.closing`,description="Rupiah at the end."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Statement struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the record.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="is immutable: it is a record"
	Spec StatementSpec `json:"spec"`
}

// StatementList is a list of Statements.
//
// +kubebuilder:object:root=true
type StatementList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Statement `json:"items"`
}

// StatementSpec is what a month came to. opening + paidIn + given + adjusted − used = closing. Amounts have six decimals.
type StatementSpec struct {
	// From is when the month began, To when it ended, which is not in it.
	From metav1.Time `json:"from"`
	// To is when it ended.
	To metav1.Time `json:"to"`
	// Currency of the amounts.
	Currency Currency `json:"currency"`
	// Opening balance. It is the closing balance of the month before.
	Opening string `json:"opening"`
	// PaidIn is what was paid, less what went back to payers.
	PaidIn string `json:"paidIn"`
	// Given is promotional money, less what expired.
	Given string `json:"given"`
	// Adjusted is what was put right by hand.
	Adjusted string `json:"adjusted"`
	// Used is what use was charged.
	Used string `json:"used"`
	// Waived is what use came to and was not charged.
	Waived string `json:"waived"`
	// Closing balance.
	Closing string `json:"closing"`
	// ByType are the sums of the entries of each type.
	// +listType=map
	// +listMapKey=name
	// +optional
	ByType []StatementSum `json:"byType,omitempty"`
	// ByMeter are the sums of use by meter, ByWorkload by container.
	// +listType=map
	// +listMapKey=name
	// +optional
	ByMeter []StatementSum `json:"byMeter,omitempty"`
	// ByWorkload are the sums of use by container, those that cost most first; at most 256, and the rest as one.
	// +kubebuilder:validation:MaxItems=257
	// +listType=map
	// +listMapKey=name
	// +optional
	ByWorkload []StatementSum `json:"byWorkload,omitempty"`
	// FirstSequence and LastSequence are the lowest and the highest number of its entries in the ledger.
	// +optional
	FirstSequence int64 `json:"firstSequence,omitempty"`
	// LastSequence is the highest.
	// +optional
	LastSequence int64 `json:"lastSequence,omitempty"`
	// LastHash is the hash of that entry: who keeps it can tell later that nothing before was changed.
	// +optional
	LastHash string `json:"lastHash,omitempty"`
	// TaxNote of the prices.
	// +optional
	TaxNote string `json:"taxNote,omitempty"`
}

// StatementSum is one sum.
type StatementSum struct {
	// Name of what is summed up.
	Name string `json:"name"`
	// Amount in rupiah.
	Amount string `json:"amount"`
}

// Package v1alpha1 is the contract of the group billing.dogker.io: what things cost, what tenants have paid, and what
// became of it.
//
//	Plan ──► PriceList          what an hour of everything costs
//	Tenant ─► BillingAccount    how a tenant stands: one in each tenant's namespace, named default
//	             ▲
//	   TopUp ────┤  Coupon      money comes: by a payment, or as a present
//	   Refund ───┘              money goes back
//	Statement                   what a month came to
//
// None of these objects is money. Money is in the ledger, whose entries are never changed; what is here is what people ask
// for, and in status what they are shown. Nothing is decided by a status: it can be deleted at any time and the next pass
// restores it.
//
// Amounts are rupiah, as text, because most readers put a number through a float.
//
// It imports apimachinery, the group dogker.io and the standard library, nothing else.
//
// +kubebuilder:object:generate=true
// +groupName=billing.dogker.io
package v1alpha1

package v1alpha1

// AccountName is the name of the BillingAccount of a tenant, in the tenant's namespace.
const AccountName = "default"

// Finalizers.
const (
	// FinalizerPriceList holds a PriceList for as long as usage can be priced by it.
	FinalizerPriceList = "billing.dogker.io/price-list-in-use"
	// FinalizerAccount holds a BillingAccount, and so its tenant, until its books are closed: nothing owed to anybody.
	FinalizerAccount = "billing.dogker.io/books"
	// FinalizerTopUp holds a TopUp until its payment can no longer be made.
	FinalizerTopUp = "billing.dogker.io/payment"
	// FinalizerRefund holds a Refund until what it holds went one way or the other.
	FinalizerRefund = "billing.dogker.io/refund"
)

// AnnotationWriteOff on a BillingAccount of a tenant that is being deleted is the platform's word that what is left of the
// balance, or the debt, is given up. Its value is the reason, which the ledger keeps.
const AnnotationWriteOff = "dogker.io/write-off"

// AnnotationWrittenOffBy on the same BillingAccount says who gave that word. Admission writes it, and nobody else may.
const AnnotationWrittenOffBy = "billing.dogker.io/written-off-by"

// UserBilling is who writes annotations that begin with billing.dogker.io/, and nobody else does.
const UserBilling = "system:dogker:billing"

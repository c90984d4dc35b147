package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Rupiah is whole rupiah as text, such as "50000".
//
// +kubebuilder:validation:MaxLength=12
// +kubebuilder:validation:Pattern=`^(0|[1-9][0-9]{0,11})$`
type Rupiah string

// BillingRules say how tenants with a plan pay.
type BillingRules struct {
	// MinRunwaySeconds is for how long the balance must carry everything that is declared before more may be declared, and
	// before what was suspended runs again.
	// +kubebuilder:default=3600
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=2592000
	// +optional
	MinRunwaySeconds int64 `json:"minRunwaySeconds,omitempty"`
	// GracePeriodSeconds is how long containers run on when the balance is gone.
	// +kubebuilder:default=3600
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2592000
	// +optional
	GracePeriodSeconds *int64 `json:"gracePeriodSeconds,omitempty"`
	// Overdraft is how far the balance may fall below zero meanwhile: beyond it the grace period is over. Without one it is
	// what the grace period costs at the rate at its beginning.
	// +optional
	Overdraft Rupiah `json:"overdraft,omitempty"`
	// MonthlyGrant is given at the beginning of each month and expires at its end.
	// +optional
	MonthlyGrant Rupiah `json:"monthlyGrant,omitempty"`
	// SuspendedStorage says whether volumes are charged while the account does not run. Bill: yes, up to a debt of seven
	// days of it. Waive: no.
	// +kubebuilder:default=Bill
	// +kubebuilder:validation:Enum=Bill;Waive
	// +optional
	SuspendedStorage SuspendedStorage `json:"suspendedStorage,omitempty"`
	// RetentionDays is for how many days the data of a suspended tenant is kept at least.
	// +kubebuilder:default=30
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	// +optional
	RetentionDays int32 `json:"retentionDays,omitempty"`
	// SettlementHours is how often use is settled, and so how many entries the ledger gets: every 1, 6 or 24 hours.
	// +kubebuilder:default=1
	// +kubebuilder:validation:Enum=1;6;24
	// +optional
	SettlementHours int32 `json:"settlementHours,omitempty"`
	// TopUps bounds payments.
	// +optional
	TopUps *TopUpRules `json:"topUps,omitempty"`
}

// SuspendedStorage says whether volumes are charged while the account does not run.
type SuspendedStorage string

// What becomes of the price of volumes.
const (
	SuspendedStorageBill  SuspendedStorage = "Bill"
	SuspendedStorageWaive SuspendedStorage = "Waive"
)

// TopUpRules bound payments.
//
// +kubebuilder:validation:XValidation:rule="!has(self.minAmount) || !has(self.maxAmount) || int(self.minAmount) <= int(self.maxAmount)",message="minAmount must not be above maxAmount"
type TopUpRules struct {
	// MinAmount of one payment.
	// +optional
	MinAmount Rupiah `json:"minAmount,omitempty"`
	// MaxAmount of one payment.
	// +optional
	MaxAmount Rupiah `json:"maxAmount,omitempty"`
	// MaxPending is how many TopUps of a tenant may wait for their payment.
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	// +optional
	MaxPending int32 `json:"maxPending,omitempty"`
}

// TenantBilling is how the account of a tenant stands: the short of its BillingAccount.
type TenantBilling struct {
	// Phase of the account: Active, Low, Grace, Suspended, BudgetCapped, Hold or Closed.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Balance that can be used, in whole rupiah.
	// +optional
	Balance string `json:"balance,omitempty"`
	// RatePerHour is what an hour of everything declared costs.
	// +optional
	RatePerHour string `json:"ratePerHour,omitempty"`
	// Runway is for how long the balance lasts.
	// +optional
	Runway string `json:"runway,omitempty"`
	// DepletesAt is when it will be gone.
	// +optional
	DepletesAt *metav1.Time `json:"depletesAt,omitempty"`
}

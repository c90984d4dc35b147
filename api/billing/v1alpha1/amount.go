package v1alpha1

// Amount is rupiah as decimal text with up to six decimals, such as "150" or "0.25".
//
// +kubebuilder:validation:MaxLength=20
// +kubebuilder:validation:Pattern=`^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$`
type Amount string

// WholeAmount is whole rupiah above zero as text, such as "50000": what can be paid and paid back.
//
// +kubebuilder:validation:MaxLength=12
// +kubebuilder:validation:Pattern=`^[1-9][0-9]{0,11}$`
type WholeAmount string

// Currency of all amounts.
//
// +kubebuilder:validation:Enum=IDR
type Currency string

// CurrencyIDR is the only one there is.
const CurrencyIDR Currency = "IDR"

// Meter is what is metered.
//
// +kubebuilder:validation:Enum=cpu;memory;storage;egress;replica
type Meter string

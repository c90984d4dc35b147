package v1alpha1

// Condition types of Tenant, beside Ready, Reconciling, Stalled and Suspended.
const (
	// ConditionAddressesLow is True while 70 percent of the addresses of the tenant's network are in use, or more. Negative
	// polarity: it is absent otherwise.
	ConditionAddressesLow = "AddressesLow"
	// ConditionQuotaExceeded is True while more is used than the quota allows, because the quota has been lowered.
	// Nothing is taken away; nothing more is let in. Negative polarity: it is absent otherwise.
	ConditionQuotaExceeded = "QuotaExceeded"
	// ConditionNetworkOutdated is True while the network of the tenant is not what its plan asks for, because Swarm cannot
	// change a network that there is. Negative polarity: it is absent otherwise.
	ConditionNetworkOutdated = "NetworkOutdated"
)

// Reasons of Tenant and Plan, beside those above.
const (
	// ReasonProvisioned: everything that makes the tenant is in place.
	ReasonProvisioned = "Provisioned"
	// ReasonProvisioning: what makes the tenant is being made.
	ReasonProvisioning = "Provisioning"
	// ReasonPlanNotFound: there is no Plan of the name in spec.planName.
	ReasonPlanNotFound = "PlanNotFound"
	// ReasonNamespaceConflict: there is a namespace of the tenant's name that is not the tenant's.
	ReasonNamespaceConflict = "NamespaceConflict"
	// ReasonNamespaceTerminating: somebody has deleted the namespace; it is made again when it is gone.
	ReasonNamespaceTerminating = "NamespaceTerminating"
	// ReasonNetworkConflict: Swarm has a network of the tenant's name that is not the tenant's.
	ReasonNetworkConflict = "NetworkConflict"
	// ReasonPoolExhausted: the address pool has no subnet left that is large enough.
	ReasonPoolExhausted = "PoolExhausted"
	// ReasonAddressesLow: most of the addresses are in use.
	ReasonAddressesLow = "AddressesLow"
	// ReasonQuotaExceeded: more is used than the quota allows.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonEncryptionDiffers: the network is encrypted and the plan does not ask for it, or the other way round.
	ReasonEncryptionDiffers = "EncryptionDiffers"
	// ReasonProtected: spec.deletionPolicy keeps the tenant from being deleted while something is left in it.
	ReasonProtected = "Protected"
	// ReasonAvailable: tenants can have the plan.
	ReasonAvailable = "Available"
	// ReasonInUse: the plan is being deleted and a tenant still has it.
	ReasonInUse = "InUse"
)

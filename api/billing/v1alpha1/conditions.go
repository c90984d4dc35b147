package v1alpha1

// Conditions beside Ready, Reconciling and Stalled.
const (
	// ConditionBalanceLow is True on a BillingAccount from its first warning until the balance is well above it. Negative
	// polarity: it is absent otherwise.
	ConditionBalanceLow = "BalanceLow"
	// ConditionSuspended is True on a BillingAccount whose containers do not run because of it. Negative polarity.
	ConditionSuspended = "Suspended"
	// ConditionStillRunning is True on a BillingAccount that is suspended while something of it runs all the same, longer
	// than containers may take to stop. Negative polarity.
	ConditionStillRunning = "StillRunning"
	// ConditionNotMetered is True while what the tenant uses is not measured, and so not charged. Negative polarity.
	ConditionNotMetered = "NotMetered"
	// ConditionNeedsReview is True on a TopUp or Refund of which the gateway said something that nobody expects: no money
	// has moved because of it, and a person has to look. Negative polarity.
	ConditionNeedsReview = "NeedsReview"
)

// Reasons.
const (
	// ReasonInEffect: the prices are charged.
	ReasonInEffect = "InEffect"
	// ReasonScheduled: the prices are charged from spec.effectiveFrom on.
	ReasonScheduled = "Scheduled"
	// ReasonReplaced: other prices have taken the place of these.
	ReasonReplaced = "Replaced"
	// ReasonInUse: it is being deleted and something still refers to it.
	ReasonInUse = "InUse"
	// ReasonTenantNotFound: there is no Tenant of the namespace's name.
	ReasonTenantNotFound = "TenantNotFound"
	// ReasonPriceListNotFound: the plan names a PriceList that is not there.
	ReasonPriceListNotFound = "PriceListNotFound"
	// ReasonNotInEffect: the prices that the plan names are not in effect yet.
	ReasonNotInEffect = "NotInEffect"
	// ReasonNotBilled: the plan names no prices.
	ReasonNotBilled = "NotBilled"
	// ReasonResuming: the account may run again, and waits for its turn: many do so at once.
	ReasonResuming = "Resuming"
	// ReasonTasksRunning: tasks go on running that should have stopped.
	ReasonTasksRunning = "TasksRunning"
	// ReasonMeteringBehind: something runs and was not charged for some minutes. It is made up for when it can be.
	ReasonMeteringBehind = "MeteringBehind"
	// ReasonStopping: the account is being deleted, and waits until everything has stopped and what was used is charged.
	ReasonStopping = "Stopping"
	// ReasonForked: another PriceList, which was made before, replaces the same one.
	ReasonForked = "Forked"
	// ReasonLedgerBroken: the tenant's ledger contradicts itself. Nothing is charged until a person has looked at it.
	ReasonLedgerBroken = "LedgerBroken"
	// ReasonLedgerUnavailable: the ledger cannot be read.
	ReasonLedgerUnavailable = "LedgerUnavailable"
	// ReasonBalanceNotSettled: the account is being deleted and has a balance, a debt, or something on its way.
	ReasonBalanceNotSettled = "BalanceNotSettled"
	// ReasonClockSkewed: the clock of the server cannot be believed; nothing is charged meanwhile.
	ReasonClockSkewed = "ClockSkewed"
	// ReasonNoGateway: no payment gateway is configured.
	ReasonNoGateway = "NoGateway"
	// ReasonCodeNotAccepted: the coupon's code is not one that can be redeemed here, now, or any more.
	ReasonCodeNotAccepted = "CodeNotAccepted"
	// ReasonTopUpNotFound: there is no TopUp of the name in spec.topUpName, or nothing was credited for it.
	ReasonTopUpNotFound = "TopUpNotFound"
	// ReasonInsufficient: less than the amount can be paid back.
	ReasonInsufficient = "Insufficient"
	// ReasonUnexpectedStatus: the gateway tells something of a payment that nobody expects.
	ReasonUnexpectedStatus = "UnexpectedStatus"
	// ReasonPaidTwice: an order was paid twice. The second payment is kept for nobody until a person has decided.
	ReasonPaidTwice = "PaidTwice"
)

// ReasonInsufficientBalance is the reason with which admission refuses what the balance cannot carry.
const ReasonInsufficientBalance = "InsufficientBalance"

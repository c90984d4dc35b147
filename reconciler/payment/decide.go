package payment

// Decision is what becomes of an order, given how a payment of it stands.
type Decision string

// The decisions. Only Credit, Suspense, Reverse, RefundDebit and ChargebackDebit move money.
const (
	// Await: nothing is decided yet, ask again.
	Await Decision = "Await"
	// PreAuthorized: money is reserved and not paid, which should be turned off at the gateway. No credit; tell the
	// operator, ask again.
	PreAuthorized Decision = "PreAuthorized"
	// Challenged: the payer is doubted. No credit; an administrator approves or denies it at the gateway, ask again.
	Challenged Decision = "Challenged"
	// Credit the order's amount.
	Credit Decision = "Credit"
	// AttemptFailed: this payment failed, another one on the same page may succeed. Ask again until the page expires.
	AttemptFailed Decision = "AttemptFailed"
	// Failed: the payment was cancelled.
	Failed Decision = "Failed"
	// Expired: nobody paid in time. A payment that settles all the same is credited.
	Expired Decision = "Expired"
	// Ignore: what is said is known, or older than what is known.
	Ignore Decision = "Ignore"
	// Reverse: the credited payment was taken back. Debit what is left of the credit.
	Reverse Decision = "Reverse"
	// RefundDebit: the gateway lists refunds that the ledger does not know. Debit them.
	RefundDebit Decision = "RefundDebit"
	// ChargebackDebit: the payer's bank took money back. Debit it, hold the account, tell the operator.
	ChargebackDebit Decision = "ChargebackDebit"
	// Suspense: the order was paid a second time. The money goes to the suspense account, tell the operator.
	Suspense Decision = "Suspense"
	// Quarantine: not documented, or contradictory. Move no money, keep the evidence, tell the operator.
	Quarantine Decision = "Quarantine"
)

// Decisions are all decisions there are.
var Decisions = []Decision{
	Await, PreAuthorized, Challenged, Credit, AttemptFailed, Failed, Expired, Ignore, Reverse, RefundDebit, ChargebackDebit,
	Suspense, Quarantine,
}

// MovesMoney is true for decisions that end in an entry of the ledger.
func (d Decision) MovesMoney() bool {
	switch d {
	case Credit, Suspense, Reverse, RefundDebit, ChargebackDebit:
		return true
	default:
		return false
	}
}

// pair holds the decision for a payment that was not credited before, and for the one that was.
type pair struct{ before, after Decision }

// anyFraud stands for every fraud status that has no row of its own, known or not.
const anyFraud FraudStatus = "*"

// table is the table of statuses. A status without a row, and a fraud status without one where there is no anyFraud, are
// for a person to look at.
var table = map[TransactionStatus]map[FraudStatus]pair{
	StatusPending:   {anyFraud: {Await, Ignore}},
	StatusAuthorize: {anyFraud: {PreAuthorized, Quarantine}},
	StatusCapture: {
		FraudAccept:    {Credit, Ignore},
		FraudChallenge: {Challenged, Quarantine},
		FraudDeny:      {AttemptFailed, Quarantine},
		// A capture without an opinion on the payer is not documented. Once credited it says nothing new.
		anyFraud: {Quarantine, Ignore},
	},
	StatusSettlement: {
		FraudAccept: {Credit, Ignore},
		// Some methods are not looked at for fraud; the gateway's own samples of them say nothing.
		FraudAbsent: {Credit, Ignore},
	},
	// A denied payer may try again on the same page, so this is not the end. Permata, Mandiri Bill and Indomaret take
	// settlements back within minutes.
	StatusDeny:              {anyFraud: {AttemptFailed, Reverse}},
	StatusCancel:            {anyFraud: {Failed, Reverse}},
	StatusExpire:            {anyFraud: {Expired, Quarantine}},
	StatusFailure:           {anyFraud: {AttemptFailed, Quarantine}},
	StatusRefund:            {anyFraud: {Quarantine, RefundDebit}},
	StatusPartialRefund:     {anyFraud: {Quarantine, RefundDebit}},
	StatusChargeback:        {anyFraud: {Quarantine, ChargebackDebit}},
	StatusPartialChargeback: {anyFraud: {Quarantine, ChargebackDebit}},
}

// Decide is the table of statuses: what a payment's status means for its order, given whether this payment was credited
// before. It is total. Judge checks everything else, such as amounts, and is what controllers call.
func Decide(status TransactionStatus, fraud FraudStatus, credited bool) Decision {
	rows := table[status]

	// The placeholder is ours; a gateway that sends it says nothing that is known.
	p, ok := rows[fraud]
	if !ok || fraud == anyFraud {
		p, ok = rows[anyFraud]
	}

	switch {
	case !ok:
		return Quarantine
	case credited:
		return p.after
	default:
		return p.before
	}
}

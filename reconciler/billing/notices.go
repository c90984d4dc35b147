package billing

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
)

// Kinds of notices about movements. Those about how an account stands are solvency's. The names are in the IDs of notices:
// they never change.
const (
	PaymentReceived = "PaymentReceived"
	PaymentReversed = "PaymentReversed"
	ChargedBack     = "ChargedBack"
	RefundPosted    = "RefundPosted"
	RefundVoided    = "RefundVoided"
	GrantReceived   = "GrantReceived"
	GrantExpired    = "GrantExpired"
	BalanceAdjusted = "BalanceAdjusted"
	DebtWrittenOff  = "DebtWrittenOff"
)

// Keys of the Data of a notice. Amounts are rupiah; what is not known is left out.
const (
	// DataAmount is what was moved, always above zero but for BalanceAdjusted, and DataOrder the payment it is about.
	DataAmount = "amount"
	DataOrder  = "order"
	// DataAvailable is what can be used, in whole rupiah rounded down, after it.
	DataAvailable = "available"
	// DataPhase of the account.
	DataPhase = "phase"
	// DataThreshold is the warning that was reached, such as 24h or floor, or the share of the budget, such as 75.
	DataThreshold = "threshold"
	// DataRate is what an hour costs.
	DataRate = "ratePerHour"
	// DataRunway is for how long the money lasts, such as 5h30m0s, and DataDepletesAt when it is gone (RFC 3339).
	DataRunway     = "runway"
	DataDepletesAt = "depletesAt"
	// DataGraceEnds is when containers stop at the latest (RFC 3339).
	DataGraceEnds = "graceEnds"
	// DataMissing is how much it takes to run again, in whole rupiah rounded up.
	DataMissing = "missing"
	// DataSpent in DataMonth, of DataCap.
	DataSpent = "spent"
	DataMonth = "month"
	DataCap   = "monthlyCap"
)

// ofEntry is what is told of an entry, by its type.
var ofEntry = map[book.Type]string{
	book.TypeTopUp: PaymentReceived, book.TypeReversal: PaymentReversed, book.TypeChargeback: ChargedBack,
	book.TypeRefundPost: RefundPosted, book.TypeRefundVoid: RefundVoided,
	book.TypeGrant: GrantReceived, book.TypeGrantExpiry: GrantExpired,
	book.TypeAdjustment: BalanceAdjusted, book.TypeWriteOff: DebtWrittenOff,
}

// payments tells of what moved, once for each entry: its number is in the ID.
func payments(h book.Head, entries []book.Entry, now time.Time) []book.Notice {
	var out []book.Notice
	for _, e := range entries {
		kind, told := ofEntry[e.Type]
		amount := moved(e)
		if !told || amount == 0 {
			continue
		}
		out = append(out, book.Notice{
			ID: fmt.Sprintf("%s:%d", kind, e.Seq), Kind: kind, Time: now.Unix(),
			Data: data(DataAmount, amount.String(), DataOrder, e.Order, DataAvailable, wholeDown(h.Available())),
		})
	}

	return out
}

// moved is how much an entry is about: what went through the gateway where something did, because a gift that goes along
// with a payment is told of by nobody, and what was set aside where that comes back.
func moved(e book.Entry) money.Micro {
	if e.Type == book.TypeAdjustment {
		return e.Amount
	}
	account := ""
	switch e.Type {
	case book.TypeTopUp, book.TypeReversal, book.TypeChargeback, book.TypeRefundPost:
		account = book.AccountGateway
	case book.TypeRefundVoid:
		account = book.AccountPaid
	}
	amount := e.Amount
	for _, p := range e.Postings {
		if p.Account == account {
			amount = p.Amount
		}
	}

	return max(amount, -amount)
}

// tellings are what solvency has to say, in the words of the ledger.
func tellings(s state, r solvency.Rules, f solvency.Facts, said []solvency.Notice) []book.Notice {
	var out []book.Notice
	for _, n := range said {
		threshold := n.Mark
		if n.Kind == solvency.BudgetReached {
			_, threshold, _ = strings.Cut(strings.TrimSuffix(n.Mark, "%"), "/")
		}
		pairs := []string{
			DataPhase, string(s.Phase), DataAvailable, wholeDown(f.Available), DataRate, f.Rate.String(), DataThreshold, threshold,
		}
		if runway, finite := solvency.Runway(f); finite && s.Phase.Runs() {
			pairs = append(pairs, DataRunway, runway.String(), DataDepletesAt, stamp(f.Now.Add(runway)))
		}
		if !s.GraceEnds.IsZero() {
			pairs = append(pairs, DataGraceEnds, stamp(s.GraceEnds))
		}
		if n.Missing > 0 {
			pairs = append(pairs, DataMissing, wholeUp(n.Missing))
		}
		if r.MonthlyCap > 0 {
			pairs = append(pairs, DataSpent, f.Spent.String(), DataMonth, f.Month, DataCap, r.MonthlyCap.String())
		}
		out = append(out, book.Notice{ID: idOf(n, s, f), Kind: string(n.Kind), Time: f.Now.Unix(), Data: data(pairs...)})
	}

	return out
}

// idOf is the ID of a notice: its kind, its mark and the epoch. A phase can be entered several times in an epoch, so its
// mark is when it began.
func idOf(n solvency.Notice, s state, f solvency.Facts) string {
	mark := strings.NewReplacer("/", ".", "%", "").Replace(n.Mark)
	switch n.Kind {
	case solvency.WasSuspended, solvency.WasResumed, solvency.WasCapped, solvency.WasHeld, solvency.WasClosed:
		mark = strconv.FormatInt(s.Since.Unix(), 10)
	}

	return fmt.Sprintf("%s:%s:%d", n.Kind, mark, f.Epoch)
}

// data makes a map of keys and values, without those that are empty.
func data(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out[pairs[i]] = pairs[i+1]
		}
	}

	return out
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// wholeDown is an amount in whole rupiah: nobody is shown more than there is.
func wholeDown(m money.Micro) string { return strconv.FormatInt(m.Floor(), 10) }

// wholeUp is an amount in whole rupiah: nobody is asked for less than it takes.
func wholeUp(m money.Micro) string { return strconv.FormatInt(-(-m).Floor(), 10) }

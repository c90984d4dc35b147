package notice

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/solvency"
)

// texts are what is said of each kind. Words in braces are keys of the data; a clause in brackets is left out when one of
// its words is not known.
var texts = map[string]string{
	string(solvency.LowBalance):      "The balance is low[: Rp {available} are left][, which last for {runway}][ at Rp {ratePerHour} an hour].",
	string(solvency.GraceBegan):      "The balance is used up. Containers run on until it is topped up[, but no longer than until {graceEnds}].",
	string(solvency.WasSuspended):    "The balance is used up, and containers are stopped. Nothing is deleted.[ They run again as soon as Rp {missing} are paid.]",
	string(solvency.WasResumed):      "Containers run again.[ Rp {available} can be used.]",
	string(solvency.ResumeShortfall): "Containers do not run yet:[ Rp {missing} are missing until they do].",
	string(solvency.BudgetReached):   "{threshold}% of the budget of {month} are spent[: Rp {spent} of Rp {monthlyCap}].",
	string(solvency.WasCapped):       "The budget is spent, and containers are stopped until the month is over or the budget is raised.[ Rp {spent} of Rp {monthlyCap} were spent in {month}.]",
	string(solvency.WasHeld):         "The platform has stopped everything of this account. Ask it why.",
	string(solvency.WasClosed):       "The account is closed, and nothing of it runs any more.",
	billing.PaymentReceived:          "A payment of Rp {amount} has arrived.[ Rp {available} can be used.]",
	billing.PaymentReversed:          "A payment of Rp {amount} was taken back by the payment gateway.[ Rp {available} can be used.]",
	billing.ChargedBack:              "A payment of Rp {amount} was taken back by the payer's bank.[ Rp {available} can be used.]",
	billing.RefundPosted:             "Rp {amount} went back to the payer.",
	billing.RefundVoided:             "A refund of Rp {amount} was not possible: the account has it again.",
	billing.GrantReceived:            "The account was given Rp {amount}.[ Rp {available} can be used.]",
	billing.GrantExpired:             "Rp {amount} that were given and not used have expired.",
	billing.BalanceAdjusted:          "The balance was put right by Rp {amount}.[ Rp {available} can be used.]",
	billing.DebtWrittenOff:           "What was left on the account, Rp {amount}, is given up.",
}

// warnings are the kinds that somebody should do something about.
var warnings = map[string]bool{
	string(solvency.LowBalance): true, string(solvency.GraceBegan): true, string(solvency.WasSuspended): true,
	string(solvency.ResumeShortfall): true, string(solvency.BudgetReached): true, string(solvency.WasCapped): true,
	string(solvency.WasHeld): true, billing.PaymentReversed: true, billing.ChargedBack: true, billing.RefundVoided: true,
}

// Text is a notice in a sentence or two. One of a kind that this version does not know lists what comes with it.
func Text(n book.Notice) string {
	text, known := texts[n.Kind]
	if !known {
		return listed(n)
	}
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "[")
		filled, _ := fill(before, n.Data)
		out.WriteString(filled)
		if !found {
			return out.String()
		}
		clause, after, _ := strings.Cut(after, "]")
		if filled, complete := fill(clause, n.Data); complete {
			out.WriteString(filled)
		}
		text = after
	}
}

// fill puts data in the place of its keys, and tells whether all of it is known.
func fill(text string, data map[string]string) (filled string, complete bool) {
	complete = true
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			return out.String(), complete
		}
		key, after, _ := strings.Cut(after, "}")
		value, known := data[key]
		complete = complete && known
		out.WriteString(trimmed(value))
		text = after
	}
}

// trimmed takes zeros off an amount that say nothing.
func trimmed(value string) string {
	whole, rest, found := strings.Cut(value, ".")
	if !found || strings.Trim(rest, "0123456789") != "" {
		return value
	}
	if rest = strings.TrimRight(rest, "0"); rest == "" {
		return whole
	}

	return whole + "." + rest
}

func listed(n book.Notice) string {
	pairs := make([]string, 0, len(n.Data))
	for _, key := range slices.Sorted(maps.Keys(n.Data)) {
		pairs = append(pairs, fmt.Sprintf("%s %s", key, n.Data[key]))
	}

	return n.Kind + ": " + strings.Join(pairs, ", ")
}

// EventType of a notice.
func EventType(n book.Notice) string {
	if warnings[n.Kind] {
		return corev1.EventTypeWarning
	}

	return corev1.EventTypeNormal
}

package account

import (
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
)

const (
	// behind is how long ago use was charged last when it counts as not being charged. Windows are closed within two
	// minutes.
	behind = 5 * time.Minute
	// longestRunway is the longest that is told in hours and minutes; more is nobody's concern.
	longestRunway = 10 * 365 * 24 * time.Hour
)

// project shows in the status how the account stands. It is pure: the same situation gives the same status, and one that
// has only grown older gives the same one, too, as long as nothing is used.
func project(s *situation) {
	st, head, f := &s.account.Status, s.head, s.standing.Facts

	st.Phase, st.PhaseSince, st.GraceEnds, st.DataKeptUntil = "", nil, nil, nil
	if s.billed() {
		st.Phase, st.PhaseSince = billingv1.AccountPhase(s.standing.Phase), stamp(s.standing.Since)
	}
	if s.standing.Phase == solvency.Grace {
		st.GraceEnds = stamp(s.standing.GraceEnds)
	}
	if days := retentionDays(s); s.billed() && !s.standing.Phase.Runs() && !s.standing.Since.IsZero() {
		st.DataKeptUntil = stamp(s.standing.Since.Add(time.Duration(days) * 24 * time.Hour))
	}

	st.Available, st.Paid, st.Promotional = whole(f.Available), whole(head.Paid), whole(head.Promo())
	st.Held, st.Accrued, st.Spent = whole(head.Held()), whole(head.AccruedTotal()), whole(s.standing.Spent)
	st.LedgerSequence, st.LedgerHash = head.Seq, head.Hash

	st.ChargedThrough = nil
	if head.ChargedThrough > 0 {
		st.ChargedThrough = stamp(chargedAt(head))
	}

	st.PriceListName, st.RatePerHour, st.Missing = "", "", ""
	if s.unpriced == nil {
		st.PriceListName, st.RatePerHour = s.terms.PriceList.Name, rate(f.Rate)
	}
	if s.standing.Missing > 0 && s.standing.Phase == solvency.Suspended {
		st.Missing = wholeUp(s.standing.Missing)
	}

	projectRunway(s)
}

// projectRunway says for how long the balance lasts. When it will be gone is told only while something is charged: it does
// not move on then, and it would, minute by minute, for somebody who uses nothing.
func projectRunway(s *situation) {
	st, standing := &s.account.Status, s.standing
	st.Runway, st.DepletesAt = "", nil

	if s.unpriced != nil || !standing.Finite || standing.Runway > longestRunway {
		return
	}

	st.Runway = minutes(standing.Runway)
	if standing.Phase.Runs() && standing.Runway > 0 && s.charging() {
		st.DepletesAt = stamp(chargedAt(s.head).Add(standing.Runway).Truncate(time.Minute))
	}
}

// defaultRetentionDays counts where the plan says nothing. The schema says the same.
const defaultRetentionDays = 30

func retentionDays(s *situation) int32 {
	if s.terms.Plan == nil || s.terms.Plan.Spec.Billing == nil || s.terms.Plan.Spec.Billing.RetentionDays == 0 {
		return defaultRetentionDays
	}

	return s.terms.Plan.Spec.Billing.RetentionDays
}

// chargedAt is until when use has been charged.
func chargedAt(h book.Head) time.Time { return time.Unix(book.WindowEnd(h.ChargedThrough), 0) }

// stamp is a time as the API keeps it; nil for none.
func stamp(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}

	return &metav1.Time{Time: t.UTC().Truncate(time.Second)}
}

// whole is an amount in whole rupiah: nobody is shown more than there is.
func whole(m money.Micro) string { return strconv.FormatInt(m.Floor(), 10) }

// wholeUp is an amount in whole rupiah: nobody is asked for less than it takes.
func wholeUp(m money.Micro) string { return strconv.FormatInt(-(-m).Floor(), 10) }

// rate is a price with at most two decimals, rounded up: the smallest containers cost less than a rupiah an hour.
func rate(m money.Micro) string {
	const cent = money.Rupiah / 100

	if rest := m % cent; rest > 0 {
		m += cent - rest
	}

	return exact(m)
}

// exact is an amount without zeros at its end.
func exact(m money.Micro) string {
	return strings.TrimSuffix(strings.TrimRight(m.String(), "0"), ".")
}

// minutes is a duration in hours and minutes, rounded down, such as 71h30m.
func minutes(d time.Duration) string {
	if d = d.Truncate(time.Minute); d == 0 {
		return "0m"
	}

	text := strings.TrimSuffix(d.String(), "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}

	return text
}

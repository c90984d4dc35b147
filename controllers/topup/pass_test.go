package topup

import (
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// passOf is a pass over a TopUp that was made an hour ago and can be paid for a day. What needs a ledger and a gateway is in
// test/billing.
func passOf(edits ...func(*pass)) *pass {
	t := &billingv1.TopUp{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "one", UID: "uid-1", CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))}}
	t.Status.Phase = billingv1.TopUpAwaitingPayment
	t.Status.OpenedAt = stamp(now.Add(-time.Hour))

	p := &pass{Controller: &Controller{gateway: fakeGateway{}}, topUp: t, id: "order-1", amount: 100_000, expires: now.Add(23 * time.Hour), now: now}
	for _, edit := range edits {
		edit(p)
	}

	return p
}

// fakeGateway is there, and not to be asked.
type fakeGateway struct{ payment.Gateway }

func checked(ago time.Duration) func(*pass) {
	return func(p *pass) { p.topUp.Status.CheckedAt = stamp(now.Add(-ago)) }
}

func credited(ago time.Duration) func(*pass) {
	return func(p *pass) {
		p.order = book.Order{ID: p.id, Credited: 100_000 * money.Rupiah, At: now.Add(-ago).Unix(), Transaction: "tx-1"}
	}
}

func TestNext(t *testing.T) {
	const never = time.Duration(-1)

	cases := map[string]struct {
		reason string
		given  []func(*pass)
		want   time.Duration
	}{
		"NeverAsked":     {"The first question was due after a minute.", nil, -59 * time.Minute},
		"Asked":          {"The next one is due six hours after the first hour.", []func(*pass){checked(0)}, 6 * time.Hour},
		"ClockWasAhead":  {"A question of next month is none, and ends none of today's.", []func(*pass){checked(-30 * 24 * time.Hour)}, -59 * time.Minute},
		"Credited":       {"Banks take back within minutes.", []func(*pass){checked(0), credited(time.Minute)}, 9 * time.Minute},
		"CreditedBefore": {"Then it is asked daily.", []func(*pass){checked(0), credited(time.Hour)}, 23 * time.Hour},
		"CreditedAhead":  {"Also of what is credited.", []func(*pass){checked(-60 * 24 * time.Hour), credited(time.Hour)}, -50 * time.Minute},
		"LongAgo":        {"And never after a month.", []func(*pass){checked(0), credited(31 * 24 * time.Hour)}, never},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			next, ok := passOf(tc.given...).next()

			got := never
			if ok {
				got = next.Sub(now)
			}
			if got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

// TestHints: a hint is over when its answer is stored, and no earlier.
func TestHints(t *testing.T) {
	key := types.NamespacedName{Namespace: "acme", Name: "one"}
	early, late := stamp(now), stamp(now.Add(time.Minute))

	cases := map[string]struct {
		reason string
		given  func(*hints)
		stored *metav1.Time
		open   bool
	}{
		"None":          {"Nobody has hinted.", func(*hints) {}, early, false},
		"NotAsked":      {"Nobody has asked.", func(h *hints) { h.add(key) }, early, true},
		"Stored":        {"The answer is in the status.", func(h *hints) { h.add(key); h.asking(key, early) }, late, false},
		"FirstStored":   {"Also the first one.", func(h *hints) { h.add(key); h.asking(key, nil) }, late, false},
		"NotStored":     {"The status could not be written.", func(h *hints) { h.add(key); h.asking(key, early) }, early, true},
		"NothingStored": {"Not even once.", func(h *hints) { h.add(key); h.asking(key, nil) }, nil, true},
		"Newer":         {"Another one came while the gateway was asked.", func(h *hints) { h.add(key); h.asking(key, early); h.add(key) }, late, true},
		"Unasked":       {"A question by the clock opens no hint.", func(h *hints) { h.asking(key, early) }, early, false},
		"Forgotten":     {"The TopUp is gone.", func(h *hints) { h.add(key); h.forget(key) }, early, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var h hints
			tc.given(&h)

			if got := h.open(key, tc.stored); got != tc.open {
				t.Errorf("%s\nopen: %t", tc.reason, got)
			}
			if !tc.open && len(h.keys) > 0 && name != "None" {
				t.Errorf("%s\nit is kept: %v", tc.reason, h.keys)
			}
		})
	}
}

// TestTroubleOfWhatIsCredited: what cannot be done for a payment that is credited makes it no less so, and delays no question.
func TestTroubleOfWhatIsCredited(t *testing.T) {
	cases := map[string]struct {
		reason string
		given  []func(*pass)
		wait   time.Duration
		after  time.Duration
	}{
		"GatewayAway":    {"The gateway is left alone for a while.", []func(*pass){checked(25 * time.Hour), credited(48 * time.Hour)}, 30 * time.Second, lookAround},
		"NoRoom":         {"A gift that has no room is tried later; banks do not wait for it.", []func(*pass){checked(0), credited(0)}, time.Hour, lookAround},
		"NoRoomTomorrow": {"It is tried before the next question.", []func(*pass){checked(0), credited(time.Hour)}, time.Hour, time.Hour},
		"NoRoomAndQuiet": {"And when there is none.", []func(*pass){checked(0), credited(31 * 24 * time.Hour)}, time.Hour, time.Hour},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := passOf(tc.given...)
			p.mirror()

			result, err := p.report(&outcome.Wait{Reason: "Trouble", Err: errors.New("boom"), After: tc.wait})
			if err != nil || result.RequeueAfter != tc.after || !conditions.IsTrue(p.topUp, conditions.Ready) {
				t.Errorf("%s\nagain after %v, %v: %+v", tc.reason, result.RequeueAfter, err, p.topUp.Status.Conditions)
			}
		})
	}
}

func TestPhaseOf(t *testing.T) {
	cases := map[string]struct {
		reason string
		order  book.Order
		want   billingv1.TopUpPhase
	}{
		"Credited":    {"Nothing went back.", book.Order{Credited: 5}, billingv1.TopUpCredited},
		"Held":        {"What is set aside has not gone back.", book.Order{Credited: 5, Held: 5}, billingv1.TopUpCredited},
		"Part":        {"A part did.", book.Order{Credited: 5, Returned: 2}, billingv1.TopUpPartiallyRefunded},
		"All":         {"All of it did.", book.Order{Credited: 5, Returned: 5}, billingv1.TopUpRefunded},
		"Reversed":    {"It was taken, not given, back.", book.Order{Credited: 5, Returned: 5, Reversed: 5}, billingv1.TopUpReversed},
		"ChargedBack": {"A chargeback is the worst of it, whatever else went back.", book.Order{Credited: 5, Returned: 5, ChargedBack: 1, Reversed: 4}, billingv1.TopUpChargedBack},
	}
	for name, tc := range cases {
		if got := phaseOf(tc.order); got != tc.want {
			t.Errorf("%s: %s\ngot %s, want %s", name, tc.reason, got, tc.want)
		}
	}
}

// TestEveryPhaseIsExplained: people are told something in each, and metrics know all.
func TestEveryPhaseIsExplained(t *testing.T) {
	for _, phase := range phases {
		if messages[phase] == "" {
			t.Errorf("nobody is told what %s means", phase)
		}
	}
	if len(messages) != len(phases) {
		t.Errorf("%d phases are explained, and there are %d", len(messages), len(phases))
	}
}

func TestOutOfBounds(t *testing.T) {
	rules := dogkerv1.TopUpRules{MinAmount: "10000", MaxAmount: "1000000"}

	cases := map[string]struct {
		reason string
		amount int64
		rules  dogkerv1.TopUpRules
		says   string
	}{
		"Least":   {"The bounds are allowed.", 10_000, rules, ""},
		"Most":    {"Both of them.", 1_000_000, rules, ""},
		"TooLow":  {"It names the field, the value and the bound.", 9_999, rules, `spec.amount: invalid value: "9999": must be at least 10000`},
		"TooHigh": {"Also above.", 1_000_001, rules, `spec.amount: invalid value: "1000001": must be at most 1000000`},
		"NoRules": {"A plan need not bound it.", 1, dogkerv1.TopUpRules{}, ""},
	}
	for name, tc := range cases {
		if got := outOfBounds(money.Micro(tc.amount)*money.Rupiah, tc.rules); !strings.HasPrefix(got, tc.says) || (got == "") != (tc.says == "") {
			t.Errorf("%s: %s\ngot %q", name, tc.reason, got)
		}
	}
}

// TestQueueHasOneOrder: of any two payments that wait, one is ahead of the other.
func TestQueueHasOneOrder(t *testing.T) {
	at := func(name string, age time.Duration, phase billingv1.TopUpPhase) *billingv1.TopUp {
		t := &billingv1.TopUp{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(now.Add(-age))}}
		t.Status.Phase = phase

		return t
	}

	line := []*billingv1.TopUp{
		at("c", 2*time.Minute, billingv1.TopUpPending), at("a", time.Minute, ""), at("b", time.Minute, billingv1.TopUpPending), at("0", 0, billingv1.TopUpPending),
	}
	for i, mine := range line {
		for j, theirs := range line {
			if p := passOf(func(p *pass) { p.topUp = mine }); i != j && p.isAhead(theirs) != (j < i) {
				t.Errorf("%s is ahead of %s: %t", theirs.Name, mine.Name, j >= i)
			}
		}
	}

	for _, phase := range phases {
		waits := phase == billingv1.TopUpPending || phase == billingv1.TopUpAwaitingPayment || phase == billingv1.TopUpChallenged
		if got := passOf(func(p *pass) { p.topUp = line[3] }).isAhead(at("x", time.Hour, phase)); got != waits {
			t.Errorf("an older one that is %s is ahead: %t", phase, got)
		}
	}
}

// TestFindings: a finding is shown until somebody has looked at exactly that.
func TestFindings(t *testing.T) {
	p := passOf()
	first := p.doubt(billingv1.ReasonUnexpectedStatus, "look", payment.Status{TransactionID: "tx-1", Transaction: "teleported\n"})
	second := p.doubt(billingv1.ReasonUnexpectedStatus, "look", payment.Status{TransactionID: "tx-2", Transaction: "teleported"})

	if first.digest == second.digest || strings.Contains(first.message, "\n") || !strings.HasSuffix(first.message, first.digest) {
		t.Fatalf("got %q and %q", first.message, second.message)
	}

	shown := func() string {
		if c := conditions.Get(p.topUp, billingv1.ConditionNeedsReview); c != nil {
			return c.Message
		}

		return ""
	}

	p.found = first
	p.showFinding()
	if shown() != first.message {
		t.Errorf("shown: %q", shown())
	}

	p.topUp.Annotations = map[string]string{billingv1.AnnotationReviewed: first.digest}
	if p.forgiveFinding(); shown() != "" {
		t.Errorf("somebody has looked at it, and it is shown: %q", shown())
	}
	if p.showFinding(); shown() != "" {
		t.Errorf("it is shown again: %q", shown())
	}

	p.found = second
	if p.showFinding(); shown() != second.message {
		t.Errorf("another one is not shown, but %q", shown())
	}
	if p.forgiveFinding(); shown() != second.message {
		t.Error("a word about another finding takes it away")
	}
}

// TestWord: what the gateway writes ends in a status that people read in terminals.
func TestWord(t *testing.T) {
	for text, want := range map[string]string{
		"settlement": "settlement", "": "", "a b\x1b[31m": "a?b?[31m", "é": "?", strings.Repeat("x", 65): strings.Repeat("x", 64),
	} {
		if got := word(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

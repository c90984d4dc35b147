package account

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/money"
)

// leave deletes the tenant, which stays for its finalizer, and then the account.
func (o *office) leave() {
	o.Helper()

	t := o.tenant()
	if len(t.Finalizers) == 0 {
		t.Finalizers = []string{v1alpha1.FinalizerTenant}
		if err := o.store.Update(o.Context(), t); err != nil {
			o.Fatal(err)
		}
	}
	if err := o.store.Delete(o.Context(), t); err != nil {
		o.Fatal(err)
	}

	o.remove()
}

func (o *office) remove() {
	o.Helper()

	if err := o.store.Delete(o.Context(), o.account()); err != nil {
		o.Fatal(err)
	}
}

func (o *office) giveUp(reason, actor string) {
	change(o, &billingv1.BillingAccount{ObjectMeta: meta("acme", "default")}, func(a *billingv1.BillingAccount) {
		a.Annotations = map[string]string{billingv1.AnnotationWriteOff: reason}
		if actor != "" {
			a.Annotations[billingv1.AnnotationWrittenOffBy] = actor
		}
	})
}

func payment(phase billingv1.TopUpPhase) *billingv1.TopUp {
	return &billingv1.TopUp{ObjectMeta: meta("acme", "november"), Status: billingv1.TopUpStatus{Phase: phase}}
}

func TestClose(t *testing.T) {
	cases := map[string]struct {
		reason  string
		objects []client.Object
		do      func(*office)
		// held is a part of what the condition says; empty when the account goes.
		held string
		// balance is what is left in the ledger.
		balance int64
	}{
		"Empty":     {"Nothing is owed to anybody.", acme(), func(o *office) { o.leave() }, "", 0},
		"PaidMoney": {"It is the tenant's.", acme(), func(o *office) { o.must(paid("o1", 100)); o.leave() }, "100 rupiah of paid money are left", 100},
		"Debt": {
			"It is the platform's.", acme(),
			func(o *office) {
				o.must(book.Adjust{ID: "1", Amount: -5 * money.Rupiah, Actor: "a", Reason: "r"})
				o.leave()
			},
			"5 rupiah are owed", -5,
		},
		"Gift": {
			"Nobody has paid for it.", acme(),
			func(o *office) {
				o.must(book.Grant{ID: "g", Lot: book.Lot{ID: "g", Left: money.Rupiah}})
				o.leave()
			}, "", 0,
		},
		"GivenUp": {"The platform has said so, and why.", acme(), func(o *office) { o.must(paid("o1", 100)); o.leave(); o.giveUp("Agreed on the phone.", "ada") }, "", 0},
		"DebtGivenUp": {"Debts are given up the same way.", acme(), func(o *office) {
			o.must(book.Adjust{ID: "1", Amount: -5 * money.Rupiah, Actor: "a", Reason: "r"})
			o.leave()
			o.giveUp("Not worth it.", "")
		}, "", 0},
		"NoReason":  {"Whoever gives money up says why.", acme(), func(o *office) { o.must(paid("o1", 100)); o.leave(); o.giveUp(" ", "") }, "if its value says why", 100},
		"BadReason": {"The ledger takes no control characters.", acme(), func(o *office) { o.must(paid("o1", 100)); o.leave(); o.giveUp("a\x01b", "") }, "must be printable text", 100},
		"Awaited":   {"A payment may still arrive.", append(acme(), payment(billingv1.TopUpAwaitingPayment)), func(o *office) { o.leave() }, "Payments may still arrive (november)", 0},
		"Unknown":   {"So may one of which nothing is known.", append(acme(), payment("")), func(o *office) { o.leave() }, "Payments may still arrive (november)", 0},
		"Over":      {"One that has ended is nobody's concern.", append(acme(), payment(billingv1.TopUpExpired)), func(o *office) { o.leave() }, "", 0},
		"AwaitedAndGivenUp": {
			"What is on its way is not given up.", append(acme(), payment(billingv1.TopUpChallenged)),
			func(o *office) { o.must(paid("o1", 100)); o.leave(); o.giveUp("Agreed.", "") }, "once nothing is on its way", 100,
		},
		"OnItsWayBack": {
			"A refund that is not finished is waited for.", acme(),
			func(o *office) {
				o.must(paid("o1", 100))
				o.books.order = book.Order{ID: "o1", Credited: 100 * money.Rupiah}
				o.must(book.RefundHold{Refund: "r1", Order: "o1", Amount: 100 * money.Rupiah})
				o.leave()
				o.giveUp("Agreed.", "")
			},
			"100 rupiah are on their way back", 100,
		},
		"StillRuns": {"What runs costs.", acme(), func(o *office) { o.runs(1, o.now); o.leave() }, "has stopped", 0},
		"Unseen":    {"What cannot be seen may run.", acme(), func(o *office) { o.blind = errUnseen; o.leave() }, "has stopped", 0},
		"JustUsed": {
			"The last minute may not have been charged.", acme(),
			func(o *office) { o.must(paid("o1", 100)).use(3 * time.Minute); o.leave() }, "until all use is charged", 100,
		},
		"Used": {
			"What was used is drawn before it is said what is left.", acme(),
			func(o *office) {
				o.must(paid("o1", 100)).use(30 * time.Minute)
				o.now = o.now.Add(lastCharge)
				o.leave()
			},
			"50 rupiah of paid money are left", 50,
		},
		"Crumbs": {
			"Payments are whole rupiah, and use is not: what is less than one holds nobody.", acme(),
			func(o *office) {
				o.must(paid("o1", 1), book.Adjust{ID: "1", Amount: -money.Rupiah + 1, Actor: "a", Reason: "r"})
				o.leave()
			},
			"", 0,
		},
		"TenantGone": {
			"Also without a tenant money is not forgotten.", acme(),
			func(o *office) {
				o.must(paid("o1", 100))
				if err := o.store.Delete(o.Context(), o.tenant()); err != nil {
					o.Fatal(err)
				}
				o.remove()
			},
			"100 rupiah of paid money are left", 100,
		},
		"NotBilled": {
			"The account of a tenant that is billed no more does not come back, so its money is settled first.", acme(),
			func(o *office) {
				o.must(paid("o1", 100))
				change(o, &v1alpha1.Plan{ObjectMeta: meta("", "prepaid")}, func(p *v1alpha1.Plan) { p.Spec.PriceListName = "" })
				o.remove()
			},
			"100 rupiah of paid money are left", 100,
		},
		"TenantLives": {"Money is in the ledger; the account is made anew.", acme(), func(o *office) { o.must(paid("o1", 100)); o.remove() }, "", 100},
		"OnHold": {
			"A hold is not got rid of that way.",
			acme(edit(func(a *billingv1.BillingAccount) { a.Spec.Hold = &billingv1.AccountHold{Reason: "Abuse"} })),
			func(o *office) { o.remove() }, "when spec.hold is taken away", 0,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, tc.objects...)
			o.settle()
			tc.do(o)
			o.settle()

			if got := o.books.state("acme").Head.Balance(); got != money.Micro(tc.balance)*money.Rupiah {
				t.Errorf("%s\nthe balance is %s", tc.reason, got)
			}

			a := o.find()
			switch {
			case tc.held == "" && a != nil:
				t.Errorf("%s\nit is held: %+v", tc.reason, a.Status.Conditions)
			case tc.held != "" && a == nil:
				t.Errorf("%s\nit has gone", tc.reason)
			case tc.held != "":
				if ready := conditions.Get(a, conditions.Ready); ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, tc.held) {
					t.Errorf("%s\nReady is %+v", tc.reason, ready)
				}
			}
		})
	}
}

// TestGiveUpIsWrittenDown: the ledger has who gave a balance up, and why.
func TestGiveUpIsWrittenDown(t *testing.T) {
	for actor, want := range map[string]string{"ada": "ada", "": actorPlatform} {
		o := newOffice(t, acme()...)
		o.must(paid("o1", 100))
		o.leave()
		o.giveUp("Agreed on the phone.", actor)
		o.settle()

		e := o.books.entries[len(o.books.entries)-1]
		if e.Type != book.TypeAdjustment || e.Actor != want || e.Reason != "Agreed on the phone." || e.BalanceAfter != 0 {
			t.Errorf("written was %+v", e)
		}
	}
}

// TestAbandoned: what a former leader makes for a tenant that is gone is closed like every other account, and what somebody
// else has made is nobody's.
func TestAbandoned(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		label  string
		paid   int64
		held   string
	}{
		"Ours":      {"It goes.", "acme", 0, ""},
		"WithMoney": {"Money is not forgotten.", "acme", 100, "100 rupiah of paid money are left"},
		"NotOurs":   {"It is left alone.", "", 0, "There is no Tenant"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, acme(edit(func(a *billingv1.BillingAccount) {
				if tc.label != "" {
					a.Labels = map[string]string{v1alpha1.LabelTenant: tc.label}
				}
			}))...)
			if tc.paid > 0 {
				o.must(paid("o1", tc.paid))
			}
			if err := o.store.Delete(o.Context(), o.tenant()); err != nil {
				t.Fatal(err)
			}
			o.settle()
			o.settle()

			a := o.find()
			switch {
			case (a == nil) != (tc.held == ""):
				t.Errorf("%s\nit is %+v", tc.reason, a)
			case a != nil && !strings.Contains(conditions.Get(a, conditions.Ready).Message, tc.held):
				t.Errorf("%s\nit says %+v", tc.reason, a.Status.Conditions)
			}
		})
	}
}

// TestNotBilledAnyMore: nothing of an account that is gone stays on a tenant that lives on without being billed.
func TestNotBilledAnyMore(t *testing.T) {
	o := newOffice(t, acme()...)
	o.settle()
	o.now = o.now.Add(time.Hour)
	o.settle()
	if o.seen().Stopped == "" {
		t.Fatal("it runs")
	}

	change(o, &v1alpha1.Plan{ObjectMeta: meta("", "prepaid")}, func(p *v1alpha1.Plan) { p.Spec.PriceListName = "" })
	o.remove()
	o.settle()

	left := o.tenant()
	if _, stopped := left.Annotations[v1alpha1.AnnotationBillingSuspend]; o.find() != nil || stopped || left.Status.Billing != nil {
		t.Errorf("left are %+v and %+v", left.Annotations, left.Status.Billing)
	}
}

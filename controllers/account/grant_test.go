package account

import (
	"testing"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

func TestMonthlyGrant(t *testing.T) {
	o := newOffice(t, acme(edit(func(p *v1alpha1.Plan) { p.Spec.Billing.MonthlyGrant = "5000" }))...)
	o.settle()

	if a := o.account(); a.Status.Promotional != "5000" || a.Status.Phase != "Low" {
		t.Errorf("given were %s, and the phase is %s", a.Status.Promotional, a.Status.Phase)
	}

	// Neither a restart nor a change of the plan gives it twice in a month.
	change(o, &v1alpha1.Plan{ObjectMeta: meta("", "prepaid")}, func(p *v1alpha1.Plan) { p.Spec.Billing.MonthlyGrant = "7000" })
	o.controller.Forget(keyOf("acme"))
	o.settle()
	if got := o.account().Status.Promotional; got != "5000" {
		t.Errorf("after a change of the plan it is %s", got)
	}

	// Months begin at midnight where the tenant is: seven hours before UTC. What is left of one does not go into the next,
	// although nothing was charged at its end.
	o.now = time.Date(2026, 11, 30, 16, 59, 0, 0, time.UTC)
	o.settle()
	if lots := o.books.state("acme").Head.Lots; len(lots) != 1 || lots[0].ID != "free:2026-11" {
		t.Errorf("before the month's end there are %+v", lots)
	}
	o.now = o.now.Add(2 * time.Hour)
	o.settle()
	if lots := o.books.state("acme").Head.Lots; len(lots) != 1 || lots[0].ID != "free:2026-12" || lots[0].Left != 7000*money.Rupiah {
		t.Errorf("after the month's end there are %+v", lots)
	}
}

// TestGrantNobodyUsed: a lot goes in the end although no charge ever comes as far as its last day.
func TestGrantNobodyUsed(t *testing.T) {
	o := newOffice(t, acme(edit(func(p *v1alpha1.Plan) { p.Spec.Billing.MonthlyGrant = "5000" }))...)
	o.settle()
	o.use(10 * time.Minute)

	terms := book.Settle{}
	o.must(terms)
	o.now = time.Date(2026, 11, 30, 17, 1, 0, 0, time.UTC)
	o.runs(1, o.now.Add(-time.Second))
	o.settle()
	if lots := o.books.state("acme").Head.Lots; len(lots) != 2 {
		t.Errorf("while something runs the old lot may still have to pay: %+v", lots)
	}

	o.tasks, o.now = nil, o.now.Add(2*time.Hour)
	o.settle()
	if lots := o.books.state("acme").Head.Lots; len(lots) != 1 || lots[0].ID != "free:2026-12" {
		t.Errorf("left are %+v", lots)
	}
}

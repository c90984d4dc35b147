package account

import (
	"errors"
	"strings"
	"testing"
	"time"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
)

func TestWhatStillRuns(t *testing.T) {
	o := newOffice(t, acme(edit(func(a *billingv1.BillingAccount) { a.Spec.Hold = &billingv1.AccountHold{Reason: "Abuse"} }))...)
	// Conditions have the time of the machine, and so has this test.
	o.now = time.Now()
	o.runs(2, o.now)
	o.settle()

	if _, has := reasons(o.account())["StillRunning"]; has {
		t.Error("containers may take a minute to stop")
	}

	o.now = o.now.Add(stopTime + 2*time.Second)
	o.settle()
	if got := reasons(o.account())["StillRunning"]; got != "True TasksRunning" || !strings.Contains(strings.Join(o.said, "\n"), "StillRunning") {
		t.Errorf("got %q, events %q", got, o.said)
	}
	if after := o.pass(); after > lookOften || len(o.said) > 0 {
		t.Errorf("it is looked at after %s, events %q", after, o.said)
	}

	o.blind = errors.New("no answer")
	o.settle()
	if got := reasons(o.account())["StillRunning"]; got == "" {
		t.Error("what cannot be seen has not stopped")
	}

	o.tasks, o.blind = nil, nil
	o.settle()
	if _, has := reasons(o.account())["StillRunning"]; has {
		t.Error("it has stopped")
	}
}

func TestWhatIsNotMetered(t *testing.T) {
	o := newOffice(t, acme()...)
	o.must(paid("o1", 10_000)).use(5 * time.Minute)
	o.runs(1, o.now.Add(-5*time.Minute))
	o.settle()
	if _, has := reasons(o.account())["NotMetered"]; has {
		t.Error("it is charged")
	}

	o.now = o.now.Add(behind + time.Minute)
	o.settle()
	if got := reasons(o.account())["NotMetered"]; got != "True MeteringBehind" {
		t.Errorf("got %q", got)
	}
	o.meters.ClockSkewed = true
	o.settle()
	if got := reasons(o.account())["NotMetered"]; got != "True ClockSkewed" {
		t.Errorf("got %q", got)
	}

	o.runs(1, o.now.Add(-time.Minute))
	o.settle()
	if got := reasons(o.account())["NotMetered"]; got != "" {
		t.Errorf("what has begun just now is not late: %q", got)
	}

	o.runs(1, o.now.Add(-time.Hour))
	change(o, &billingv1.BillingAccount{ObjectMeta: meta("acme", "default")}, func(a *billingv1.BillingAccount) {
		a.Spec.Hold = &billingv1.AccountHold{Reason: "Abuse"}
	})
	o.settle()
	if got := reasons(o.account())["NotMetered"]; got != "" {
		t.Errorf("what runs although it is stopped is not to be charged: %q", got)
	}
}

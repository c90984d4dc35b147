package account

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

var errUnseen = errors.New("the engine does not answer")

func TestTexts(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0m", 59 * time.Second: "0m", 5*time.Minute + 59*time.Second: "5m", time.Hour: "1h", 71*time.Hour + 30*time.Minute: "71h30m",
		72 * time.Hour: "72h", 10*time.Hour + 10*time.Minute: "10h10m", 20 * time.Minute: "20m",
	} {
		if got := minutes(d); got != want {
			t.Errorf("%s is shown as %q, want %q", d, got, want)
		}
	}
	for m, want := range map[money.Micro]string{
		0: "0", 1: "0.01", money.Rupiah: "1", 150 * money.Rupiah: "150", 37_500_000: "37.5", 37_500_001: "37.51", 40_000: "0.04", 100 * money.Rupiah: "100",
	} {
		if got := rate(m); got != want {
			t.Errorf("a rate of %s is shown as %q, want %q", m, got, want)
		}
	}
	if whole(-1) != "-1" || whole(999_999) != "0" || wholeUp(1) != "1" || wholeUp(0) != "0" || wholeUp(money.Rupiah) != "1" {
		t.Error("amounts are rounded the wrong way")
	}
}

// TestTurns: a burst goes at once, the rest in the order in which it came, and nobody overtakes by asking more often.
func TestTurns(t *testing.T) {
	turns := newTurns()
	now := start

	for i := range turnsAtOnce {
		if wait := turns.take(fmt.Sprint("t", i), now); wait != 0 {
			t.Errorf("tenant %d waits %s", i, wait)
		}
		turns.forget(fmt.Sprint("t", i))
	}

	first, second := turns.take("first", now), turns.take("second", now)
	if first != turnEvery || second != 2*turnEvery {
		t.Errorf("they wait %s and %s", first, second)
	}
	for range 5 {
		if again := turns.take("second", now); again != second {
			t.Errorf("who asks again waits %s", again)
		}
	}
	if wait := turns.take("second", now.Add(second)); wait != 0 {
		t.Errorf("in its turn it waits %s", wait)
	}

	// After a while everything is as it was.
	now = now.Add(time.Hour)
	for i := range turnsAtOnce {
		if wait := turns.take(fmt.Sprint("u", i), now); wait != 0 {
			t.Errorf("an hour later tenant %d waits %s", i, wait)
		}
	}
}

// TestWaitsForItsTurn: who waits is told so, and goes on in its turn.
func TestWaitsForItsTurn(t *testing.T) {
	o := newOffice(t, acme()...)
	o.settle()
	o.now = o.now.Add(time.Hour)
	o.settle()

	for i := range 2 * turnsAtOnce {
		o.controller.turns.take(fmt.Sprint("other", i), o.now)
	}
	o.must(paid("o1", 10_000))

	after := o.pass()
	if want := time.Duration(turnsAtOnce+1) * turnEvery; after != want || reasons(o.account())["Ready"] != "False Resuming" || o.seen().Stopped == "" {
		t.Errorf("it is looked at after %s, want %s; %+v", after, want, o.seen())
	}

	o.now = o.now.Add(after)
	o.settle()
	if o.seen().Stopped != "" || reasons(o.account())["Ready"] != "True Active" {
		t.Errorf("in its turn it is %+v", o.seen())
	}
	if n := testutil.ToFloat64(o.controller.metrics.resumptions); n != 1 {
		t.Errorf("%v resumptions were counted", n)
	}
}

func TestTellable(t *testing.T) {
	at := func(balance string) *v1alpha1.TenantBilling {
		return &v1alpha1.TenantBilling{Phase: "Active", Balance: balance, RatePerHour: "100", Runway: balance}
	}
	ending := at("10000")
	ending.DepletesAt = &metav1.Time{Time: start}

	cases := map[string]struct {
		reason     string
		have, want *v1alpha1.TenantBilling
		inUse      bool
		tells      bool
	}{
		"Same":       {"There is nothing new.", at("10000"), at("10000"), true, false},
		"New":        {"It was not told before.", nil, at("10000"), true, true},
		"Gone":       {"It is billed no more.", at("10000"), nil, true, true},
		"Little":     {"One percent is nobody's concern while more is used.", at("10000"), at("9900"), true, false},
		"More":       {"More is.", at("10000"), at("9899"), true, true},
		"LittleLeft": {"The less there is the more it matters.", at("50"), at("49"), true, true},
		"Quiet":      {"In the end it is exact.", at("10000"), at("9999"), false, true},
		"Phase":      {"A phase is told at once.", at("10000"), &v1alpha1.TenantBilling{Phase: "Low", Balance: "10000", RatePerHour: "100"}, true, true},
		"Depletes":   {"So is that it ends.", at("10000"), ending, true, true},
		"Damaged":    {"What cannot be read is written anew.", at("a lot"), at("10000"), true, true},
	}
	for name, tc := range cases {
		if got := tellable(tc.have, tc.want, tc.inUse); got != tc.tells {
			t.Errorf("%s: %s\ngot %t", name, tc.reason, got)
		}
	}
}

func TestMetrics(t *testing.T) {
	o := newOffice(t, acme()...)
	m := NewMetrics(o.store)
	registry := prometheus.NewRegistry()
	if err := registry.Register(m); err != nil {
		t.Fatal(err)
	}
	o.controller.metrics = m
	o.must(paid("o1", 1_000))
	o.settle()
	o.must(book.Adjust{ID: "1", Amount: -1_000 * money.Rupiah, Actor: "a", Reason: "r"})
	o.now = o.now.Add(2 * time.Hour)
	o.settle()
	o.now = o.now.Add(2 * time.Hour)
	o.settle()

	for name, want := range map[string]float64{
		`dogker_billing_suspensions_total InsufficientBalance`: 1, `dogker_billing_accounts Suspended`: 1, `dogker_billing_accounts Active`: 0,
		`dogker_billing_available_rupiah acme`: 0, `dogker_billing_runway_seconds acme`: 0, `dogker_billing_ledger_broken`: 0, `dogker_billing_still_running`: 0,
	} {
		if got := gathered(t, registry)[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// gathered are all counters and gauges, by name and the value of their label.
func gathered(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}

	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			out[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}

	return out
}

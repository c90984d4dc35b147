package solvency

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/money"
)

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// rules as a plan has them that says nothing.
func rules(changes ...func(*Rules)) Rules {
	r := Rules{
		Warnings:    []time.Duration{72 * time.Hour, 24 * time.Hour, 6 * time.Hour, time.Hour},
		GracePeriod: time.Hour, MinRunway: time.Hour,
	}
	for _, change := range changes {
		change(&r)
	}

	return r
}

// look is a moment in the life of an account that spends 100 rupiah an hour.
func look(after time.Duration, available int64, changes ...func(*Facts)) Facts {
	f := Facts{
		Now: start.Add(after), Available: money.Micro(available) * money.Rupiah, Rate: 100 * money.Rupiah, Month: "2026-11",
	}
	for _, change := range changes {
		change(&f)
	}

	return f
}

func paid(epoch uint64) func(*Facts) { return func(f *Facts) { f.Epoch = epoch } }

func TestNext(t *testing.T) {
	type step struct {
		facts Facts
		rules []func(*Rules)
		want  Phase
		say   []Notice
	}
	hold := func(r *Rules) { r.Hold = true }
	capped := func(r *Rules) { r.MonthlyCap, r.CapSuspends = 1000*money.Rupiah, true }
	spent := func(rupiah int64, month string) func(*Facts) {
		return func(f *Facts) { f.Spent, f.Month = money.Micro(rupiah)*money.Rupiah, month }
	}

	cases := map[string]struct {
		reason string
		steps  []step
	}{
		"LifeOfAnAccount": {
			reason: "Every warning once, then grace, then the end; and back by money for an hour.",
			steps: []step{
				{facts: look(0, 10_000), want: Active},
				{facts: look(time.Hour, 7200), want: Low, say: []Notice{{Kind: LowBalance, Mark: "72h"}}},
				{facts: look(2*time.Hour, 7100), want: Low},
				{facts: look(3*time.Hour, 2400), want: Low, say: []Notice{{Kind: LowBalance, Mark: "24h"}}},
				{facts: look(4*time.Hour, 600), want: Low, say: []Notice{{Kind: LowBalance, Mark: "6h"}}},
				{facts: look(5*time.Hour, 100), want: Low, say: []Notice{{Kind: LowBalance, Mark: "1h"}}},
				{facts: look(6*time.Hour, 0), want: Grace, say: []Notice{{Kind: GraceBegan}}},
				{facts: look(6*time.Hour+30*time.Minute, -50), want: Grace},
				{facts: look(7*time.Hour, -100), want: Suspended, say: []Notice{{Kind: WasSuspended, Missing: 200 * money.Rupiah}}},
				{facts: look(9*time.Hour, -100), want: Suspended},
				{facts: look(10*time.Hour, -50, paid(1)), want: Suspended, say: []Notice{{Kind: ResumeShortfall, Missing: 150 * money.Rupiah}}},
				{facts: look(11*time.Hour, -50, paid(1)), want: Suspended},
				{facts: look(12*time.Hour, 20_000, paid(2)), want: Active, say: []Notice{{Kind: WasResumed}}},
			},
		},
		"OnlyTheNearestWarning": {
			reason: "Who is told of one hour need not hear of three days as well.",
			steps: []step{
				{facts: look(0, 100), want: Low, say: []Notice{{Kind: LowBalance, Mark: "1h"}}},
				{facts: look(time.Minute, 99), want: Low},
			},
		},
		"SmallPayment": {
			reason: "A payment that lifts the balance by little rings no bell again, and one that lifts it by much does.",
			steps: []step{
				{facts: look(0, 2400), want: Low, say: []Notice{{Kind: LowBalance, Mark: "24h"}}},
				{facts: look(time.Hour, 2500, paid(1)), want: Low},
				{facts: look(2*time.Hour, 2400, paid(1)), want: Low},
				{facts: look(3*time.Hour, 3000, paid(2)), want: Low},
				{facts: look(9*time.Hour, 2400, paid(2)), want: Low, say: []Notice{{Kind: LowBalance, Mark: "24h"}}},
			},
		},
		"NothingSpent": {
			reason: "An account that runs nothing lasts for ever.",
			steps: []step{
				{facts: look(0, 1, func(f *Facts) { f.Rate = 0 }), want: Active},
			},
		},
		"NothingPaidYet": {
			reason: "Who has nothing, runs nothing and owes nothing is in no debt: a new tenant is not suspended before it begins.",
			steps: []step{
				{facts: look(0, 0, func(f *Facts) { f.Rate = 0 }), want: Active},
				{facts: look(9*time.Hour, 0, func(f *Facts) { f.Rate = 0 }), want: Active},
				{facts: look(10*time.Hour, 0), want: Grace, say: []Notice{{Kind: LowBalance, Mark: "1h"}, {Kind: GraceBegan}}},
			},
		},
		"DebtAtOnce": {
			reason: "A chargeback leaves nothing that grace could be given on.",
			steps: []step{
				{facts: look(0, 20_000), want: Active},
				{
					facts: look(time.Minute, -5000), want: Suspended,
					say: []Notice{{Kind: LowBalance, Mark: "1h"}, {Kind: WasSuspended, Missing: 5100 * money.Rupiah}},
				},
			},
		},
		"Overdraft": {
			reason: "A limit of the plan ends grace before its time.",
			steps: []step{
				{
					facts: look(0, 0), rules: []func(*Rules){func(r *Rules) { r.Overdraft = 10 * money.Rupiah }}, want: Grace,
					say: []Notice{{Kind: LowBalance, Mark: "1h"}, {Kind: GraceBegan}},
				},
				{
					facts: look(time.Minute, -11), want: Suspended,
					say: []Notice{{Kind: WasSuspended, Missing: 111 * money.Rupiah}},
				},
			},
		},
		"GraceIsFixed": {
			reason: "Who starts more in his grace does not get more of it.",
			steps: []step{
				{facts: look(0, 0), want: Grace, say: []Notice{{Kind: LowBalance, Mark: "1h"}, {Kind: GraceBegan}}},
				{
					facts: look(time.Minute, -150, func(f *Facts) { f.Rate = 1000 * money.Rupiah }), want: Suspended,
					say: []Notice{{Kind: WasSuspended, Missing: 1150 * money.Rupiah}},
				},
			},
		},
		"NoGrace": {
			reason: "A plan may give none.",
			steps: []step{
				{
					facts: look(0, 0), rules: []func(*Rules){func(r *Rules) { r.GracePeriod = 0 }}, want: Suspended,
					say: []Notice{{Kind: LowBalance, Mark: "1h"}, {Kind: WasSuspended, Missing: 100 * money.Rupiah}},
				},
			},
		},
		"PaidInGrace": {
			reason: "What still runs needs no hour of money to go on.",
			steps: []step{
				{facts: look(0, 0), want: Grace, say: []Notice{{Kind: LowBalance, Mark: "1h"}, {Kind: GraceBegan}}},
				{facts: look(time.Minute, 1, paid(1)), want: Low},
			},
		},
		"Hold": {
			reason: "Money lifts no hold; an administrator does, and then money counts.",
			steps: []step{
				{facts: look(0, 20_000), rules: []func(*Rules){hold}, want: Held, say: []Notice{{Kind: WasHeld}}},
				{facts: look(time.Hour, 90_000, paid(1)), rules: []func(*Rules){hold}, want: Held},
				{facts: look(2*time.Hour, 90_000, paid(1)), want: Active, say: []Notice{{Kind: WasResumed}}},
			},
		},
		"HoldOfADebtor": {
			reason: "Without the hold he is what he owes.",
			steps: []step{
				{facts: look(0, -1), rules: []func(*Rules){hold}, want: Held, say: []Notice{{Kind: LowBalance, Mark: "1h"}, {Kind: WasHeld}}},
				{facts: look(time.Hour, -1), want: Suspended, say: []Notice{{Kind: WasSuspended, Missing: 101 * money.Rupiah}}},
			},
		},
		"Budget": {
			reason: "The owner's own cap tells three times, stops, and is over with the month.",
			steps: []step{
				{facts: look(0, 20_000, spent(700, "2026-11")), rules: []func(*Rules){capped}, want: Active},
				{
					facts: look(1, 20_000, spent(750, "2026-11")), rules: []func(*Rules){capped}, want: Active,
					say: []Notice{{Kind: BudgetReached, Mark: "2026-11/75%"}},
				},
				{facts: look(2, 20_000, spent(751, "2026-11")), rules: []func(*Rules){capped}, want: Active},
				{
					facts: look(3, 20_000, spent(1000, "2026-11")), rules: []func(*Rules){capped}, want: BudgetCapped,
					say: []Notice{{Kind: BudgetReached, Mark: "2026-11/100%"}, {Kind: WasCapped}},
				},
				{
					facts: look(4, 20_000, spent(0, "2026-12")), rules: []func(*Rules){capped}, want: Active,
					say: []Notice{{Kind: WasResumed}},
				},
			},
		},
		"Floor": {
			reason: "A balance can be too low for its owner's taste, however long it lasts.",
			steps: []step{
				{
					facts: look(0, 19_999), rules: []func(*Rules){func(r *Rules) { r.Floor = 20_000 * money.Rupiah }}, want: Low,
					say: []Notice{{Kind: LowBalance, Mark: "floor"}},
				},
				{facts: look(1, 19_998), rules: []func(*Rules){func(r *Rules) { r.Floor = 20_000 * money.Rupiah }}, want: Low},
			},
		},
		"Closed": {
			reason: "Nothing brings it back.",
			steps: []step{
				{facts: look(0, 20_000), rules: []func(*Rules){func(r *Rules) { r.Close = true }}, want: Closed, say: []Notice{{Kind: WasClosed}}},
			},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var state State
			for i, s := range tc.steps {
				next, say := state.Next(rules(s.rules...), s.facts)
				if next.Phase != s.want {
					t.Errorf("step %d: phase %s, want %s: %s", i, next.Phase, s.want, tc.reason)
				}
				if diff := cmp.Diff(s.say, say); diff != "" {
					t.Errorf("step %d: notices, -want +got: %s\n%s", i, tc.reason, diff)
				}
				state = next
			}
		})
	}
}

// TestForgetsWarnings: an owner who wants to be warned at another time every day does not make the state grow, and what is
// said of others is kept.
func TestForgetsWarnings(t *testing.T) {
	var state State
	for minutes := range 2000 {
		r := rules(func(r *Rules) { r.Warnings = []time.Duration{100 * time.Hour, time.Duration(minutes+1) * time.Minute} })
		state, _ = state.Next(r, look(time.Duration(minutes), 0))
	}
	want := map[string]uint64{"GraceBegan/": 1, "LowBalance/100h": 1, "LowBalance/33h20m0s": 1}
	if diff := cmp.Diff(want, state.Said); diff != "" || len(state.Disarmed) > 2 {
		t.Errorf("it remembers %v\n%s", state.Disarmed, diff)
	}
}

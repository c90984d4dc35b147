package solvency

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/money"
)

// Next returns the state after the facts have been looked at, and what is to be told because of them. The state that it
// is given is left as it is.
func (s State) Next(r Rules, f Facts) (State, []Notice) {
	next := s.clone()
	if next.Phase == "" {
		next.Phase, next.Since = Active, f.Now
	}

	t := turn{State: &next, rules: r, facts: f}
	t.forget()
	to := t.phase()
	t.budget()
	if t.Phase.Runs() || to.Runs() {
		t.warn()
	}
	t.move(to)
	t.sayShortfall()

	return next, t.notices
}

func (s State) clone() State {
	s.Said, s.Disarmed, s.Caps = maps.Clone(s.Said), maps.Clone(s.Disarmed), maps.Clone(s.Caps)

	return s
}

// turn is one look at an account.
type turn struct {
	*State

	rules   Rules
	facts   Facts
	notices []Notice
}

// phase is where the account belongs now.
func (t *turn) phase() Phase {
	r, f := t.rules, t.facts

	switch {
	case r.Close:
		return Closed
	case r.Hold:
		return Held
	case t.capped():
		return BudgetCapped
	case !t.Phase.Runs():
		if Missing(r, f) > 0 {
			return Suspended
		}
	case f.Available < 0, f.Available == 0 && burn(t.facts) > 0:
		return t.inDebt()
	}

	if t.low() {
		return Low
	}

	return Active
}

// inDebt is for an account that runs, with nothing to pay for it.
func (t *turn) inDebt() Phase {
	if t.Phase != Grace {
		if t.rules.GracePeriod <= 0 || t.facts.Available < -GraceLimit(t.rules, t.facts) {
			return Suspended
		}

		return Grace
	}
	if !t.facts.Now.Before(t.GraceEnds) || t.facts.Available < -t.GraceLimit {
		return Suspended
	}

	return Grace
}

func (t *turn) capped() bool {
	r := t.rules

	return r.MonthlyCap > 0 && r.CapSuspends && t.facts.Spent >= r.MonthlyCap
}

// low is true for who is below the first warning.
func (t *turn) low() bool {
	if t.rules.Floor > 0 && t.facts.Available < t.rules.Floor {
		return true
	}
	runway, finite := Runway(t.facts)

	return finite && len(t.rules.Warnings) > 0 && runway <= slices.Max(t.rules.Warnings)
}

// move puts the account into a phase and tells what that means for its owner.
func (t *turn) move(to Phase) {
	from := t.Phase
	if from == to {
		return
	}
	if to == Grace {
		t.GraceEnds, t.GraceLimit = t.facts.Now.Add(t.rules.GracePeriod), GraceLimit(t.rules, t.facts)
	} else {
		t.GraceEnds, t.GraceLimit = time.Time{}, 0
	}
	t.Phase, t.Since = to, t.facts.Now

	switch {
	case to == Grace:
		t.say(GraceBegan, "")
	case to == Suspended:
		t.tell(Notice{Kind: WasSuspended, Missing: Missing(t.rules, t.facts)})
	case to == BudgetCapped:
		t.tell(Notice{Kind: WasCapped})
	case to == Held:
		t.tell(Notice{Kind: WasHeld})
	case to == Closed:
		t.tell(Notice{Kind: WasClosed})
	case to.Runs() && !from.Runs():
		t.tell(Notice{Kind: WasResumed})
	}
}

// warn gives the warnings that are due to an account that runs, or did until now. Only the nearest of several is given: who
// is told of one hour need not hear of three days.
func (t *turn) warn() {
	runway, finite := Runway(t.facts)

	var due []time.Duration
	for _, w := range t.rules.Warnings {
		mark := mark(w)
		switch {
		case !finite || runway > rearmed(w):
			delete(t.Disarmed, mark)
		case runway <= w && !t.Disarmed[mark] && t.Said[key(LowBalance, mark)] != t.facts.Epoch+1:
			due = append(due, w)
		}
	}
	if len(due) > 0 {
		t.say(LowBalance, mark(slices.Min(due)))
		for _, w := range due {
			t.disarm(mark(w))
			t.said(LowBalance, mark(w))
		}
	}

	switch floor := t.rules.Floor; {
	case floor <= 0:
	case t.facts.Available > floor+floor/5:
		delete(t.Disarmed, floorMark)
	case t.facts.Available < floor && !t.Disarmed[floorMark]:
		t.say(LowBalance, floorMark)
		t.disarm(floorMark)
	}
}

// forget drops what is remembered of warnings that nobody wants any more, so that an owner who thinks of another one every
// day does not make the state grow.
func (t *turn) forget() {
	wanted := map[string]bool{floorMark: t.rules.Floor > 0}
	for _, w := range t.rules.Warnings {
		wanted[mark(w)] = true
	}
	maps.DeleteFunc(t.Disarmed, func(mark string, _ bool) bool { return !wanted[mark] })
	maps.DeleteFunc(t.Said, func(key string, _ uint64) bool {
		mark, warning := strings.CutPrefix(key, string(LowBalance)+"/")
		return warning && !wanted[mark]
	})
}

// floorMark is the mark of the warning by balance.
const floorMark = "floor"

// rearmed is the runway from which on a warning can be given again: a fifth more, so that a balance that moves around it
// does not ring all day.
func rearmed(w time.Duration) time.Duration { return w + w/5 }

func mark(w time.Duration) string {
	if w%time.Hour == 0 {
		return fmt.Sprintf("%dh", w/time.Hour)
	}

	return w.String()
}

// shares of the cap that are told, in percent.
var shares = []int{75, 90, 100}

// budget tells how much of the month's cap is spent.
func (t *turn) budget() {
	if t.CapMonth != t.facts.Month {
		t.CapMonth, t.Caps = t.facts.Month, nil
	}
	if t.rules.MonthlyCap <= 0 {
		return
	}

	reached := 0
	for _, share := range shares {
		// Both sides are divided, so that nothing overflows; the cap is whole rupiah, so nothing is lost.
		if t.facts.Spent < t.rules.MonthlyCap/100*money.Micro(share) || t.Caps[share] {
			continue
		}
		if t.Caps == nil {
			t.Caps = map[int]bool{}
		}
		t.Caps[share], reached = true, share
	}
	if reached > 0 {
		t.tell(Notice{Kind: BudgetReached, Mark: fmt.Sprintf("%s/%d%%", t.CapMonth, reached)})
	}
}

// sayShortfall tells who has paid, and not enough to run again, how much is missing.
func (t *turn) sayShortfall() {
	if t.Phase != Suspended {
		return
	}
	if t.Said[key(ResumeShortfall, "")] == t.facts.Epoch+1 {
		return
	}
	t.said(ResumeShortfall, "")
	if told := slices.ContainsFunc(t.notices, func(n Notice) bool { return n.Kind == WasSuspended }); !told {
		t.tell(Notice{Kind: ResumeShortfall, Missing: Missing(t.rules, t.facts)})
	}
}

// say tells something once in an epoch.
func (t *turn) say(kind Kind, mark string) {
	if t.Said[key(kind, mark)] == t.facts.Epoch+1 {
		return
	}
	t.said(kind, mark)
	t.tell(Notice{Kind: kind, Mark: mark})
}

// said remembers the epoch, plus one: zero is for what was never said.
func (t *turn) said(kind Kind, mark string) {
	if t.Said == nil {
		t.Said = map[string]uint64{}
	}
	t.Said[key(kind, mark)] = t.facts.Epoch + 1
}

func (t *turn) disarm(mark string) {
	if t.Disarmed == nil {
		t.Disarmed = map[string]bool{}
	}
	t.Disarmed[mark] = true
}

func (t *turn) tell(n Notice) { t.notices = append(t.notices, n) }

func key(kind Kind, mark string) string { return string(kind) + "/" + mark }

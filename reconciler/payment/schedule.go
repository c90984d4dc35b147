package payment

import "time"

// Progress is what the times at which to ask for an order depend on.
type Progress struct {
	// Opened is when its page was made, Expires when the page and what was begun on it end.
	Opened, Expires time.Time
	// Credited is when it was credited; zero before.
	Credited time.Time
}

// Intervals of asking.
const (
	steadyPoll   = 6 * time.Hour
	afterExpiry  = 24 * time.Hour
	expiryMargin = time.Minute
	reversalPoll = 10 * time.Minute
	watchDays    = 30
	day          = 24 * time.Hour
)

// firstPolls are when to ask after the page was made: soon, because notifications get lost, and then less and less.
var firstPolls = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// NextPoll is the next time to ask for the status after it was asked last, or false when nothing can change any more that
// asking would find out. Asking is not optional: the gateway sends no notification of an expired page, and gives up on
// others after six hours. A notification is a reason to ask at once and changes nothing here.
//
// An order that is not paid is asked for until a day after it has expired. One that was credited is asked for after ten
// minutes, when banks have taken back what they take back, and then daily for thirty days.
func NextPoll(p Progress, last time.Time) (time.Time, bool) {
	if !p.Credited.IsZero() {
		return nextAfterCredit(p.Credited, last)
	}

	end := p.Expires.Add(afterExpiry)

	candidates := []time.Time{p.Expires.Add(expiryMargin), end}
	for _, after := range firstPolls {
		candidates = append(candidates, p.Opened.Add(after))
	}

	steady := p.Opened.Add(firstPolls[len(firstPolls)-1])
	if steps := last.Sub(steady) / steadyPoll; last.After(steady) {
		steady = steady.Add((steps + 1) * steadyPoll)
	} else {
		steady = steady.Add(steadyPoll)
	}

	return earliest(append(candidates, steady), last, end)
}

func nextAfterCredit(credited, last time.Time) (time.Time, bool) {
	days := max(1, last.Sub(credited)/day+1)
	candidates := []time.Time{credited.Add(reversalPoll), credited.Add(days * day)}

	return earliest(candidates, last, credited.Add(watchDays*day))
}

// earliest is the first of times that is after last and not after end.
func earliest(times []time.Time, last, end time.Time) (time.Time, bool) {
	var (
		first time.Time
		found bool
	)

	for _, t := range times {
		if t.After(last) && !t.After(end) && (!found || t.Before(first)) {
			first, found = t, true
		}
	}

	return first, found
}

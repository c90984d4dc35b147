package cron

import (
	"math/bits"
	"time"
)

const (
	// star is the bit by which the parser tells * from a list of everything. Of the two kinds of days it makes the other count.
	star = uint64(1) << 63
	// allHours are the bits of all hours of a day.
	allHours = uint64(1)<<24 - 1
	// horizon is as far as Next looks. Nothing is rarer than 29 February, which is left out once in a hundred years.
	horizon = 9 * 366 * 24 * time.Hour

	day = 24 * time.Hour
)

// Schedule are the ticks of an expression in a zone. Its zero value has none.
type Schedule struct {
	text                                   string
	zone                                   *time.Location
	minutes, hours, days, months, weekdays uint64
}

// Zone is the zone whose clocks count.
func (s Schedule) Zone() *time.Location { return s.zone }

// never is true when no date of the calendar is meant.
func (s Schedule) never() bool {
	if s.days&star == 0 && s.weekdays&star == 0 {
		return false // Either of them is enough, and every month has every day of the week.
	}

	longest := [...]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	first := bits.TrailingZeros64(s.days &^ star)

	for month := 1; month <= 12; month++ {
		if s.months&(1<<month) != 0 && first <= longest[month] {
			return false
		}
	}

	return true
}

// Next is the first tick after that moment; the zero time when there is none.
func (s Schedule) Next(after time.Time) time.Time {
	for p := range s.stretches(after, after.Add(horizon)) {
		if at, ok := s.first(p); ok {
			return at
		}
	}

	return time.Time{}
}

// Ticks are those of some time.
type Ticks struct {
	// Count of them; First and Last are not set when it is 0.
	Count       int64
	First, Last time.Time
}

// Due are the ticks after one moment up to and at another.
func (s Schedule) Due(after, until time.Time) Ticks {
	var t Ticks

	for p := range s.stretches(after, until) {
		n := s.count(p)
		if n == 0 {
			continue
		}

		if t.Count == 0 {
			t.First, _ = s.first(p)
		}
		t.Last = s.last(p)
		t.Count += n
	}

	return t
}

// A stretch is a time in which the clock on the wall runs like any other.
type stretch struct {
	// offset of the clock from UTC.
	offset time.Duration
	// from and to are what the clock shows at its ends, as if the clock were UTC's: whole minutes in [from, to) count.
	from, to time.Time
	// put is the moment at which the clock was put forward over something that ticks; zero when it was not.
	put time.Time
}

// stretches yields the stretches of the time after one moment up to and at another.
func (s Schedule) stretches(after, until time.Time) func(yield func(stretch) bool) {
	return func(yield func(stretch) bool) {
		if s.zone == nil || !until.After(after) {
			return
		}

		for at := after; !at.After(until); {
			start, end := at.In(s.zone).ZoneBounds()
			p := stretch{offset: offset(at, s.zone)}
			// Ticks are after the one moment; a nanosecond makes that "not before".
			p.from = onWall(later(start, after.Add(1)), p.offset)
			p.to = onWall(until.Add(1), p.offset)

			if !end.IsZero() && !end.After(until) {
				p.to = onWall(end, p.offset)
			}
			if !start.IsZero() && s.hours != allHours {
				s.lookBack(&p, start, after)
			}
			if !yield(p) || end.IsZero() {
				return
			}

			at = end
		}
	}
}

// lookBack corrects a stretch by what the clock has shown before it was put.
func (s Schedule) lookBack(p *stretch, start, after time.Time) {
	before := offset(start.Add(-1), s.zone)
	shown := onWall(start, before)

	switch {
	case before > p.offset: // Put back: what it shows again has ticked.
		p.from = later(p.from, shown)
	case before < p.offset && start.After(after): // Put forward: what it skips ticks now.
		skipped := stretch{offset: before, from: shown, to: onWall(start, p.offset)}
		if _, ok := s.first(skipped); ok {
			p.put = start
			p.from = later(p.from, onWall(start.Add(1), p.offset))
		}
	}
}

func (s Schedule) first(p stretch) (time.Time, bool) {
	if !p.put.IsZero() {
		return p.put.UTC(), true
	}

	for date := range s.dates(p.from, p.to) {
		for at := range s.times(date, p.from, p.to) {
			return at.Add(-p.offset), true
		}
	}

	return time.Time{}, false
}

// count is how many ticks a stretch has. Whole days all have the same number of them.
func (s Schedule) count(p stretch) int64 {
	var n int64
	if !p.put.IsZero() {
		n++
	}

	whole := int64(bits.OnesCount64(s.hours) * bits.OnesCount64(s.minutes))

	for date := range s.dates(p.from, p.to) {
		if !date.Before(p.from) && !date.Add(day).After(p.to) {
			n += whole

			continue
		}
		for range s.times(date, p.from, p.to) {
			n++
		}
	}

	return n
}

// last is the last tick of a stretch that has one.
func (s Schedule) last(p stretch) time.Time {
	at := p.put.UTC()

	for date := range s.datesBack(p.from, p.to) {
		found := false
		for t := range s.times(date, p.from, p.to) {
			at, found = t.Add(-p.offset), true
		}
		if found {
			break
		}
	}

	return at
}

// dates yields the days of the schedule that have a part in [from, to), from the first.
func (s Schedule) dates(from, to time.Time) func(yield func(time.Time) bool) {
	return func(yield func(time.Time) bool) {
		for d := midnight(from); d.Before(to); {
			if s.months&(1<<d.Month()) == 0 {
				d = time.Date(d.Year(), d.Month()+1, 1, 0, 0, 0, 0, time.UTC)

				continue
			}
			if s.on(d) && !yield(d) {
				return
			}

			d = d.Add(day)
		}
	}
}

// datesBack yields the same days from the last.
func (s Schedule) datesBack(from, to time.Time) func(yield func(time.Time) bool) {
	return func(yield func(time.Time) bool) {
		for d := midnight(to.Add(-1)); d.Add(day).After(from); {
			if s.months&(1<<d.Month()) == 0 {
				d = time.Date(d.Year(), d.Month(), 0, 0, 0, 0, 0, time.UTC)

				continue
			}
			if s.on(d) && !yield(d) {
				return
			}

			d = d.Add(-day)
		}
	}
}

// times yields the times of a day that lie in [from, to), from the first.
func (s Schedule) times(date, from, to time.Time) func(yield func(time.Time) bool) {
	return func(yield func(time.Time) bool) {
		for h := s.hours; h != 0; h &= h - 1 {
			hour := date.Add(time.Duration(bits.TrailingZeros64(h)) * time.Hour)
			if !hour.Add(time.Hour).After(from) {
				continue
			}
			if !hour.Before(to) {
				return
			}
			for m := s.minutes; m != 0; m &= m - 1 {
				at := hour.Add(time.Duration(bits.TrailingZeros64(m)) * time.Minute)
				if !at.Before(from) && at.Before(to) && !yield(at) {
					return
				}
			}
		}
	}
}

// on is whether a date is one of the schedule's, when its month is. Where both kinds of days are named, either is enough.
func (s Schedule) on(date time.Time) bool {
	ofMonth := s.days&(1<<date.Day()) != 0
	ofWeek := s.weekdays&(1<<date.Weekday()) != 0

	if s.days&star != 0 || s.weekdays&star != 0 {
		return ofMonth && ofWeek
	}

	return ofMonth || ofWeek
}

func offset(at time.Time, zone *time.Location) time.Duration {
	_, seconds := at.In(zone).Zone()

	return time.Duration(seconds) * time.Second
}

// onWall is what a clock shows at a moment, as if it were a moment in UTC.
func onWall(at time.Time, offset time.Duration) time.Time { return at.UTC().Add(offset) }

func midnight(wall time.Time) time.Time {
	return time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, time.UTC)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}

	return b
}

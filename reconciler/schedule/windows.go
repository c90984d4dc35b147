package schedule

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// Clock is a time of day as a clock on the wall shows it: what has passed since 00:00. 24:00 is the end of a day.
type Clock time.Duration

// ParseClock reads HH:MM, from 00:00 to 24:00.
func ParseClock(s string) (Clock, error) {
	hours, minutes, found := strings.Cut(s, ":")
	h, errHours := strconv.ParseUint(hours, 10, 8)
	m, errMinutes := strconv.ParseUint(minutes, 10, 8)

	c := Clock(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute) //nolint:gosec // at most 255
	if !found || errHours != nil || errMinutes != nil || len(hours) != 2 || len(minutes) != 2 || m > 59 || c > Clock(day) {
		return 0, fmt.Errorf("%q is not a time of day from 00:00 to 24:00", s)
	}

	return c, nil
}

// Window is a part of a day, and may go on into the next one.
type Window struct {
	// Days on which it opens; every day when there are none.
	Days []time.Weekday
	// Start is when it opens and Stop when it closes. A Stop that is not after Start is one of the next day; both equal is
	// a whole day.
	Start, Stop Clock
}

// length is how long a clock on the wall runs while the window is open.
func (w Window) length() time.Duration {
	d := time.Duration(w.Stop - w.Start)
	if d <= 0 {
		d += day
	}

	return d
}

// weekdays by the names that the API has for them.
var weekdays = map[v1alpha1.Weekday]time.Weekday{
	"Sun": time.Sunday, "Mon": time.Monday, "Tue": time.Tuesday, "Wed": time.Wednesday, "Thu": time.Thursday, "Fri": time.Friday, "Sat": time.Saturday,
}

// Of reads what is declared at a path. The error names the field, its value, and what is allowed.
func Of(s *v1alpha1.Schedule, path *field.Path) (Windows, *field.Error) {
	zone, err := Zone(s.TimeZone)
	if err != nil {
		return Windows{}, field.Invalid(path.Child("timeZone"), s.TimeZone, "must be the name of a time zone, such as Asia/Jakarta")
	}

	w := Windows{zone: zone}

	for i, declared := range s.Windows {
		at := path.Child("windows").Index(i)
		one := Window{}

		for j, name := range declared.Days {
			weekday, known := weekdays[name]
			if !known {
				return Windows{}, field.NotSupported(at.Child("days").Index(j), name, slices.Sorted(maps.Keys(weekdays)))
			}

			one.Days = append(one.Days, weekday)
		}

		if one.Start, err = ParseClock(string(declared.Start)); err != nil {
			return Windows{}, field.Invalid(at.Child("start"), declared.Start, "must be a time of day as HH:MM, from 00:00 to 24:00")
		}
		if one.Stop, err = ParseClock(string(declared.Stop)); err != nil {
			return Windows{}, field.Invalid(at.Child("stop"), declared.Stop, "must be a time of day as HH:MM, from 00:00 to 24:00")
		}

		w.windows = append(w.windows, one)
	}

	return w, nil
}

// Windows are the times at which something is to be, in one zone.
type Windows struct {
	windows []Window
	zone    *time.Location
}

// NewWindows returns the windows of a zone.
func NewWindows(zone *time.Location, windows ...Window) Windows { return Windows{windows, zone} }

// Zone is the zone whose clocks count.
func (w Windows) Zone() *time.Location { return w.zone }

// Open is whether a window is open at that moment.
func (w Windows) Open(at time.Time) bool {
	_, offset := at.In(w.zone).Zone()

	return w.openOnWall(onWall(at, offset))
}

// Change is the first moment after that one at which the answer of Open changes; the zero time when it never does.
func (w Windows) Change(after time.Time) time.Time {
	open := w.Open(after)
	// Every boundary is passed within a week, but a clock that is put forward may skip it; not for a second week.
	end := after.Add(2 * week)

	for at := after; at.Before(end); {
		// Until the clock is put forward or back it runs like any other.
		_, offset := at.In(w.zone).Zone()
		_, put := at.In(w.zone).ZoneBounds()
		next := at.Add(w.toBoundary(onWall(at, offset)))

		if !put.IsZero() && put.After(at) && !next.Before(put) {
			next = put
		}
		if w.Open(next) != open {
			return next
		}

		at = next
	}

	return time.Time{}
}

// OpenPerWeek is for how much of a week a window is open, by the clock on the wall.
func (w Windows) OpenPerWeek() time.Duration {
	var open time.Duration

	for at := time.Duration(0); at < week; {
		step := min(w.toBoundary(at), week-at)
		if w.openOnWall(at) {
			open += step
		}
		at += step
	}

	return open
}

// onWall is what a clock on the wall shows, as what has passed of its week since Sunday 00:00.
func onWall(at time.Time, offset int) time.Duration {
	wall := at.UTC().Add(time.Duration(offset) * time.Second)
	hour, minute, second := wall.Clock()

	return time.Duration(wall.Weekday())*day + time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(wall.Nanosecond())
}

func (w Windows) openOnWall(wall time.Duration) bool {
	for start, length := range w.openings() {
		if since := (wall - start + week) % week; since < length {
			return true
		}
	}

	return false
}

// toBoundary is how long the clock runs until a window opens or closes; never zero, and at most a week.
func (w Windows) toBoundary(wall time.Duration) time.Duration {
	least := week

	for start, length := range w.openings() {
		for _, boundary := range []time.Duration{start, start + length} {
			if left := ((boundary-wall)%week + week) % week; left > 0 {
				least = min(least, left)
			}
		}
	}

	return least
}

// openings yields when in the week each window opens, and for how long.
func (w Windows) openings() func(yield func(start, length time.Duration) bool) {
	return func(yield func(start, length time.Duration) bool) {
		for _, one := range w.windows {
			for weekday := time.Sunday; weekday <= time.Saturday; weekday++ {
				if !one.on(weekday) {
					continue
				}
				if !yield(time.Duration(weekday)*day+time.Duration(one.Start), one.length()) {
					return
				}
			}
		}
	}
}

func (w Window) on(weekday time.Weekday) bool {
	return len(w.Days) == 0 || slices.Contains(w.Days, weekday)
}

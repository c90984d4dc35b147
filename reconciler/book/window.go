package book

import "time"

// Use is charged in windows of a minute, numbered by Unix time. A window never lies in two hours, and never in two months
// of any calendar that is whole hours away from UTC.
const (
	// WindowSeconds is how long a window is.
	WindowSeconds = 60
	// HourSeconds is how long an hour is.
	HourSeconds = 3600

	windowsPerHour = HourSeconds / WindowSeconds
)

// WindowAt is the window that a time lies in.
func WindowAt(t time.Time) int64 { return floorDiv(t.Unix(), WindowSeconds) }

// WindowStart is when a window begins, in Unix time.
func WindowStart(window int64) int64 { return window * WindowSeconds }

// WindowEnd is when a window is over, in Unix time.
func WindowEnd(window int64) int64 { return (window + 1) * WindowSeconds }

// HourOf is the hour a window lies in, counted like windows.
func HourOf(window int64) int64 { return floorDiv(window, windowsPerHour) }

// FirstOfHour is the window that an hour begins with.
func FirstOfHour(hour int64) int64 { return hour * windowsPerHour }

// LastOfHour tells whether an hour ends with a window.
func LastOfHour(window int64) bool { return HourOf(window+1) != HourOf(window) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}

	return q
}

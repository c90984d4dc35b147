package measure

import (
	"fmt"
	"math"
)

// Unit of a figure. Values are kept in the unit itself, and printed in the size that reads well.
type Unit int

// The units.
const (
	// Seconds are printed as µs, ms or s.
	Seconds Unit = iota
	// CPUSeconds are seconds of one core.
	CPUSeconds
	// PerSecond is a rate.
	PerSecond
	// Count is a number of things.
	Count
	// MB is memory, in millions of bytes.
	MB
	// KB is memory, in thousands of bytes.
	KB
	// MBPerSecond is how many millions of bytes go by in a second.
	MBPerSecond
	// Percent of something.
	Percent
)

// Format prints a value with three digits that matter.
func (u Unit) Format(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}

	switch u {
	case Seconds:
		switch {
		case v < 1e-3 && v > -1e-3:
			return digits(v*1e6) + " µs"
		case v < 1 && v > -1:
			return digits(v*1e3) + " ms"
		default:
			return digits(v) + " s"
		}
	case CPUSeconds:
		return digits(v) + " s"
	case PerSecond:
		return digits(v) + "/s"
	case MB:
		return digits(v) + " MB"
	case KB:
		return digits(v) + " kB"
	case MBPerSecond:
		return digits(v) + " MB/s"
	case Percent:
		return digits(v) + " %"
	default:
		return digits(v)
	}
}

// digits rounds to three digits that matter, and never rounds a whole number.
func digits(v float64) string {
	size := math.Abs(v)

	switch {
	case v == math.Trunc(v), size >= 100:
		return fmt.Sprintf("%.0f", v)
	case size >= 10:
		return fmt.Sprintf("%.1f", v)
	case size >= 0.01:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.2g", v)
	}
}

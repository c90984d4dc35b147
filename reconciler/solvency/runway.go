package solvency

import (
	"math"
	"math/bits"
	"time"

	"github.com/dogker/dogker/reconciler/money"
)

// Runway is for how long the money lasts at the present rate, in whole seconds; finite is false for who spends nothing.
func Runway(f Facts) (runway time.Duration, finite bool) {
	rate := burn(f)

	switch {
	case rate <= 0:
		return 0, false
	case f.Available <= 0:
		return 0, true
	}

	const hour = 3600
	high, low := bits.Mul64(uint64(f.Available), hour)
	if high >= uint64(rate) {
		return longest, true
	}
	seconds, _ := bits.Div64(high, low, uint64(rate))
	if seconds > uint64(longest/time.Second) {
		return longest, true
	}

	return time.Duration(seconds) * time.Second, true
}

// burn is what an hour costs, at worst: what burns money may have stopped only now.
func burn(f Facts) money.Micro { return max(f.Rate, f.LastHour) }

// longest runway that is told: about 292 years.
const longest = time.Duration(math.MaxInt64)

// Cost is what so long costs at a rate per hour, rounded up. It does not exceed the largest amount there is.
func Cost(rate money.Micro, d time.Duration) money.Micro {
	if rate <= 0 || d <= 0 {
		return 0
	}

	high, low := bits.Mul64(uint64(rate), uint64(d))
	low, carry := bits.Add64(low, uint64(time.Hour)-1, 0)
	high += carry
	if high >= uint64(time.Hour) {
		return math.MaxInt64
	}
	cost, _ := bits.Div64(high, low, uint64(time.Hour))
	if cost > math.MaxInt64 {
		return math.MaxInt64
	}

	return money.Micro(cost)
}

// GraceLimit is how far an account may go into debt if its grace began now: as far as the plan says, or what the grace period
// costs.
func GraceLimit(r Rules, f Facts) money.Micro {
	if r.Overdraft > 0 {
		return r.Overdraft
	}

	return Cost(burn(f), r.GracePeriod)
}

// Missing is how much has to be paid before an account that does not run may run again: it must have money for MinRunway
// of all that it declares, and at least one rupiah.
func Missing(r Rules, f Facts) money.Micro {
	return shortOf(f.Available, max(Cost(f.Rate, r.MinRunway), money.Rupiah))
}

// Carries tells what is missing before the account may declare so much that an hour of everything costs the rate. It is
// 0 when the account can carry it, and for everything that makes the rate no greater.
func Carries(r Rules, f Facts, rate money.Micro) money.Micro {
	if rate <= f.Rate {
		return 0
	}

	return shortOf(f.Available, Cost(rate, r.MinRunway))
}

func shortOf(available, needed money.Micro) money.Micro {
	if available >= needed {
		return 0
	}
	missing, err := needed.Sub(available)
	if err != nil {
		return math.MaxInt64
	}

	return missing
}

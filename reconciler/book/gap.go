package book

import (
	"fmt"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/money"
)

// maxGaps is how many gaps one Charge may tell of.
const maxGaps = 64

// Gap is time that is not charged although something ran, or seems to have run.
type Gap struct {
	// Cause in one word, such as "CatchUpLimit".
	Cause string
	// From and To are Unix times.
	From, To int64
	// Seconds that are not charged, of all tasks and volumes together.
	Seconds int64
}

// describe says what is not charged, in full as long as there is room.
func describe(gaps []Gap) string {
	var text string
	for i, g := range gaps {
		one := fmt.Sprintf("%s: %d s between %s and %s are not charged. ", g.Cause, g.Seconds, stamp(g.From), stamp(g.To))
		if len(text)+len(one) > maxReasonBytes-32 {
			text += fmt.Sprintf("And %d more.", len(gaps)-i)
			break
		}
		text += one
	}

	return strings.TrimSpace(text)
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// Skip moves the cursor over windows of which nobody knows what was used, or that nobody may charge any more, and records
// that they were waived. Only a leader may.
type Skip struct {
	// From and Through are the windows. From is the one after the cursor.
	From, Through int64
	// Reason says why, for the tenant.
	Reason string
	// Floor for what was used before, which is settled first.
	Floor money.Micro
}

// Key implements Op.
func (s Skip) Key() string { return gapKey(s.From, s.Through) }

func gapKey(from, through int64) string { return fmt.Sprintf("gap:%d-%d", from, through) }

func (Skip) fenced() bool { return true }

func (s Skip) validate() error {
	if s.From <= 0 || s.Through < s.From {
		return invalid("windows", fmt.Sprintf("%d to %d", s.From, s.Through), "must be above zero and in order")
	}
	if s.Floor > 0 {
		return invalid("floor", s.Floor.String(), "must not be above zero")
	}

	return checkText("reason", s.Reason, maxReasonBytes, true)
}

func (s Skip) apply(d *draft) error {
	if err := d.follows(s.From, s.Through); err != nil {
		return err
	}
	if d.open() {
		if err := d.settle(s.Floor); err != nil {
			return err
		}
	}

	return d.append(Entry{Type: TypeWaiver, Key: s.Key(), From: s.From, Through: s.Through, Reason: s.Reason})
}

// Settle draws the money for what was used so far, in the middle of an hour: when an account is suspended or closed. There
// may be nothing to draw. Only a leader may.
type Settle struct {
	// Floor that it may draw paid money down to.
	Floor money.Micro
}

// Key implements Op.
func (Settle) Key() string { return "" }

func (Settle) fenced() bool { return true }

func (s Settle) validate() error {
	if s.Floor > 0 {
		return invalid("floor", s.Floor.String(), "must not be above zero")
	}

	return nil
}

func (s Settle) apply(d *draft) error {
	if !d.open() {
		return nil
	}

	return d.settle(s.Floor)
}

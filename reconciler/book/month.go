package book

import (
	"fmt"
	"time"
)

// monthLayout is how a month is written.
const monthLayout = "2006-01"

// Month is a month of a calendar that is whole hours away from UTC. No window lies in two of them.
type Month struct {
	year        int
	month       time.Month
	offsetHours int32
}

// MonthAt is the month that a Unix time lies in.
func MonthAt(unix int64, offsetHours int32) Month {
	t := time.Unix(unix, 0).In(zone(offsetHours))

	return Month{t.Year(), t.Month(), offsetHours}
}

// ParseMonth reads a month such as 2026-11.
func ParseMonth(text string, offsetHours int32) (Month, error) {
	t, err := time.Parse(monthLayout, text)
	if err != nil || t.Format(monthLayout) != text {
		return Month{}, fmt.Errorf("%.40q is no month such as 2026-11", text)
	}

	return Month{t.Year(), t.Month(), offsetHours}, nil
}

// String writes it as ParseMonth reads it.
func (m Month) String() string { return m.start().Format(monthLayout) }

// Start is the Unix time at which the month begins.
func (m Month) Start() int64 { return m.start().Unix() }

// End is the Unix time at which it is over, which is not in it.
func (m Month) End() int64 { return m.Next().Start() }

// Next is the month after it.
func (m Month) Next() Month { return m.plus(1) }

// Previous is the month before it.
func (m Month) Previous() Month { return m.plus(-1) }

func (m Month) plus(months int) Month {
	t := time.Date(m.year, m.month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)

	return Month{t.Year(), t.Month(), m.offsetHours}
}

func (m Month) start() time.Time {
	return time.Date(m.year, m.month, 1, 0, 0, 0, 0, zone(m.offsetHours))
}

func zone(offsetHours int32) *time.Location {
	return time.FixedZone("", int(offsetHours)*HourSeconds)
}

package book

import (
	"testing"
	"time"
)

func TestMonth(t *testing.T) {
	cases := map[string]struct {
		reason     string
		at         string
		offset     int32
		want       string
		start, end string
	}{
		"UTC":       {"Without an offset it is the month of UTC.", "2026-11-30T23:59:59Z", 0, "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
		"Jakarta":   {"East of UTC a month begins the evening before.", "2026-11-30T17:00:00Z", 7, "2026-12", "2026-11-30T17:00:00Z", "2026-12-31T17:00:00Z"},
		"LastHour":  {"And the hour before is the old month's.", "2026-11-30T16:59:59Z", 7, "2026-11", "2026-10-31T17:00:00Z", "2026-11-30T17:00:00Z"},
		"West":      {"West of UTC it begins later.", "2027-01-01T11:59:59Z", -12, "2026-12", "2026-12-01T12:00:00Z", "2027-01-01T12:00:00Z"},
		"February":  {"Months have different lengths.", "2028-02-29T12:00:00Z", 0, "2028-02", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		"NewYear":   {"The year goes on with it.", "2026-12-31T23:00:00Z", 1, "2027-01", "2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z"},
		"EastOfAll": {"No calendar is further east.", "2026-12-31T10:00:00Z", 14, "2027-01", "2026-12-31T10:00:00Z", "2027-01-31T10:00:00Z"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, tc.at)
			if err != nil {
				t.Fatal(err)
			}
			m := MonthAt(at.Unix(), tc.offset)
			if m.String() != tc.want || stamp(m.Start()) != tc.start || stamp(m.End()) != tc.end {
				t.Errorf("%s\ngot %s from %s to %s", tc.reason, m, stamp(m.Start()), stamp(m.End()))
			}
			if again, err := ParseMonth(m.String(), tc.offset); err != nil || again != m {
				t.Errorf("%s is read as %v, %v", m, again, err)
			}
			if m.Next().Previous() != m || m.Next().Start() != m.End() {
				t.Errorf("after %s comes %s", m, m.Next())
			}
		})
	}
}

func TestParseMonthRefuses(t *testing.T) {
	for _, text := range []string{"", "2026", "2026-13", "2026-1", "2026-00", "26-01", "2026-11-01", " 2026-11", "november"} {
		if m, err := ParseMonth(text, 0); err == nil {
			t.Errorf("%q is read as %s", text, m)
		}
	}
}

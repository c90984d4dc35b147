package payment

import (
	"fmt"
	"time"
)

// jakarta is the gateway's time zone. It has no daylight saving, and its times say no offset.
var jakarta = time.FixedZone("GMT+7", 7*60*60)

const (
	timeLayout   = "2006-01-02 15:04:05"
	offsetLayout = timeLayout + " -0700"
)

// ParseTime parses a time as the gateway writes it, which is GMT+7 unless it says otherwise. The result is in UTC.
func ParseTime(text string) (time.Time, error) {
	for _, layout := range []string{timeLayout, offsetLayout} {
		if t, err := time.ParseInLocation(layout, text, jakarta); err == nil {
			return t.UTC(), nil
		}
	}

	return time.Time{}, fmt.Errorf("parse time %s: must be YYYY-MM-DD HH:MM:SS", quoted(text))
}

// FormatTime writes a time as the gateway does in answers: in GMT+7, without saying so.
func FormatTime(t time.Time) string { return t.In(jakarta).Format(timeLayout) }

// FormatStart writes a time as the gateway wants it in requests: in GMT+7, with the offset.
func FormatStart(t time.Time) string { return t.In(jakarta).Format(offsetLayout) }

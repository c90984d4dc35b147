package compose

import (
	"fmt"
	"math"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// seconds is a duration in whole seconds within limits; a finding says when it is another than was written.
func (s *service) seconds(field string, d types.Duration, least, most int64, why string) int64 {
	whole := int64(math.Ceil(time.Duration(d).Seconds()))
	got := min(max(whole, least), most)
	switch {
	case got != whole:
		s.changed(s.path(field), time.Duration(d).String(), fmt.Sprintf("%s, so it is %d seconds", why, got), "")
	case time.Duration(got)*time.Second != time.Duration(d):
		s.changed(s.path(field), time.Duration(d).String(), fmt.Sprintf("times are whole seconds, so it is %d", got), "")
	}

	return got
}

// number is one within limits; a finding says when it is another than was written.
func (s *service) number(field string, n, least, most int64, why string) int64 {
	got := min(max(n, least), most)
	if got != n {
		s.changed(s.path(field), fmt.Sprint(n), fmt.Sprintf("%s, so it is %d", why, got), "")
	}

	return got
}

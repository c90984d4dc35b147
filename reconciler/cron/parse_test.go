package cron_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
)

func TestParseRefuses(t *testing.T) {
	cases := map[string]struct{ expression, says string }{
		"Nothing":        {"", "must be minute, hour"},
		"FourFields":     {"* * * *", "must be minute, hour"},
		"SixFields":      {"0 * * * * *", "must be minute, hour"},
		"Every":          {"@every 1h", "must be minute, hour"},
		"Reboot":         {"@reboot", "must be minute, hour"},
		"ZoneInside":     {"TZ=Asia/Jakarta 0 2 * * *", "must be minute, hour"},
		"ZoneAlone":      {"TZ=Asia/Jakarta", "must be minute, hour"},
		"Minute":         {"60 * * * *", `minute "60" must be 0 to 59`},
		"Hour":           {"0 24 * * *", `hour "24" must be 0 to 23`},
		"Day":            {"0 0 32 * *", `day of month "32" must be 1 to 31`},
		"Month":          {"0 0 * 13 *", `month "13" must be 1 to 12`},
		"Weekday":        {"0 0 * * 7", `day of week "7" must be 0 to 6`},
		"Backwards":      {"0 5-2 * * *", `hour "5-2"`},
		"NoStep":         {"*/0 * * * *", `minute "*/0"`},
		"Comma":          {"0 , * * *", `hour ","`},
		"Word":           {"0 noon * * *", `hour "noon"`},
		"Long":           {strings.Repeat("1,", 100) + "1 * * * *", "at most 128"},
		"ThirtyFebruary": {"0 0 30 2 *", "it never comes"},
		"ShortMonths":    {"0 0 31 2,4,6,9,11 *", "it never comes"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := cron.Parse(tc.expression, time.UTC)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("Parse(%q) says %v, want %q", tc.expression, err, tc.says)
			}
			if never := errors.Is(err, cron.ErrNever); never != strings.Contains(tc.says, "never") {
				t.Errorf("Parse(%q) is ErrNever: %t", tc.expression, never)
			}
		})
	}
}

// TestNeverIsRare: what is taken has a next tick.
func TestNeverIsRare(t *testing.T) {
	for _, expression := range []string{"0 0 29 2 *", "0 0 31 2 mon", "0 0 31 * *", "59 23 31 12 *", "0 0 30 2,3 *", "0 0 29 2 */6", "@yearly", "@annually", "@hourly", "@midnight", "@weekly", "? ? ? ? ?"} {
		s, err := cron.Parse(expression, time.UTC)
		if err != nil {
			t.Errorf("Parse(%q): %v", expression, err)

			continue
		}
		if next := s.Next(at(t, "2097-03-01T00:00:00Z")); next.IsZero() {
			t.Errorf("%q has no next tick", expression)
		}

		again, ok := cron.Recorded(s.String())
		if !ok || again.String() != s.String() {
			t.Errorf("%q reads %q again", s.String(), again.String())
		}
	}
}

func TestOfNamesTheField(t *testing.T) {
	path := field.NewPath("spec")

	_, scheduled, err := cron.Of(&v1alpha1.TenantJobSpec{}, path)
	if scheduled || err != nil {
		t.Errorf("without a schedule: %t, %v", scheduled, err)
	}

	_, _, err = cron.Of(&v1alpha1.TenantJobSpec{Schedule: "0 0 30 2 *"}, path)
	if err == nil || err.Field != "spec.schedule" || !strings.Contains(err.Error(), "0 0 30 2 *") {
		t.Errorf("30 February: %v", err)
	}

	_, _, err = cron.Of(&v1alpha1.TenantJobSpec{Schedule: "@daily", TimeZone: "Asia/Atlantis"}, path)
	if err == nil || err.Field != "spec.timeZone" || !strings.Contains(err.Error(), "Asia/Atlantis") {
		t.Errorf("Atlantis: %v", err)
	}

	for _, text := range []string{"", "0 2 * * *", "0 2 * * * Asia/Atlantis", "nonsense"} {
		if _, ok := cron.Recorded(text); ok {
			t.Errorf("Recorded(%q) is a schedule", text)
		}
	}
}

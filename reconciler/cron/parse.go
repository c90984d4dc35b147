package cron

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/schedule"
)

// maxLength of an expression. The parser's work grows with it.
const maxLength = 128

// ErrNever is the cause when no day of any year is meant.
var ErrNever = errors.New("it never comes: no month that is named has a day that is named")

// names that stand for five fields. @every is not among them: it has no ticks of its own, only some since somebody looked.
var names = map[string]bool{
	"@hourly": true, "@daily": true, "@midnight": true, "@weekly": true, "@monthly": true, "@yearly": true, "@annually": true,
}

// places are the fields in their order, with what is allowed there.
var places = []struct{ name, allowed string }{
	{"minute", "0 to 59"},
	{"hour", "0 to 23"},
	{"day of month", "1 to 31"},
	{"month", "1 to 12 or jan to dec"},
	{"day of week", "0 to 6, from Sunday, or sun to sat"},
}

var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// Of reads what a job declares, at the path of its spec. Its second result is true for a job with a schedule. The error names the
// field, its value, and what is allowed.
func Of(spec *v1alpha1.TenantJobSpec, path *field.Path) (Schedule, bool, *field.Error) {
	return Read(spec.Schedule, spec.TimeZone, path)
}

// Read reads an expression and the name of a zone, which are the fields schedule and timeZone at the path. Its second result is
// true when there is an expression.
func Read(expression v1alpha1.CronExpression, timeZone string, path *field.Path) (Schedule, bool, *field.Error) {
	if expression == "" {
		return Schedule{}, false, nil
	}

	zone, err := schedule.Zone(timeZone)
	if err != nil {
		return Schedule{}, true, field.Invalid(path.Child("timeZone"), timeZone, "must be the name of a time zone, such as Asia/Jakarta")
	}

	s, err := Parse(string(expression), zone)
	if err != nil {
		return Schedule{}, true, field.Invalid(path.Child("schedule"), expression, err.Error())
	}

	return s, true, nil
}

// Parse reads an expression. The error says which of its fields is wrong and what is allowed there; it does not repeat the
// expression.
func Parse(expression string, zone *time.Location) (Schedule, error) {
	fields := strings.Fields(expression)

	switch {
	case len(expression) > maxLength:
		return Schedule{}, fmt.Errorf("must be at most %d characters", maxLength)
	case len(fields) == 1 && names[fields[0]]:
	case len(fields) != len(places) || strings.ContainsAny(expression, "=@"):
		return Schedule{}, errors.New("must be minute, hour, day of month, month and day of week, such as 30 2 * * *, " +
			"or @hourly, @daily, @midnight, @weekly, @monthly, @yearly or @annually")
	}

	s, err := parse(fields)
	if err != nil {
		return Schedule{}, wrongField(fields, err)
	}

	s.text, s.zone = strings.Join(fields, " "), zone
	if s.never() {
		return Schedule{}, ErrNever
	}

	return s, nil
}

// parse reads fields that are known to be five, or one name.
func parse(fields []string) (Schedule, error) {
	parsed, err := parser.Parse(strings.Join(fields, " "))
	if err != nil {
		return Schedule{}, err
	}

	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return Schedule{}, fmt.Errorf("it is no schedule but a %T", parsed)
	}

	s := Schedule{minutes: spec.Minute &^ star, hours: spec.Hour &^ star, days: spec.Dom, months: spec.Month &^ star, weekdays: spec.Dow}
	if s.minutes == 0 || s.hours == 0 || s.days == 0 || s.months == 0 || s.weekdays == 0 {
		return Schedule{}, errors.New("a list is empty") // The parser lets a lone comma pass.
	}

	return s, nil
}

// wrongField says which field the parser does not take: the one that it does not take alone either.
func wrongField(fields []string, err error) error {
	for i := range fields {
		alone := []string{"*", "*", "*", "*", "*"}
		if len(fields) != len(alone) {
			break
		}

		alone[i] = fields[i]
		if _, cause := parse(alone); cause != nil {
			return fmt.Errorf("%s %q must be %s, as *, numbers, ranges with - and steps with /, in a list with commas", places[i].name, fields[i], places[i].allowed)
		}
	}

	return err
}

// String is the expression and the zone, by which Recorded reads the schedule again.
func (s Schedule) String() string { return s.text + " " + s.zone.String() }

// Recorded reads what String has returned. It is false for anything else.
func Recorded(text string) (Schedule, bool) {
	at := strings.LastIndexByte(text, ' ')
	if at < 0 {
		return Schedule{}, false
	}

	zone, err := schedule.Zone(text[at+1:])
	if err != nil {
		return Schedule{}, false
	}

	s, err := Parse(text[:at], zone)

	return s, err == nil
}

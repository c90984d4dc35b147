package notice

import (
	"strconv"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/billing"
)

// Language is how somebody wants to be told.
type Language struct {
	// Locale is en or id; anything else is taken for en.
	Locale string
	// Zone that times are told in; UTC when nil.
	Zone *time.Location
}

// English is the language of Events and logs.
var English = Language{Locale: "en"}

// dictionary is a language.
type dictionary struct {
	// phrases by reason, and what is said when it is over by reason and "/resolved".
	phrases map[string]phrase
	// several is the subject of a notice about several incidents, and repeat goes before one that was told before.
	several, repeat string
	// words that stand for others: names of metrics, of conditions, of statuses.
	words map[string]string
	// thousands and decimal are the signs in numbers.
	thousands, decimal string
	// hour, hours, minute, minutes are units of time.
	hour, hours, minute, minutes string
	// layout of times.
	layout string
	// frame is what stands around the words.
	frame Frame
}

// Frame is what stands around the words of a notice.
type Frame struct {
	// Since, Until, Tenant and More are names of lines; More has the number of what was left out in place of {n}.
	Since, Until, Tenant, More string
	// Why says why somebody is written to.
	Why string
}

var dictionaries = map[string]*dictionary{"en": &english, "id": &indonesian}

func (l Language) dictionary() *dictionary {
	if d := dictionaries[l.Locale]; d != nil {
		return d
	}

	return &english
}

// Frame is what stands around the words in the language.
func (l Language) Frame() Frame { return l.dictionary().frame }

// Time is a time as it is told.
func (l Language) Time(t time.Time) string {
	zone := l.Zone
	if zone == nil {
		zone = time.UTC
	}

	return t.In(zone).Format(l.dictionary().layout)
}

// word is the word of a language for a name that this program has, or the name itself.
func (l Language) word(name string) string {
	if w := l.dictionary().words[name]; w != "" {
		return w
	}

	return clean(name)
}

// money are the facts that are rupiah, moments those that are times, and named those whose values are names of ours.
var (
	money = map[string]bool{
		billing.DataAmount: true, billing.DataAvailable: true, billing.DataRate: true, billing.DataMissing: true,
		billing.DataSpent: true, billing.DataCap: true,
	}
	moments = map[string]bool{billing.DataDepletesAt: true, billing.DataGraceEnds: true}
	spans   = map[string]bool{billing.DataRunway: true}
	named   = map[string]bool{alert.FactMetric: true, alert.FactOperator: true, billing.DataPhase: true, alert.FactConditionStatus: true}
)

// fact is a fact as it is told.
func (l Language) fact(name, value string) string {
	switch {
	case value == "":
		return ""
	case money[name]:
		return l.amount(value)
	case moments[name]:
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			return l.Time(t)
		}
	case spans[name]:
		if d, err := time.ParseDuration(value); err == nil {
			return l.span(d)
		}
	case named[name]:
		return l.word(value)
	}

	return clean(value)
}

// amount sets signs into a number, and takes zeros off that say nothing. What is no number stays what it is.
func (l Language) amount(value string) string {
	d := l.dictionary()
	sign, digits := "", value
	if strings.HasPrefix(value, "-") {
		sign, digits = "-", value[1:]
	}
	whole, rest, _ := strings.Cut(digits, ".")
	if whole == "" || strings.Trim(whole+rest, "0123456789") != "" {
		return clean(value)
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + d.thousands + whole[i:]
	}
	if rest = strings.TrimRight(rest, "0"); rest != "" {
		whole += d.decimal + rest
	}

	return sign + whole
}

// span is a duration in hours and minutes, rounded down: nobody is told that there is more time than there is.
func (l Language) span(t time.Duration) string {
	d := l.dictionary()
	count := func(n int64, one, many string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.FormatInt(n, 10) + " " + many
	}
	hours, minutes := int64(t/time.Hour), int64(t%time.Hour/time.Minute)
	switch {
	case hours == 0:
		return count(minutes, d.minute, d.minutes)
	case minutes == 0:
		return count(hours, d.hour, d.hours)
	default:
		return count(hours, d.hour, d.hours) + " " + count(minutes, d.minute, d.minutes)
	}
}

package estimate

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/schedule"
)

const (
	hoursPerDay   = 24
	daysPerMonth  = 30
	week          = 7 * hoursPerDay * time.Hour
	secondsOfHour = 3600
)

// Line is what one container or Volume costs.
type Line struct {
	Name   string
	Demand billing.Demand
	// Bytes that a Volume is declared with; 0 for a container.
	Bytes int64
	// Hour is what an hour costs in which it runs, Day an ordinary day, and Month 30 of them.
	Hour, Day, Month money.Micro
	// Note says what must be known of it, if anything.
	Note string

	// open is for how much of a week it runs.
	open time.Duration
}

// Report is what all of them cost.
type Report struct {
	Prices *billingv1.PriceList
	Lines  []Line
	// Total of all together, while all run. It can be a few millionths less than the sum: what is left over is rounded up once.
	Total Line
	// Jobs is how many TenantJobs are not in it.
	Jobs int
}

// Of works out what is declared costs by a price list. A container in mode Global counts as one task on each of the nodes, and one
// with a schedule by how much of a week it runs.
func Of(prices *billingv1.PriceList, d Declared, nodes int32) (Report, error) {
	byMeter, err := billing.PricesOf(prices)
	if err != nil {
		return Report{}, err
	}
	r := Report{Prices: prices, Jobs: d.Jobs, Total: Line{Name: "Total"}}
	for _, tc := range d.Containers {
		line, err := ofContainer(byMeter, tc, nodes)
		if err != nil {
			return Report{}, fmt.Errorf("price TenantContainer %q: %w", tc.Name, err)
		}
		r.Lines = append(r.Lines, line)
	}
	for _, v := range d.Volumes {
		line := Line{Name: "vol/" + v.Name, Bytes: v.Spec.Size.Value(), open: week}
		if line.Hour, err = storageRate(byMeter, line.Bytes); err == nil {
			err = line.longer()
		}
		if err != nil {
			return Report{}, fmt.Errorf("price Volume %q: %w", v.Name, err)
		}
		r.Lines = append(r.Lines, line)
	}

	return r, r.sum(byMeter)
}

func ofContainer(prices map[money.Meter]money.Micro, tc *dogkerv1.TenantContainer, nodes int32) (Line, error) {
	if tc.Spec.Mode == dogkerv1.ModeGlobal {
		tc = tc.DeepCopy()
		tc.Status.Replicas = nodes
	}
	line := Line{Name: tc.Name, Demand: billing.DemandOf(tc), Note: noteOf(tc, nodes), open: week}
	if s := tc.Spec.Schedule; s != nil {
		windows, invalid := schedule.Of(s, field.NewPath("spec", "schedule"))
		if invalid != nil {
			return Line{}, invalid
		}
		line.open = windows.OpenPerWeek()
		if line.Note == "" {
			line.Note = fmt.Sprintf("it runs %s hours of a week", hours(line.open))
		}
	}
	var err error
	if line.Hour, err = billing.RateOf(prices, line.Demand); err != nil {
		return Line{}, err
	}

	return line, line.longer()
}

// storageRate is what an hour of volumes costs that have so many bytes together, rounded up.
func storageRate(prices map[money.Meter]money.Micro, bytes int64) (money.Micro, error) {
	charge, rest, err := money.Storage.Accrue(money.Use{Quantity: bytes, Seconds: secondsOfHour, Price: prices[money.Storage]}, 0)
	if err == nil && rest > 0 {
		charge, err = charge.Add(1)
	}

	return charge, err
}

// longer works out a day and 30 of them, of which it runs its part of the week.
func (l *Line) longer() (err error) {
	if l.Day, err = share(l.Hour, l.open, 1); err == nil {
		l.Month, err = share(l.Hour, l.open, daysPerMonth)
	}

	return err
}

// share is what so many ordinary days cost of what runs for a part of each week, rounded up.
func share(hour money.Micro, open time.Duration, days int64) (money.Micro, error) {
	if open == week {
		return hour.Times(hoursPerDay * days)
	}
	const minutesPerHour, daysPerWeek = 60, 7
	all, err := hour.Times(int64(open/time.Minute) * days)
	if err != nil {
		return 0, err
	}

	return (all + minutesPerHour*daysPerWeek - 1) / (minutesPerHour * daysPerWeek), nil
}

// sum adds everything up. What runs for the same part of the week is priced together, so that it is rounded once.
func (r *Report) sum(prices map[money.Meter]money.Micro) error {
	var (
		bytes   int64
		demands = map[time.Duration][]billing.Demand{}
		order   []time.Duration
		all     []billing.Demand
	)
	for _, l := range r.Lines {
		if l.Bytes > 0 {
			bytes += l.Bytes
			continue
		}
		if demands[l.open] == nil {
			order = append(order, l.open)
		}
		demands[l.open] = append(demands[l.open], l.Demand)
		all = append(all, l.Demand)
	}

	stored := Line{open: week}
	var err error
	if stored.Hour, err = storageRate(prices, bytes); err != nil {
		return err
	}
	parts := []Line{stored}
	for _, open := range order {
		part := Line{open: open}
		if part.Hour, err = billing.RateOf(prices, demands[open]...); err != nil {
			return err
		}
		parts = append(parts, part)
	}
	for i := range parts {
		if err := parts[i].longer(); err != nil {
			return err
		}
		if r.Total.Day, err = r.Total.Day.Add(parts[i].Day); err != nil {
			return err
		}
		if r.Total.Month, err = r.Total.Month.Add(parts[i].Month); err != nil {
			return err
		}
	}
	together, err := billing.RateOf(prices, all...)
	if err != nil {
		return err
	}
	r.Total.Hour, err = together.Add(stored.Hour)

	return err
}

func noteOf(tc *dogkerv1.TenantContainer, nodes int32) string {
	_, suspended := tc.Annotations[dogkerv1.AnnotationSuspend]
	d := billing.DemandOf(tc)
	switch {
	case suspended:
		return "it is suspended"
	case tc.Spec.Autoscaling != nil:
		return scalesNote(tc)
	case tc.Spec.RollbackTo != nil:
		return fmt.Sprintf("revision %d runs in its place, and may cost something else", *tc.Spec.RollbackTo)
	case d.NanoCPUs == 0 && d.MemoryBytes == 0:
		return "it sets nothing aside: neither requests nor limits"
	case d.NanoCPUs == 0:
		return "it sets no CPU aside"
	case d.MemoryBytes == 0:
		return "it sets no memory aside"
	case tc.Spec.Mode == dogkerv1.ModeGlobal:
		return fmt.Sprintf("one task on each of %d nodes", nodes)
	default:
		return ""
	}
}

// scalesNote says between how many tasks a container scales: the line is about those that it begins with, and what each of
// them costs is the same.
func scalesNote(tc *dogkerv1.TenantContainer) string {
	least := int32(1)
	if a := tc.Spec.Autoscaling; a.MinReplicas != nil {
		least = *a.MinReplicas
	}

	return fmt.Sprintf("it scales from %d to %d tasks", least, tc.Spec.Autoscaling.MaxReplicas)
}

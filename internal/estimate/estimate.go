package estimate

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"k8s.io/apimachinery/pkg/api/resource"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/money"
)

const (
	hoursPerDay   = 24
	hoursPerMonth = 30 * hoursPerDay
)

// Line is what one container costs.
type Line struct {
	Name   string
	Demand billing.Demand
	Hour   money.Micro
	// Note says what must be known of it, if anything.
	Note string
}

// Report is what all of them cost.
type Report struct {
	Prices *billingv1.PriceList
	Lines  []Line
	// Hour of all together. It can be a few millionths less than the sum: what is left over is rounded up once.
	Hour money.Micro
}

// Of works out what containers cost by a price list. A container in mode Global counts as one task on each of the nodes.
func Of(prices *billingv1.PriceList, containers []*dogkerv1.TenantContainer, nodes int32) (Report, error) {
	byMeter, err := billing.PricesOf(prices)
	if err != nil {
		return Report{}, err
	}
	r := Report{Prices: prices}
	var demands []billing.Demand
	for _, tc := range containers {
		if tc.Spec.Mode == dogkerv1.ModeGlobal {
			tc = tc.DeepCopy()
			tc.Status.Replicas = nodes
		}
		line := Line{Name: tc.Name, Demand: billing.DemandOf(tc), Note: noteOf(tc, nodes)}
		if line.Hour, err = billing.RateOf(byMeter, line.Demand); err != nil {
			return Report{}, fmt.Errorf("price TenantContainer %q: %w", tc.Name, err)
		}
		demands = append(demands, line.Demand)
		r.Lines = append(r.Lines, line)
	}
	if r.Hour, err = billing.RateOf(byMeter, demands...); err != nil {
		return Report{}, err
	}

	return r, nil
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

// WriteTable writes the report for people.
func (r Report) WriteTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(out, "CONTAINER\tTASKS\tCPU\tMEMORY\tRP/HOUR\tRP/DAY\tRP/30 DAYS\tNOTE")
	for _, l := range r.Lines {
		day, month, err := longer(l.Hour)
		if err != nil {
			return fmt.Errorf("container %q: %w", l.Name, err)
		}
		fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.Demand.Tasks, cpu(l.Demand), memory(l.Demand), l.Hour, day, month, l.Note)
	}
	day, month, err := longer(r.Hour)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Total\t\t\t\t%s\t%s\t%s\t\n", r.Hour, day, month)
	if err := out.Flush(); err != nil {
		return err
	}
	note := ""
	if r.Prices.Spec.TaxNote != "" {
		note = " " + r.Prices.Spec.TaxNote
	}
	_, err = fmt.Fprintf(w, "\nPrices of %q, for what each task sets aside while it runs. Volumes are not in it.%s\n", r.Prices.Name, note)

	return err
}

func longer(hour money.Micro) (day, month money.Micro, err error) {
	if day, err = hour.Times(hoursPerDay); err != nil {
		return 0, 0, err
	}
	month, err = hour.Times(hoursPerMonth)

	return day, month, err
}

// cpu and memory are what each task sets aside, as people write it.
func cpu(d billing.Demand) string {
	if d.NanoCPUs == 0 {
		return "-"
	}

	return resource.NewScaledQuantity(d.NanoCPUs, resource.Nano).String()
}

func memory(d billing.Demand) string {
	if d.MemoryBytes == 0 {
		return "-"
	}
	if d.MemoryBytes%1024 != 0 {
		return strconv.FormatInt(d.MemoryBytes, 10)
	}

	return resource.NewQuantity(d.MemoryBytes, resource.BinarySI).String()
}

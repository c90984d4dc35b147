package estimate

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// WriteTable writes the report for people.
func (r Report) WriteTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(out, "NAME\tTASKS\tCPU\tMEMORY\tSTORAGE\tRP/HOUR\tRP/DAY\tRP/30 DAYS\tNOTE")
	for _, l := range r.Lines {
		tasks := strconv.FormatInt(l.Demand.Tasks, 10)
		if l.Bytes > 0 {
			tasks = "-"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, tasks, l.cpu(), size(l.Demand.MemoryBytes), size(l.Bytes), l.Hour, l.Day, l.Month, l.Note)
	}
	fmt.Fprintf(out, "%s\t\t\t\t\t%s\t%s\t%s\t\n", r.Total.Name, r.Total.Hour, r.Total.Day, r.Total.Month)
	if err := out.Flush(); err != nil {
		return err
	}

	note := ""
	if r.Jobs > 0 {
		note = fmt.Sprintf(" TenantJobs (%d) are not in it: what they cost depends on how long they run.", r.Jobs)
	}
	if r.Prices.Spec.TaxNote != "" {
		note += " " + r.Prices.Spec.TaxNote
	}
	_, err := fmt.Fprintf(w, "\nPrices of %q, for what each task sets aside while it runs, and for the size of each Volume.%s\n", r.Prices.Name, note)

	return err
}

// cpu is what each task sets aside, as people write it.
func (l Line) cpu() string {
	if l.Demand.NanoCPUs == 0 {
		return "-"
	}

	return resource.NewScaledQuantity(l.Demand.NanoCPUs, resource.Nano).String()
}

// size is an amount of bytes, as people write it.
func size(bytes int64) string {
	if bytes == 0 {
		return "-"
	}
	if bytes%1024 != 0 {
		return strconv.FormatInt(bytes, 10)
	}

	return resource.NewQuantity(bytes, resource.BinarySI).String()
}

// hours of a duration, without needless digits.
func hours(d time.Duration) string { return strconv.FormatFloat(d.Hours(), 'f', -1, 64) }

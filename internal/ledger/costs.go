package ledger

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// notCharged stands in the place of a container for what use came to and was not charged.
const notCharged = "(not charged)"

// dayLayout is how a day is written.
const dayLayout = "2006-01-02"

// Costs are what a tenant used, by day and container. They are made by CostsOf.
type Costs struct {
	Tenant string
	// Lines in the order of day, container and kind.
	Lines []CostLine
}

// CostLine is what one container, or one volume, cost on one day.
type CostLine struct {
	Day, Kind, Name, UID string
	// ByMeter has what each meter came to.
	ByMeter map[money.Meter]money.Micro
	Total   money.Micro
}

// CostsOf adds up the use that belongs to a span of Unix time, to not included. A day begins when it does so many hours east
// of UTC. What was used between two settlements counts on the day on which it ended. The totals add up to what the tenant was
// charged: what was waived is a line of its own, below zero.
func CostsOf(tenant string, utcOffsetHours int32, items iter.Seq2[book.Item, error], from, to int64) (Costs, error) {
	zone := time.FixedZone("", int(utcOffsetHours)*book.HourSeconds)
	type key struct{ day, workload string }
	sums := map[key]map[money.Meter]money.Micro{}
	waived := map[key]money.Micro{}
	for item, err := range items {
		if err != nil {
			return Costs{}, err
		}
		at := item.Entry.Effective()
		if item.Record == nil || at < from || at >= to {
			continue
		}
		day := time.Unix(at, 0).In(zone).Format(dayLayout)
		if item.Record.Waived > 0 {
			waived[key{day, notCharged}] -= item.Record.Waived
		}
		for _, l := range item.Record.Lines {
			k := key{day, l.Workload}
			if sums[k] == nil {
				sums[k] = map[money.Meter]money.Micro{}
			}
			sums[k][l.Meter] += l.Charge
		}
	}

	out := Costs{Tenant: tenant}
	for k, byMeter := range sums {
		line := CostLine{Day: k.day, ByMeter: byMeter}
		line.Kind, line.Name, line.UID = workloadOf(k.workload)
		for _, sum := range byMeter {
			line.Total += sum
		}
		out.Lines = append(out.Lines, line)
	}
	for k, sum := range waived {
		out.Lines = append(out.Lines, CostLine{Day: k.day, Name: notCharged, Total: sum})
	}
	slices.SortFunc(out.Lines, func(a, b CostLine) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.UID, b.UID))
	})

	return out, nil
}

// WriteCosts writes what a tenant used in a span as CSV, one row for each day and container: see CostsOf.
func WriteCosts(w io.Writer, tenant string, utcOffsetHours int32, items iter.Seq2[book.Item, error], from, to int64) error {
	costs, err := CostsOf(tenant, utcOffsetHours, items, from, to)
	if err != nil {
		return err
	}

	return costs.WriteCSV(w)
}

// WriteCSV writes all lines with all decimals.
func (c Costs) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	header := []string{"day", "tenant", "kind", "name", "uid"}
	for _, m := range money.Meters() {
		header = append(header, string(m)+"_idr")
	}
	if err := out.Write(append(header, "total_idr")); err != nil {
		return fmt.Errorf("write costs: %w", err)
	}
	for _, l := range c.Lines {
		row := []string{l.Day, c.Tenant, guard(l.Kind), guard(l.Name), guard(l.UID)}
		for _, m := range money.Meters() {
			row = append(row, l.ByMeter[m].String())
		}
		if err := out.Write(append(row, l.Total.String())); err != nil {
			return fmt.Errorf("write costs: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write costs: %w", err)
	}

	return nil
}

// WriteTable writes all lines for people, with meters that cost anything, and a sum.
func (c Costs) WriteTable(w io.Writer) error {
	var meters []money.Meter
	total := CostLine{ByMeter: map[money.Meter]money.Micro{}}
	for _, l := range c.Lines {
		total.Total += l.Total
		for m, sum := range l.ByMeter {
			total.ByMeter[m] += sum
		}
	}
	for _, m := range money.Meters() {
		if total.ByMeter[m] != 0 {
			meters = append(meters, m)
		}
	}

	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	header := []string{"DAY", "KIND", "NAME"}
	for _, m := range meters {
		header = append(header, strings.ToUpper(string(m)))
	}
	fmt.Fprintln(out, strings.Join(append(header, "TOTAL"), "\t"))
	total.Day = "Total"
	for _, l := range slices.Concat(c.Lines, []CostLine{total}) {
		row := []string{l.Day, l.Kind, l.Name}
		for _, m := range meters {
			row = append(row, l.ByMeter[m].String())
		}
		fmt.Fprintln(out, strings.Join(append(row, l.Total.String()), "\t"))
	}

	return out.Flush()
}

// workloadOf takes Kind/Name/UID apart. What is named some other way is a name.
func workloadOf(workload string) (kind, name, uid string) {
	parts := strings.Split(workload, "/")
	if len(parts) != 3 {
		return "", workload, ""
	}

	return parts[0], parts[1], parts[2]
}

// ReadCosts reads what WriteCSV has written.
func ReadCosts(r io.Reader) (Costs, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return Costs{}, fmt.Errorf("read costs: %w", err)
	}
	if len(rows) == 0 {
		return Costs{}, fmt.Errorf("read costs: there is no header: %w", io.ErrUnexpectedEOF)
	}
	var c Costs
	for n, row := range rows[1:] {
		at := map[string]string{}
		for i, name := range rows[0] {
			at[name] = row[i]
		}
		line := CostLine{Day: at["day"], Kind: at["kind"], Name: at["name"], UID: at["uid"], ByMeter: map[money.Meter]money.Micro{}}
		for _, m := range money.Meters() {
			if line.ByMeter[m], err = money.Parse(at[string(m)+"_idr"]); err != nil {
				return Costs{}, fmt.Errorf("read costs: row %d: %w", n+1, err)
			}
		}
		if line.Total, err = money.Parse(at["total_idr"]); err != nil {
			return Costs{}, fmt.Errorf("read costs: row %d: %w", n+1, err)
		}
		c.Tenant, c.Lines = at["tenant"], append(c.Lines, line)
	}

	return c, nil
}

package measure

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Ours is the arm that the others are compared with.
const Ours = "Dogker"

// Goal is what a figure of ours should not exceed, or should reach.
type Goal struct {
	// Figure that the goal is about.
	Figure string
	// Against is the arm that ours is divided by; empty for a goal in the figure's own unit.
	Against string
	// AtMost is the largest value, or the largest ratio, that meets the goal.
	AtMost float64
	// AtLeast, when it is not 0, stands in its place for figures of which more is better: the smallest that meets the goal.
	AtLeast float64
}

// met tells whether a value meets the goal. What was not measured does not.
func (g Goal) met(got float64) bool {
	if g.AtLeast != 0 {
		return got >= g.AtLeast
	}

	return got <= g.AtMost
}

// bound is what the goal asks for, as a sign and in words, and how much of it.
func (g Goal) bound() (sign, words string, value float64) {
	if g.AtLeast != 0 {
		return "≥", "at least", g.AtLeast
	}

	return "≤", "at most", g.AtMost
}

// Report holds what a benchmark has found out.
type Report struct {
	// Name by which the benchmark is asked for, and Title by which people know it.
	Name, Title string
	// About says what one turn does and what was checked at its end.
	About string
	// Goals of the benchmark.
	Goals []Goal
	// Conditions say when, where and how often it was measured, a line each.
	Conditions []string

	rows []*row
}

// row is one figure of one arm, with a value for each round.
type row struct {
	figure, arm string
	unit        Unit
	values      Values
}

// Add notes a reading. Readings of one figure and arm are those of the rounds, in order.
func (r *Report) Add(arm, figure string, unit Unit, value float64) {
	if found := r.find(arm, figure); found != nil {
		found.values = append(found.values, value)
		return
	}

	added := &row{figure: figure, arm: arm, unit: unit, values: Values{value}}

	// Arms of one figure stand together, in the order in which they came.
	for i := len(r.rows) - 1; i >= 0; i-- {
		if r.rows[i].figure == figure {
			r.rows = slices.Insert(r.rows, i+1, added)
			return
		}
	}

	r.rows = append(r.rows, added)
}

// Values of a figure; nil when there are none.
func (r *Report) Values(arm, figure string) Values {
	if found := r.find(arm, figure); found != nil {
		return found.values
	}

	return nil
}

func (r *Report) find(arm, figure string) *row {
	for _, row := range r.rows {
		if row.arm == arm && row.figure == figure {
			return row
		}
	}

	return nil
}

// Missed lists the goals that were not met, in words.
func (r *Report) Missed() []string {
	var out []string
	for _, g := range r.Goals {
		if got, met := r.judge(g); !met {
			what := g.Figure
			if g.Against != "" {
				what += " ÷ " + g.Against
			}
			_, words, bound := g.bound()
			out = append(out, fmt.Sprintf("%s: %s is %s, and should be %s %s", r.Name, what, r.amount(g, got), words, r.amount(g, bound)))
		}
	}

	return out
}

// judge returns what the goal is about as it was measured, which is not a number when it was not, and whether it is met.
func (r *Report) judge(g Goal) (got float64, met bool) {
	got = r.Values(Ours, g.Figure).Median()
	if g.Against != "" {
		got = r.Values(Ours, g.Figure).Over(r.Values(g.Against, g.Figure)).Median()
	}

	return got, g.met(got)
}

func (r *Report) amount(g Goal, v float64) string {
	if found := r.find(Ours, g.Figure); found != nil && g.Against == "" {
		return found.unit.Format(v)
	}

	return ratio(v)
}

// line is a row as it is printed.
type line struct{ figure, arm, median, spread, ratio, goal string }

// lines are the rows of the table.
func (r *Report) lines() []line {
	var out []line
	last := ""

	for _, row := range r.rows {
		l := line{
			arm:    row.arm,
			median: row.unit.Format(row.values.Median()),
			spread: spread(row.values, row.unit.Format),
			ratio:  r.ratioTo(row),
			goal:   r.goalOf(row),
		}
		if row.figure != last {
			l.figure = row.figure
		}
		last = row.figure

		out = append(out, l)
	}

	return out
}

// ratioTo is ours divided by the row.
func (r *Report) ratioTo(row *row) string {
	if row.arm == Ours {
		return ""
	}

	ratios := r.Values(Ours, row.figure).Over(row.values)
	if len(ratios) == 0 {
		return ""
	}
	if len(ratios) == 1 {
		return ratio(ratios[0])
	}

	return ratio(ratios.Median()) + " (" + spread(ratios, ratio) + ")"
}

func (r *Report) goalOf(row *row) string {
	against := row.arm
	if against == Ours {
		against = ""
	}

	var out []string
	for _, g := range r.Goals {
		if g.Figure != row.figure || g.Against != against {
			continue
		}
		verdict := "missed"
		if _, met := r.judge(g); met {
			verdict = "met"
		}
		sign, _, bound := g.bound()
		out = append(out, sign+" "+r.amount(g, bound)+": "+verdict)
	}

	return strings.Join(out, ", ")
}

func spread(v Values, format func(float64) string) string {
	if len(v) < 2 {
		return ""
	}

	return format(slices.Min(v)) + " – " + format(slices.Max(v))
}

func ratio(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}

	return digits(v)
}

package usage

import "slices"

// Due is the next charge that nothing can change any more, and the account as it is when that was charged. The two belong
// into one transaction. Charges are given out hour by hour: ask again until there is none.
func (a Account) Due() (Charge, Account, bool) {
	c := Charge{Tenant: a.Tenant, After: a.Through, Gaps: a.gaps}
	limit := a.final()
	switch first, used := a.firstUse(); {
	case used && first <= limit:
		c.Through = min(limit, hourEnd(first))
		c.Windows = a.windows(first, c.Through)
	case a.Through > 0 && a.Through < hourEnd(a.Through):
		c.Through = hourEnd(a.Through)
	case len(a.gaps) > 0:
		c.Through = limit
	}
	if c.Through <= a.Through || c.Through > limit {
		return Charge{}, a, false
	}

	next := a
	next.Through, next.gaps = c.Through, nil
	end := WindowEnd(c.Through)
	next.runs = slices.DeleteFunc(slices.Clone(a.runs), func(r run) bool { return !r.open() && r.to <= end })

	return c, next, true
}

// final is the last window that nothing can change any more: a run that is open now may still turn out to have ended as
// early as NodeSilence before it was last seen.
func (a Account) final() int64 {
	horizon := a.At
	for _, r := range a.runs {
		if r.open() {
			horizon = min(horizon, r.known(a.At))
		}
	}

	return WindowAt(horizon-NodeSilence) - 1
}

// firstUse is the first window that is not closed and in which something ran.
func (a Account) firstUse() (window int64, used bool) {
	closed := WindowEnd(a.Through)
	for _, r := range a.runs {
		from := max(r.from, closed)
		if !r.open() && r.to <= from {
			continue
		}
		if w := WindowAt(from); !used || w < window {
			window, used = w, true
		}
	}

	return window, used
}

// windows lists what was used in the windows from first through last, without those in which nothing was.
func (a Account) windows(first, last int64) []Window {
	lines := make([][]Line, last-first+1)
	seconds := make([]int64, last-first+1)

	for i := 0; i < len(a.runs); {
		clear(seconds)
		group := a.runs[i]
		for ; i < len(a.runs) && a.runs[i].workload == group.workload && a.runs[i].shape == group.shape; i++ {
			a.runs[i].spread(seconds, first)
		}
		for w, n := range seconds {
			if n > 0 {
				lines[w] = appendLines(lines[w], group, n)
			}
		}
	}

	var out []Window
	for w := range lines {
		if len(lines[w]) > 0 {
			out = append(out, Window{Index: first + int64(w), Lines: merged(lines[w])})
		}
	}

	return out
}

// spread adds the seconds of a run to those of the windows that it lies in.
func (r run) spread(seconds []int64, first int64) {
	start, end := WindowStart(first), WindowStart(first+int64(len(seconds)))
	from, to := max(r.from, start), end
	if !r.open() {
		to = min(to, r.to)
	}
	for from < to {
		w := WindowAt(from)
		next := min(to, WindowEnd(w))
		seconds[w-first] += next - from
		from = next
	}
}

func appendLines(lines []Line, r run, seconds int64) []Line {
	for _, a := range r.shape.amounts() {
		if a.each > 0 {
			lines = append(lines, Line{Workload: r.workload, Meter: a.meter, Amount: a.each, Seconds: seconds})
		}
	}

	return lines
}

// merged sorts lines and adds up those that are the same but for the seconds: shapes that differ in one meter may agree in
// another.
func merged(lines []Line) []Line {
	slices.SortFunc(lines, Line.compare)
	out := lines[:0]
	for _, l := range lines {
		if n := len(out); n > 0 && out[n-1].compare(l) == 0 {
			out[n-1].Seconds += l.Seconds
		} else {
			out = append(out, l)
		}
	}

	return out
}

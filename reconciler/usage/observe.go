package usage

import "slices"

// Observe takes a sample in: it goes on with runs, ends them and begins new ones. It tells whether the account must be
// stored. An account that only grew older need not be, because the next sample shows the same runs.
func (a Account) Observe(f *Frame) (Account, bool) {
	if f.begun <= a.At {
		return a, false // It shows nothing that was not known.
	}

	w := watcher{Frame: f, prior: a.At, floor: WindowEnd(a.Through), skips: f.since(a.At), missed: map[Cause]int64{}}
	known := make(map[string]bool, len(a.runs))
	runs := make([]run, 0, len(a.runs))
	for _, r := range a.runs {
		if r.open() {
			known[r.id] = true
			runs = w.follow(runs, r)
		} else {
			runs = append(runs, r)
		}
	}
	for _, s := range f.tenants[a.Tenant] {
		if !known[s.id] {
			runs = w.begin(runs, s)
		}
	}

	next := a
	next.At = f.begun
	next.gaps = w.gaps(a.gaps)
	if !w.changed {
		return next, false
	}
	next.runs = runs
	next.settle()

	return next, true
}

// since lists the skips of an account whose last sample was at prior.
func (f *Frame) since(prior int64) []Skip {
	limit := prior + f.catchUp
	if prior == 0 || f.catchUp == 0 || limit >= f.begun {
		return f.skips
	}

	return append(slices.Clone(f.skips), Skip{Cause: CauseCatchUp, From: limit, To: f.begun})
}

// watcher applies the rules to one account.
type watcher struct {
	*Frame
	// prior is the sample before; 0 when there was none. floor is the end of what is closed.
	prior, floor int64
	skips        []Skip
	missed       map[Cause]int64
	changed      bool
}

// follow appends what has become of an open run.
func (w *watcher) follow(runs []run, r run) []run {
	sure := r.known(w.prior)
	s, found := w.subjects[r.id]
	if !found {
		s = &subject{}
	}

	doubt := s.phase == doubtful || s.phase == running && w.fresh(r.node)
	switch {
	case s.phase == running && s.shape != r.shape:
		return w.reshape(runs, r, s, sure)
	case s.phase == running && !doubt:
		w.changed = w.changed || r.sure != 0
		r.sure = 0

		return w.cut(runs, r)
	case doubt && len(w.skips) == 0:
		w.changed = w.changed || r.sure == 0
		r.sure = sure

		return append(runs, r)
	default:
		w.changed = true
		r.to, r.sure = w.end(r, s, sure), 0
		if r.to <= r.from {
			return runs
		}

		return w.cut(runs, r)
	}
}

// end is when a run ended that does not go on, and was known to run until then.
func (w *watcher) end(r run, s *subject, sure int64) int64 {
	least := sure - NodeSilence
	switch {
	// The managers take a silent node for ready for a while, so it may have been away at the last sample already.
	case !w.steady(r.node, least):
		return least
	// The engine tells late: a task may have ended before it was last seen RUNNING.
	case s.phase == over && s.ended >= least && s.ended <= w.done && !w.set():
		return s.ended
	default:
		return sure
	}
}

// set tells whether our clock was set since the last sample, so that it cannot be compared with what others wrote meanwhile.
func (w *watcher) set() bool { return len(w.Frame.skips) > 0 }

// reshape ends a run and begins another one because what it is charged for has another size. When in between that happened
// nobody knows, so the smaller size counts for the time.
func (w *watcher) reshape(runs []run, r run, s *subject, sure int64) []run {
	w.changed = true
	at := w.begun
	if s.shape.StorageBytes < r.shape.StorageBytes {
		at = sure
	}
	next := r
	next.shape, next.from, next.sure = s.shape, max(at, r.from), 0
	r.to, r.sure = max(at, r.from), 0
	if r.to > r.from {
		runs = w.cut(runs, r)
	}

	return w.cut(runs, next)
}

// begin appends a run that was not known.
func (w *watcher) begin(runs []run, s *subject) []run {
	w.changed = true
	from := w.done
	if w.prior != 0 && s.began > w.prior && s.began <= w.done && !w.set() {
		from = s.began
	}

	return w.cut(runs, run{id: s.id, node: s.node, workload: s.workload, shape: s.shape, from: max(from, w.floor)})
}

// cut appends what is left of a run without the time that is skipped.
func (w *watcher) cut(runs []run, r run) []run {
	for _, skip := range w.skips {
		if skip.To <= skip.From {
			w.missBackward(skip, r)
			continue
		}
		from, to := max(r.from, skip.From), skip.To
		if !r.open() {
			to = min(to, r.to)
		}
		if from >= to {
			continue
		}

		w.changed = true
		w.missed[skip.Cause] += to - from
		if before := r; from > r.from {
			before.to, before.sure = from, 0
			runs = append(runs, before)
		}
		r.from = to
	}
	if !r.open() && r.to <= r.from {
		return runs
	}

	return append(runs, r)
}

// missBackward counts time that passed while the clock showed what it had shown before. Only what ran before and after is
// known to have run meanwhile.
func (w *watcher) missBackward(skip Skip, r run) {
	if r.open() && r.from <= w.prior {
		w.missed[skip.Cause] += skip.Seconds
	}
}

// gaps adds what was missed to the gaps that have not been told yet.
func (w *watcher) gaps(before []Gap) []Gap {
	after := before
	for _, skip := range w.skips {
		missed := w.missed[skip.Cause]
		if missed == 0 {
			continue
		}
		delete(w.missed, skip.Cause)
		w.changed = true
		after = append(slices.Clip(after), Gap{Cause: skip.Cause, From: skip.From, To: skip.To, Seconds: missed})
	}

	return after
}

package usage

import (
	"cmp"
	"slices"
)

// Account is what metering knows of one tenant. It is a value: its methods return another one and change nothing.
type Account struct {
	// Tenant whose account it is.
	Tenant string
	// Through is the last window that is closed; 0 before anything ever ran.
	Through int64
	// At is the last sample that was taken in, in Unix time; 0 when there was none.
	At int64

	runs []run
	gaps []Gap
}

// NewAccount is that of a tenant for whom nothing ran at the last sample, which was taken at that time.
func NewAccount(tenant string, at int64) Account { return Account{Tenant: tenant, At: at} }

// run is a task or volume while it is charged.
type run struct {
	id, node string
	workload Workload
	shape    Shape
	// from is its first second, to the one after its last; 0 while it goes on.
	from, to int64
	// sure is until when it is known to have run while that is in doubt; 0 when it is not, and the last sample says so.
	sure int64
}

func (r run) open() bool { return r.to == 0 }

// compare brings runs of one line together.
func (r run) compare(o run) int {
	return cmp.Or(
		r.workload.compare(o.workload), r.shape.compare(o.shape), cmp.Compare(r.id, o.id), cmp.Compare(r.from, o.from),
	)
}

// known is until when an open run is known to have run, given when the account was brought up to date.
func (r run) known(at int64) int64 {
	if r.sure != 0 {
		return r.sure
	}

	return at
}

// Open counts the runs that go on.
func (a Account) Open() int {
	n := 0
	for _, r := range a.runs {
		if r.open() {
			n++
		}
	}

	return n
}

// Waiting tells whether there is something that was not given out yet.
func (a Account) Waiting() bool { return len(a.runs) > 0 || len(a.gaps) > 0 }

// Follow returns the account as it is when a mark says that nothing changed until a later sample.
func (a Account) Follow(at int64) Account {
	a.At = max(a.At, at)

	return a
}

// settle puts runs in order. The cursor of an account that never had one starts right before the first of them.
func (a *Account) settle() {
	slices.SortFunc(a.runs, run.compare)
	if a.Through != 0 || len(a.runs) == 0 {
		return
	}
	first := slices.MinFunc(a.runs, func(x, y run) int { return cmp.Compare(x.from, y.from) })
	a.Through = WindowAt(first.from) - 1
}

// Oldest is when the oldest window begins that is not closed and has use in it.
func (a Account) Oldest() (unix int64, ok bool) {
	window, used := a.firstUse()

	return WindowStart(window), used
}

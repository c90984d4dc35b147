package volumework

import (
	"cmp"
	"maps"
	"slices"

	"github.com/dogker/dogker/reconciler/volumejob"
)

// need is what a job takes while it runs.
type need struct {
	// rank is what begins first, from 0.
	rank int
	// tenant whose turn it takes; empty where none is known.
	tenant string
	// free jobs take nothing: containers are frozen until they are done.
	free bool
	// background jobs are snapshots, and hooks those that run commands in containers.
	background, hooks bool
	// readers and writers are nodes.
	readers, writers []string
}

func needOf(o *volumejob.Order) need {
	n := needOfKind(o)
	n.tenant = o.Namespace
	n.hooks = o.Kind == volumejob.Save && (o.Quiet.Pre != nil || o.Quiet.Post != nil)

	return n
}

func needOfKind(o *volumejob.Order) need {
	switch o.Kind {
	case volumejob.Copy:
		return need{readers: []string{o.Source.Node}, writers: []string{o.Target.Node}}
	case volumejob.Verify:
		return need{readers: []string{o.Source.Node, o.Target.Node}}
	case volumejob.Restore:
		return need{rank: 1, writers: []string{o.Target.Node}}
	case volumejob.Remove:
		return need{rank: 1, readers: []string{o.Source.Node}}
	case volumejob.Save:
		return need{rank: 2, background: true, readers: []string{o.Source.Node}}
	case volumejob.Check, volumejob.Erase:
		return need{rank: 2, background: true}
	default: // Thaw; and what is no kind fails at once.
		return need{free: true}
	}
}

// load is what all jobs that run take.
type load struct {
	all, background                     int
	readers, backgroundReaders, writers map[string]int
	// tenants are how many run for each.
	tenants map[string]int
	// away are how many have lent what they take, because of a hook that lasts, and awayOf how many of each tenant.
	away   int
	awayOf map[string]int
}

func newLoad() load {
	return load{readers: map[string]int{}, backgroundReaders: map[string]int{}, writers: map[string]int{}, tenants: map[string]int{}, awayOf: map[string]int{}}
}

func (l *load) take(n *need) { l.add(n, 1) }
func (l *load) free(n *need) { l.add(n, -1) }

// lend counts a job as away, or with -1 as back. What it takes is not touched.
func (l *load) lend(n *need, d int) {
	l.away += d
	count(l.awayOf, n.tenant, d)
}

func (l *load) add(n *need, d int) {
	if n.free {
		return
	}
	l.all += d
	count(l.tenants, n.tenant, d)
	if n.background {
		l.background += d
	}
	l.claim(n, d)
}

// claim takes nodes only.
func (l *load) claim(n *need, d int) {
	for _, id := range n.readers {
		count(l.readers, id, d)
		if n.background {
			count(l.backgroundReaders, id, d)
		}
	}
	for _, id := range n.writers {
		count(l.writers, id, d)
	}
}

func count(m map[string]int, id string, d int) {
	if m[id] += d; m[id] == 0 {
		delete(m, id)
	}
}

// fits tells whether a job can begin.
func (l *load) fits(n *need, at Limits) bool {
	if n.free {
		return true
	}
	if l.all >= at.All || n.background && l.background >= at.Background {
		return false
	}
	for _, id := range n.readers {
		if l.readers[id] >= at.Readers || n.background && l.backgroundReaders[id] >= at.BackgroundReaders {
			return false
		}
	}
	for _, id := range n.writers {
		if l.writers[id] >= at.Writers {
			return false
		}
	}

	return true
}

// held tells whether a job may not begin because of hooks that last: its own might, too.
func (l *load) held(n *need, at Limits) bool {
	return n.hooks && (l.away >= at.Away || l.awayOf[n.tenant] >= at.TenantAway)
}

func (l *load) clone() load {
	c := newLoad()
	c.all, c.background, c.away = l.all, l.background, l.away
	for _, p := range [][2]map[string]int{{c.readers, l.readers}, {c.backgroundReaders, l.backgroundReaders}, {c.writers, l.writers}, {c.tenants, l.tenants}, {c.awayOf, l.awayOf}} {
		maps.Copy(p[0], p[1])
	}

	return c
}

// inTurn are those that wait as they are to begin: by rank, and within it by turns of tenants, so that a hundred snapshots of one
// tenant do not hold up the one of another. What runs counts as turns that were had. Those of one tenant stay in their order.
func (l *load) inTurn(waiting []*job) []*job {
	type turn struct {
		*job
		n int
	}
	type queue struct {
		rank   int
		tenant string
	}
	had := map[queue]int{}
	turns := make([]turn, 0, len(waiting))
	for _, j := range waiting {
		q := queue{j.need.rank, j.need.tenant}
		turns = append(turns, turn{j, l.tenants[j.need.tenant] + had[q]})
		had[q]++
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Or(cmp.Compare(a.need.rank, b.need.rank), cmp.Compare(a.n, b.n)) })

	out := make([]*job, 0, len(turns))
	for _, t := range turns {
		out = append(out, t.job)
	}

	return out
}

// choose are the jobs that begin now, of those that wait in their order. One that does not fit keeps its nodes for itself, so that it
// is not overtaken for ever.
func (l *load) choose(waiting []*job, at Limits) []*job {
	if len(waiting) == 0 {
		return nil
	}
	var out []*job
	then := l.clone()
	for _, j := range l.inTurn(waiting) {
		switch {
		case then.held(&j.need, at):
			// It waits for commands in containers, and not for a node.
		case then.fits(&j.need, at):
			then.take(&j.need)
			out = append(out, j)
		default:
			then.claim(&j.need, 1)
		}
	}

	return out
}

package volumework

import (
	"maps"
	"slices"

	"github.com/dogker/dogker/reconciler/volumejob"
)

// need is what a job takes while it runs.
type need struct {
	// rank is what begins first, from 0.
	rank int
	// free jobs take nothing: containers are frozen until they are done.
	free bool
	// background jobs are snapshots.
	background bool
	// readers and writers are nodes.
	readers, writers []string
}

func needOf(o *volumejob.Order) need {
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
}

func newLoad() load {
	return load{readers: map[string]int{}, backgroundReaders: map[string]int{}, writers: map[string]int{}}
}

func (l *load) take(n *need) { l.add(n, 1) }
func (l *load) free(n *need) { l.add(n, -1) }

func (l *load) add(n *need, d int) {
	if n.free {
		return
	}
	l.all += d
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

// at tells whether a job runs at a node.
func (l *load) at(id string) bool { return l.readers[id] > 0 || l.writers[id] > 0 }

func (l *load) clone() load {
	c := newLoad()
	c.all, c.background = l.all, l.background
	for _, p := range [][2]map[string]int{{c.readers, l.readers}, {c.backgroundReaders, l.backgroundReaders}, {c.writers, l.writers}} {
		maps.Copy(p[0], p[1])
	}

	return c
}

// choose are the jobs that begin now, of those that wait in their order. One that does not fit keeps its nodes for itself, so that it
// is not overtaken for ever.
func (l *load) choose(waiting []*job, at Limits) []*job {
	if len(waiting) == 0 {
		return nil
	}
	ranked := slices.Clone(waiting)
	slices.SortStableFunc(ranked, func(a, b *job) int { return a.need.rank - b.need.rank })

	var out []*job
	then := l.clone()
	for _, j := range ranked {
		if then.fits(&j.need, at) {
			then.take(&j.need)
			out = append(out, j)
		} else {
			then.claim(&j.need, 1)
		}
	}

	return out
}

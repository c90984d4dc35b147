package telemetry

import (
	"iter"
	"slices"
	"time"
)

const (
	// fine is for how long every sample is kept. Of what is older, one of each coarse is.
	fine   = 15 * time.Minute
	coarse = time.Minute
	// chunkRows is how many rows are in a chunk at most: those of fine, when one comes at each Interval.
	chunkRows = int(fine / Interval)
)

// chunk is rows that were written one after the other. It is thinned and dropped as a whole.
type chunk struct {
	data        []byte
	rows        int
	first, last int64 // Times of the first and the last row.
	thin        bool
}

// append writes a row behind the last one, which is before.
func (c *chunk) append(r, before *row) {
	if c.rows == 0 {
		before, c.first = &row{}, r[colAt]
	}
	c.data = encode(c.data, r, before)
	c.last = r[colAt]
	c.rows++
}

// all are the rows of the chunk. The one that is given out is good until the next.
func (c *chunk) all() iter.Seq[*row] {
	return func(yield func(*row) bool) {
		var r row
		for data := c.data; len(data) > 0; {
			if data = decode(data, &r); !yield(&r) {
				return
			}
		}
	}
}

// thinned keeps one row of each minute: that in which the working set was largest, so that no peak of it is lost. It is a
// row as it was seen, with its own time, and counters only grow: differences of such rows are as true as any.
func (c *chunk) thinned() chunk {
	thin := chunk{thin: true}
	var best, before row
	have := false

	flush := func() {
		thin.append(&best, &before)
		before = best
	}
	for r := range c.all() {
		switch {
		case have && r[colAt]/coarse.Microseconds() != best[colAt]/coarse.Microseconds():
			flush()
			best = *r
		case !have || uint64(r[colWorkingSet]) >= uint64(best[colWorkingSet]): //nolint:gosec // The bits that were put in.
			best = *r
		}
		have = true
	}
	if have {
		flush()
	}
	thin.data = slices.Clip(slices.Clone(thin.data))

	return thin
}

// series is what is known of one task.
type series struct {
	task, service, node string
	// subject is the zero Subject until it is known.
	subject Subject

	// container and started tell one life of the container from the next. Nothing of an earlier one is kept.
	container string
	started   time.Time // By the clock of the node, as it comes.

	chunks []chunk // Oldest first.
	last   row
	// owed is what was used before it was known by whom.
	owed Totals
}

// isUnknown tells that nobody knows yet whose task it is, nor that it is where it is told of.
func (s *series) isUnknown() bool { return s.subject.Task == "" }

// same tells whether a sample is of the life of the container that the series is about.
func (s *series) same(sample *Sample) bool {
	return s.container == sample.Container && s.started.Equal(sample.Started)
}

// begin makes the series one of another life of the container.
func (s *series) begin(sample *Sample) {
	s.container, s.started = sample.Container, sample.Started
	s.chunks, s.last = nil, row{}
}

// append takes a row in.
func (s *series) append(r row) {
	n := len(s.chunks)
	if n == 0 || s.chunks[n-1].rows >= chunkRows || s.chunks[n-1].thin {
		if n > 0 {
			s.chunks[n-1].data = slices.Clip(slices.Clone(s.chunks[n-1].data))
		}
		if s.isUnknown() {
			s.chunks = nil // Whose task it is will be known soon, or it is nobody's.
		}
		s.chunks = append(s.chunks, chunk{})
		n = len(s.chunks)
	}

	s.chunks[n-1].append(&r, &s.last)
	s.last = r
}

// age thins what is no longer fine, and drops what is no longer kept.
func (s *series) age(now time.Time) {
	kept, thin := now.Add(-Kept).UnixMicro(), now.Add(-fine).UnixMicro()

	s.chunks = slices.DeleteFunc(s.chunks, func(c chunk) bool { return c.last < kept })
	for i := range s.chunks {
		if c := &s.chunks[i]; !c.thin && c.last < thin {
			*c = c.thinned()
		}
	}
}

// since are the samples since a time.
func (s *series) since(t time.Time) []Sample {
	var out []Sample
	from := t.UnixMicro()

	for i := range s.chunks {
		if s.chunks[i].last < from {
			continue
		}
		for r := range s.chunks[i].all() {
			if r[colAt] >= from {
				out = append(out, s.sample(r))
			}
		}
	}

	return out
}

// sample is a row with what all rows of the series have in common.
func (s *series) sample(r *row) Sample {
	out := r.sample()
	out.Container, out.Task, out.Service, out.Started = s.container, s.task, s.service, s.started

	return out
}

// size is about how much memory the series takes, in bytes.
func (s *series) size() int {
	const fixed, perChunk = 900, 64 // With the strings that it shares with nobody, and its places in maps.

	n := fixed + perChunk*cap(s.chunks)
	for i := range s.chunks {
		n += cap(s.chunks[i].data)
	}

	return n
}

// rows counts the samples that are kept.
func (s *series) rows() int {
	n := 0
	for i := range s.chunks {
		n += s.chunks[i].rows
	}

	return n
}

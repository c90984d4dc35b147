package fleet

import "time"

// measurement is how far a clock is ahead of ours, and by how much that may be wrong.
type measurement struct{ offset, doubt time.Duration }

// skew is how far the clock of a node is ahead. It changes only when a measurement rules out what is believed: times of
// samples are put right by it, and if it followed each measurement, two samples in a row would be put right by different
// amounts, which is an error in every rate.
type skew struct {
	believed time.Duration
	known    bool
}

// update takes in a measurement. It is true when what is believed has changed.
func (s *skew) update(m measurement) bool {
	const tolerance = time.Millisecond

	d := m.offset - s.believed
	if s.known && max(d, -d) <= m.doubt+tolerance {
		return false
	}
	s.believed, s.known = m.offset, true

	return true
}

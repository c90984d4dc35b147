package metering

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/dogker/dogker/reconciler/usage"
)

var errBoom = errors.New("boom")

// fault is what becomes of one write.
type fault int

const (
	none fault = iota
	// before: it is not done. after: it is done and the answer is lost.
	before
	after
	// killBefore and killAfter are the same, and the process dies.
	killBefore
	killAfter
)

// memory is a store that keeps its promises, and watches that metering keeps its own.
type memory struct {
	wall func() int64
	// fault decides what becomes of the nth write.
	fault    func(n int) fault
	unfenced bool

	writes   int
	term     atomic.Int64 // Set while a meter runs, as in life.
	mark     []byte
	records  map[string]usage.Record
	revision int64
	cursor   map[string]int64
	windows  map[string]map[int64][]usage.Line
	gaps     map[string][]usage.Gap
	broken   []string
}

func newMemory(wall func() int64) *memory {
	return &memory{
		wall: wall, fault: func(int) fault { return none },
		records: map[string]usage.Record{}, cursor: map[string]int64{},
		windows: map[string]map[int64][]usage.Line{}, gaps: map[string][]usage.Gap{},
	}
}

// session is one process's connection to the store.
type session struct {
	*memory
	held int64
	dead bool
}

// lead begins a term.
func (s *memory) lead() *session {
	return &session{memory: s, held: s.term.Add(1)}
}

func (s *session) fenced() error {
	if s.held != s.term.Load() && !s.unfenced {
		return usage.ErrFenced
	}

	return nil
}

// write does one write as the fault says.
func (s *session) write(do func() error) error {
	if s.dead {
		return errBoom
	}
	if err := s.fenced(); err != nil {
		return err
	}
	f := s.fault(s.writes)
	s.writes++
	s.dead = f == killBefore || f == killAfter
	if f == before || f == killBefore {
		return errBoom
	}
	if err := do(); err != nil {
		return err
	}
	if f != none {
		return errBoom
	}

	return nil
}

func (s *session) Load(context.Context) (usage.Stored, error) {
	out := usage.Stored{Mark: s.mark}
	for _, r := range s.records {
		out.Records = append(out.Records, r)
	}

	return out, nil
}

func (s *session) Reload(_ context.Context, tenant string) (usage.Record, error) {
	if r, ok := s.records[tenant]; ok {
		return r, nil
	}

	return usage.Record{Tenant: tenant}, nil
}

func (s *session) SaveMark(_ context.Context, data []byte) error {
	return s.write(func() error {
		s.mark = data

		return nil
	})
}

func (s *session) Commit(_ context.Context, changes []usage.Change) []usage.Result {
	out := make([]usage.Result, len(changes))
	for i, c := range changes {
		out[i].Err = s.write(func() error { return s.change(c) })
		out[i].Revision = s.records[c.Tenant].Revision
	}

	return out
}

func (s *session) change(c usage.Change) error {
	if s.records[c.Tenant].Revision != c.Revision {
		return usage.ErrConflict
	}
	if _, err := usage.DecodeAccount(c.Tenant, c.Data); err != nil {
		s.violated("record of %q: %v", c.Tenant, err)
	}
	s.revision++
	s.records[c.Tenant] = usage.Record{Tenant: c.Tenant, Revision: s.revision, Data: c.Data}
	if c.Charge != nil {
		s.charge(*c.Charge)
	}

	return nil
}

// charge notes a charge, and everything about it that must not be.
func (s *session) charge(c usage.Charge) {
	if cursor, ok := s.cursor[c.Tenant]; ok && c.After != cursor || c.Through <= c.After {
		s.violated("a charge of (%d,%d] after %d", c.After, c.Through, cursor)
	}
	s.cursor[c.Tenant] = c.Through
	s.gaps[c.Tenant] = append(s.gaps[c.Tenant], c.Gaps...)

	seen := s.windows[c.Tenant]
	if seen == nil {
		seen = map[int64][]usage.Line{}
		s.windows[c.Tenant] = seen
	}
	for _, w := range c.Windows {
		switch _, twice := seen[w.Index]; {
		case twice:
			s.violated("window %d of %q is charged twice", w.Index, c.Tenant)
		case w.Index <= c.After || w.Index > c.Through || w.Index/60 != c.Windows[0].Index/60:
			s.violated("window %d in a charge of (%d,%d]", w.Index, c.After, c.Through)
		case s.wall() < usage.WindowEnd(w.Index)+15:
			s.violated("window %d is charged at %d, before 15 s after its end", w.Index, s.wall())
		}
		seen[w.Index] = w.Lines
	}
}

func (s *memory) violated(format string, args ...any) {
	s.broken = append(s.broken, fmt.Sprintf(format, args...))
}

// seconds adds up what each workload was charged.
func (s *memory) seconds() map[string]int64 {
	out := map[string]int64{}
	for _, windows := range s.windows {
		for _, lines := range windows {
			for _, l := range lines {
				if l.Meter == usage.MeterReplica {
					out[l.Workload.Name] += l.Seconds
				}
			}
		}
	}

	return out
}

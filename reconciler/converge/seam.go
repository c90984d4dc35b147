package converge

import (
	"context"
	"errors"
	"time"
)

// ErrCrashed is what a process hears that is dead: nothing it does has any effect any more.
var ErrCrashed = errors.New("the process has crashed")

// Seam is where the calls of one process are numbered, recorded and tampered with.
type Seam struct {
	run     *Run
	process *Process
}

// Enter is called before a call is made. It returns what is to go wrong with it, which the caller must see to, except
// for crashes and pauses before the call: those are done when it returns. An error is the answer.
func (s *Seam) Enter(ctx context.Context, call Call) (Kind, error) {
	s.process.awake()

	if s.process.dead() {
		return "", ErrCrashed
	}

	point := Point{Call: call, N: s.run.number(call)}
	kind := s.run.plan.at(point, time.Since(s.run.begun))
	s.run.recorded(point, kind)

	switch kind {
	case CrashBefore:
		s.process.crash()

		return kind, ErrCrashed
	case Pause:
		s.run.takeOver(s.process)
		s.process.awake()
	case Hang:
		return kind, s.hang(ctx)
	}

	return kind, nil
}

// hang waits as long as the other side would, or as the caller is willing to.
func (s *Seam) hang(ctx context.Context) error {
	select {
	case <-time.After(hangTime):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Leave is called when a call has been done, before its answer is given. An error takes the answer's place.
func (s *Seam) Leave(kind Kind) error {
	if kind == CrashAfter {
		s.process.crash()
	}

	if s.process.dead() {
		return ErrCrashed
	}

	return nil
}

package promquery

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// seatsPerTenant is how many questions of one namespace are asked at the same time.
	seatsPerTenant = 2
	// seatPatience is how long a question waits for those of its own namespace. It is short, because whoever asks does nothing
	// else meanwhile: slow queries of one tenant are not to keep the loops from everybody else's.
	seatPatience = 500 * time.Millisecond
)

// platform stands for the questions of operators, which have no namespace. They wait for nobody but all others.
const platform = ""

// ErrBusy is of a question that was not asked because others of its namespace took too long.
var ErrBusy = errors.New("other queries of this namespace take too long; make them fewer, or cheaper")

// seats are those of namespaces that have questions, and those of all together.
type seats struct {
	inAll *semaphore.Weighted

	mu      sync.Mutex
	tenants map[string]*bench
}

// bench is where a namespace sits, and how many of its questions sit there or wait to.
type bench struct {
	*semaphore.Weighted
	questions int
}

func newSeats(inAll int) *seats {
	return &seats{inAll: semaphore.NewWeighted(int64(inAll)), tenants: map[string]*bench{}}
}

// take takes a seat for a question of a namespace, which leave gives back. It fails with ErrBusy when the namespace has none,
// and with the context's error when nobody has.
func (s *seats) take(ctx context.Context, namespace string) (leave func(), err error) {
	if namespace == platform {
		if err := s.inAll.Acquire(ctx, 1); err != nil {
			return nil, err
		}

		return func() { s.inAll.Release(1) }, nil
	}
	mine := s.enter(namespace)

	patient, cancel := context.WithTimeout(ctx, seatPatience)
	defer cancel()
	if mine.Acquire(patient, 1) != nil {
		s.exit(namespace)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}

		return nil, ErrBusy
	}
	if err := s.inAll.Acquire(ctx, 1); err != nil {
		mine.Release(1)
		s.exit(namespace)

		return nil, err
	}

	return func() {
		s.inAll.Release(1)
		mine.Release(1)
		s.exit(namespace)
	}, nil
}

func (s *seats) enter(namespace string) *bench {
	s.mu.Lock()
	defer s.mu.Unlock()

	b := s.tenants[namespace]
	if b == nil {
		b = &bench{Weighted: semaphore.NewWeighted(seatsPerTenant)}
		s.tenants[namespace] = b
	}
	b.questions++

	return b
}

func (s *seats) exit(namespace string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if b := s.tenants[namespace]; b.questions == 1 {
		delete(s.tenants, namespace)
	} else {
		b.questions--
	}
}

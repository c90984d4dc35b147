package gitpreview

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/dogker/dogker/reconciler/source"
)

// listings are the questions to repositories that are under way, at most one for each GitPreview, and what the last one came
// to. Each is a goroutine that ends with its question; how many are asked at the same time is decided by the lister, which is
// fair among tenants.
type listings struct {
	lister source.Lister
	roll   func() float64
	wakes  chan event.TypedGenericEvent[types.NamespacedName]

	ctx  context.Context
	end  context.CancelFunc
	busy sync.WaitGroup

	mu    sync.Mutex
	known map[types.NamespacedName]listing
}

// wakesQueue is how many answers may wait to be looked at.
const wakesQueue = 1 << 10

// question is what a list is asked for: by which object, in which generation, and at whose request.
type question struct {
	uid        types.UID
	generation int64
	requested  string
}

// listing is what is known of a repository. It is a value: what a pass has read stays as it was.
type listing struct {
	question
	// running is true while somebody asks.
	running bool
	cancel  context.CancelFunc
	// asked is true once there was an answer. refs is the last good one, nil when there was none yet, and err is why the last
	// question had no answer.
	asked bool
	refs  *source.Refs
	err   *source.Error
	// failures are those in a row, and ended is when the last question was answered, whatever the answer.
	failures int
	ended    time.Time
	// roll is the chance by which the next look is moved, from [0, 1).
	roll float64
}

func newListings(lister source.Lister, roll func() float64) *listings {
	l := &listings{
		lister: lister, roll: roll, known: map[types.NamespacedName]listing{},
		wakes: make(chan event.TypedGenericEvent[types.NamespacedName], wakesQueue),
	}
	l.ctx, l.end = context.WithCancel(context.Background())

	return l
}

// of is what is known for a question. What is known of another object of that name, or for another spec, is not.
func (l *listings) of(key types.NamespacedName, q question) listing {
	l.mu.Lock()
	defer l.mu.Unlock()

	if have := l.known[key]; have.uid == q.uid && have.generation == q.generation {
		return have
	}

	return listing{}
}

// start asks, in the place of whoever asks already.
func (l *listings) start(key types.NamespacedName, q question, r source.RefsRequest, now func() time.Time) {
	ctx, cancel := context.WithCancel(l.ctx)

	l.mu.Lock()
	defer l.mu.Unlock()

	old := l.known[key]
	if old.cancel != nil {
		old.cancel()
	}

	this := listing{}
	if old.uid == q.uid && old.generation == q.generation {
		this = old
	}

	this.question, this.running, this.cancel = q, true, cancel
	l.known[key] = this

	l.busy.Go(func() {
		defer cancel()

		refs, err := l.lister.Refs(ctx, r)
		if ctx.Err() != nil {
			return // Nobody wants to know any more.
		}

		l.answer(ctx, key, q, refs, err, now())
	})
}

// fail notes a question that could not be asked.
func (l *listings) fail(key types.NamespacedName, q question, err *source.Error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()

	this := l.known[key]
	if this.uid != q.uid || this.generation != q.generation {
		this = listing{}
	}

	this.question = q
	l.known[key] = this.after(nil, err, now, l.roll())
}

func (l *listings) answer(ctx context.Context, key types.NamespacedName, q question, refs source.Refs, err error, now time.Time) {
	l.mu.Lock()

	this := l.known[key]
	if this.question == q {
		if err == nil {
			l.known[key] = this.after(&refs, nil, now, l.roll())
		} else {
			l.known[key] = this.after(nil, asError(err), now, l.roll())
		}
	}

	l.mu.Unlock()

	select {
	case l.wakes <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
	case <-ctx.Done():
	}
}

// after is what is known once a question has ended.
func (l listing) after(refs *source.Refs, err *source.Error, now time.Time, roll float64) listing {
	l.running, l.cancel, l.asked, l.ended, l.err, l.roll = false, nil, true, now, err, roll

	if err != nil {
		l.failures++
	} else {
		l.refs, l.failures = refs, 0
	}

	return l
}

// forget drops what is known, and ends a question that is under way.
func (l *listings) forget(key types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if old, known := l.known[key]; known {
		if old.cancel != nil {
			old.cancel()
		}

		delete(l.known, key)
	}
}

// stop ends all questions and waits until they have.
func (l *listings) stop() {
	l.end()
	l.busy.Wait()
}

// asError makes an error of a lister one that can be shown. They are all such, so the rest is for a lister that is none.
func asError(err error) *source.Error {
	var known *source.Error
	if errors.As(err, &known) {
		return known
	}

	return &source.Error{
		Reason: source.ReasonWorkerFailed, Transient: true, Message: "the references could not be listed for a cause that is not the repository's", Cause: err,
	}
}

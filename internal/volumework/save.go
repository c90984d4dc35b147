package volumework

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/internal/voldata/snapshot"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volumejob"
)

const (
	// pausePatience bounds freezing, and letting go.
	pausePatience = time.Minute
	// stillPatience is how long nothing may move while containers are frozen.
	stillPatience = 3 * time.Minute
	// defaultHook bounds a hook that has no bound of its own.
	defaultHook = 30 * time.Second
)

// save stores a volume, between what is to be done around reading it.
func (w *Worker) save(ctx context.Context, j *job) (volumejob.Job, error) {
	o, result := &j.order, volumejob.Job{Thawed: true}
	at, err := w.place(ctx, o)
	if err != nil {
		return result, err
	}
	if err := w.hold(ctx); err != nil {
		return result, err
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := &quiet{w: w, job: j, cancel: cancel}
	origin := archive.Origin{
		Namespace: o.Archive.Namespace, Volume: o.Archive.Volume, UID: o.Archive.UID, Time: o.Archive.Time, Dogker: w.o.Version,
	}
	got, err := snapshot.Save(ctx, w.volumes(o.Source.Node), o.Source.Name, origin, at, snapshot.Quiet{
		Begin: q.begin, Still: q.still,
		// Whoever is not waited for any more still has to let go.
		End: func() { q.end(context.WithoutCancel(ctx)) },
	}, content.Options{})
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errStill) {
		err = cause
	}
	result.Thawed = q.undone == nil
	var post *hookError
	switch {
	// Why it failed is more than what followed from it.
	case err != nil:
		return result, errors.Join(err, q.undone)
	case errors.As(q.undone, &post) && post.fault == volumejob.FaultHook:
		return result, q.undone
	case q.undone != nil:
		// It was stored all the same, and a Thaw can still undo the rest.
		w.log.WarnContext(ctx, "Not all was undone that was done for a snapshot", logkey.Operation, o.Operation, logkey.Err, causes(q.undone))
	}
	result.Receipt, result.Digest = receiptOf(&got), got.Content.Digest

	return result, nil
}

// quiet is what is done around reading.
type quiet struct {
	w   *Worker
	job *job
	// cancel gives up reading.
	cancel context.CancelCauseFunc
	// paused is true when containers may be frozen, and rest ends the watch over that; nil when there is none.
	paused bool
	rest   func()
	// undone is why not all was undone.
	undone error
}

// begin runs the pre hook, and freezes containers.
func (q *quiet) begin(ctx context.Context) error {
	if pre := q.job.order.Quiet.Pre; pre != nil {
		if err := q.w.hook(ctx, q.job, pre, "the hook before reading"); err != nil {
			return err
		}
	}
	if !q.job.order.Quiet.Pause {
		return nil
	}
	if err := q.w.hold(ctx); err != nil {
		return err
	}
	inner, cancel := context.WithTimeout(ctx, pausePatience)
	defer cancel()

	// An answer that is lost may have been yes.
	q.paused = true
	if _, err := q.w.o.Engines.PauseMounting(inner, q.job.order.Source.Node, q.job.order.Source.Name); err != nil {
		return &failure{errPause, err}
	}
	q.rest = q.watch(ctx)

	return nil
}

// watch gives up reading when nothing moves: whoever stands still, node or store, containers do not wait for it. The function that it
// returns ends it.
func (q *quiet) watch(ctx context.Context) func() {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticks := time.NewTicker(stillPatience / 8)
		defer ticks.Stop()
		for last, since := movedBy(ctx), time.Now(); ; {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
			if now := movedBy(ctx); now != last {
				last, since = now, time.Now()
			} else if time.Since(since) >= stillPatience {
				q.cancel(errStill)
				return
			}
		}
	}()

	return func() {
		cancel()
		<-done
	}
}

// still makes sure that nothing has run while all was read: only then is it of one moment.
func (q *quiet) still(ctx context.Context) error {
	if !q.paused {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pausePatience)
	defer cancel()

	err := q.w.o.Engines.StillPaused(ctx, q.job.order.Source.Node, q.job.order.Source.Name)
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, swarmobj.ErrUnavailable), errors.Is(err, swarmobj.ErrRefused), ctx.Err() != nil:
		return &failure{errPause, err}
	default:
		return &failure{errWent, err}
	}
}

// end lets containers go on, and runs the post hook. Where they may still be frozen that is left to a Thaw, which tries both again: a hook
// may last.
func (q *quiet) end(ctx context.Context) {
	if q.rest != nil {
		q.rest()
	}
	if q.paused {
		q.undone = q.w.unpause(ctx, &q.job.order)
	}
	if post := q.job.order.Quiet.Post; post != nil && q.undone == nil {
		q.undone = q.w.hook(ctx, q.job, post, "the hook after reading")
	}
}

// unpause lets containers go on. While this process is in charge that needs no leave: who has frozen them must let go.
// Afterwards somebody else may have frozen them.
func (w *Worker) unpause(ctx context.Context, o *volumejob.Order) error {
	ctx, cancel := context.WithTimeout(ctx, pausePatience)
	defer cancel()

	if w.over() {
		if err := w.hold(ctx); err != nil {
			return err
		}
	}
	if err := w.o.Engines.UnpauseMounting(ctx, o.Source.Node, o.Source.Name); err != nil {
		return &failure{errUnpause, err}
	}

	return nil
}

// over is true once this process is not in charge any more.
func (w *Worker) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()

	return w.run == nil || w.run.Err() != nil
}

// thaw undoes what a save that was interrupted may have left. Both are tried, whatever becomes of the other.
func (w *Worker) thaw(ctx context.Context, j *job) error {
	o := &j.order
	if err := w.hold(ctx); err != nil {
		return err
	}
	// What is asked for by now need not be what was then.
	errs := []error{w.unpause(ctx, o)}
	if o.Quiet.Post != nil {
		errs = append(errs, w.hook(ctx, j, o.Quiet.Post, "the hook after reading"))
	}

	return errors.Join(errs...)
}

// hook runs one. Where no task runs, there is nothing to do.
func (w *Worker) hook(ctx context.Context, j *job, h *volumejob.Hook, which string) error {
	if err := w.hold(ctx); err != nil {
		return err
	}
	o := &j.order
	defer w.lend(j)()
	patience := cmp.Or(h.Timeout, defaultHook)
	inner, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	code, tail, err := w.o.Engines.RunInTask(inner, o.Quiet.Namespace, o.Quiet.Container, o.Source.Name, o.Source.Node, h.Command)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, swarmobj.ErrNotFound):
		err = nil
	case inner.Err() != nil && err != nil:
		err = &hookError{volumejob.FaultHook, which, fmt.Sprintf("it has not ended within %v", patience), err}
	case errors.Is(err, swarmobj.ErrRefused):
		err = &hookError{volumejob.FaultHook, which, "its command cannot be run in the container", err}
	case err != nil:
		err = &hookError{volumejob.FaultNode, which, "the node of its container does not answer", err}
	case code != 0:
		err = &hookError{volumejob.FaultHook, which, fmt.Sprintf("it ended with exit code %d%s", code, lastLine(tail)), nil}
	}
	if err != nil && h.Continue {
		w.log.InfoContext(ctx, "A hook has failed, and the snapshot goes on", logkey.Tenant, o.Quiet.Namespace, logkey.Err, causes(err))

		return nil
	}

	return err
}

// lastLine is the last that a command has written, as far as it fits into a sentence. It is the tenant's own.
func lastLine(tail string) string {
	const limit = 200

	tail = strings.TrimSpace(tail)
	line := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}

		return r
	}, strings.TrimSpace(tail[strings.LastIndexByte(tail, '\n')+1:])))
	switch {
	case len(line) == 0:
		return ""
	case len(line) > limit:
		return ": " + string(line[:limit]) + "…"
	default:
		return ": " + string(line)
	}
}

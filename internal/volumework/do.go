package volumework

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// holdPatience bounds the question whether this process may change anything.
const holdPatience = 20 * time.Second

// errHeld is that it may not.
var errHeld = errors.New("this server may not change anything now")

// hold fails when this process may not change anything any more, or does not know.
func (w *Worker) hold(ctx context.Context) error {
	inner, cancel := context.WithTimeout(ctx, holdPatience)
	defer cancel()

	if err := w.o.Hold(inner); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}

		return fmt.Errorf("%w: %w", errHeld, err)
	}

	return nil
}

// do does one job.
func (w *Worker) do(ctx context.Context, j *job) {
	o := &j.order
	log := w.log.With("kind", o.Kind, logkey.Operation, o.Operation, "owner", o.Owner, logkey.Node, o.Source.Node)
	log.InfoContext(ctx, "Beginning work with the data of a volume", "volume", o.Source.Name, "target", o.Target.Node)
	began := time.Now()

	result, err := w.safely(with(ctx, call{moved: &j.moved}), j)
	if err != nil {
		words := explain(o, err, ctx.Err() != nil)
		result.Err, result.Fault, result.Permanent = words.text, words.fault, words.permanent
		if words.text == cancelled {
			log.InfoContext(ctx, "Cancelled work with the data of a volume")
		} else {
			log.WarnContext(ctx, "Work with the data of a volume has failed", logkey.Err, words.text, "fault", words.fault, "cause", causes(err))
		}
	} else {
		log.InfoContext(ctx, "Did work with the data of a volume", "took", time.Since(began), "bytes", j.moved.Load())
	}
	w.metrics.did(o.Kind, &result, time.Since(began), j.moved.Load())
	w.finish(j, result)
}

// safely turns a panic into an error: one volume that trips us must not take down everybody's controllers, again and again.
func (w *Worker) safely(ctx context.Context, j *job) (result volumejob.Job, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
			result.Thawed = j.order.Kind != volumejob.Save && j.order.Kind != volumejob.Thaw
		}
	}()

	return w.perform(ctx, j)
}

// errPanic is that something went wrong in here.
var errPanic = errors.New("panic")

// perform does what is ordered.
func (w *Worker) perform(ctx context.Context, j *job) (volumejob.Job, error) {
	o, result := &j.order, volumejob.Job{Thawed: true}

	switch o.Kind {
	case volumejob.Copy:
		sum, err := w.volumes(o.Source.Node).Copy(ctx, o.Source.Name, w.volumes(o.Target.Node), targetOf(o), content.Options{})
		result.Digest = sum.Digest

		return result, err
	case volumejob.Verify:
		return w.verify(ctx, o)
	case volumejob.Remove:
		same, err := w.volumes(o.Source.Node).RemoveSame(ctx, o.Source.Name, o.Maker, o.Digest)
		result.Changed = !same && err == nil

		return result, err
	case volumejob.Save:
		return w.save(ctx, j)
	case volumejob.Thaw:
		err := w.thaw(ctx, j)
		result.Thawed = err == nil

		return result, err
	case volumejob.Check:
		return w.check(ctx, o)
	case volumejob.Restore:
		return w.restore(ctx, o)
	case volumejob.Erase:
		return result, w.erase(ctx, o)
	default:
		return result, fmt.Errorf("%w: %q", errKind, o.Kind)
	}
}

// errKind is that an order is of no kind that is known.
var errKind = errors.New("there is no such kind of work")

func targetOf(o *volumejob.Order) voldata.Target {
	return voldata.Target{Name: o.Target.Name, Driver: o.Make.Driver, Options: o.Make.Options, Labels: o.Make.Labels, Operation: o.Operation}
}

// verify reads both at a time: containers stand still meanwhile.
func (w *Worker) verify(ctx context.Context, o *volumejob.Order) (volumejob.Job, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	read := func(p volumejob.Place, digest *string) <-chan error {
		done := make(chan error, 1)
		go func() {
			sum, err := w.volumes(p.Node).Digest(ctx, p.Name, content.Options{})
			*digest = sum.Digest
			if err != nil {
				cancel(err) // The other one is of no use any more.
			}
			done <- err
		}()

		return done
	}
	result := volumejob.Job{Thawed: true}
	source, target := read(o.Source, &result.SourceDigest), read(o.Target, &result.TargetDigest)
	err := errors.Join(<-source, <-target)
	// What failed first is why the other one was ended.
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}

	return result, err
}

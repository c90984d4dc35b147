package faults

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// letsGo is how long containers stay frozen when nobody renews it, as an agent holds it.
const letsGo = 20 * time.Second

// ward is a node with one container that writes, and a place of archives.
type ward struct {
	mu sync.Mutex
	// leads is the process that holds the lease.
	leads *converge.Process
	// frozen counts freezes; thaws is how often the container was let go.
	frozen bool
	thaws  int
	timer  *time.Timer
	hooked bool
	// reading is the snapshot that is being read while the container is frozen for it.
	reading  string
	archives map[string]bool
	broken   []string
}

func (w *ward) State() []string {
	w.mu.Lock()
	defer w.mu.Unlock()

	return []string{fmt.Sprintf("%d archives, frozen %t, hooked %t", len(w.archives), w.frozen, w.hooked)}
}

func (w *ward) Violations() []string {
	w.mu.Lock()
	defer w.mu.Unlock()

	return w.broken
}

func (w *ward) stored(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()

	return w.archives[name]
}

func (w *ward) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()

	return len(w.archives)
}

func (w *ward) peace() error {
	w.mu.Lock()
	defer w.mu.Unlock()

	switch {
	case w.frozen:
		return errors.New("the container is frozen")
	case w.hooked:
		return errors.New("the post hook has not run")
	}

	return nil
}

// freeze freezes the container, for a while.
func (w *ward) freeze() {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.frozen = true
	w.timer = time.AfterFunc(letsGo, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.thaw()
	})
}

func (w *ward) thaw() {
	if w.frozen {
		w.frozen = false
		w.thaws++
	}
}

// wardWork is the worker of a process.
type wardWork struct {
	p    *converge.Process
	w    *ward
	told func(owner string)

	mu   sync.Mutex
	jobs map[string]*dataJob
}

func newWardWork(p *converge.Process, w *ward) *wardWork {
	return &wardWork{p: p, w: w, jobs: map[string]*dataJob{}}
}

func (k *wardWork) Job(owner string) (volumejob.Job, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()

	if j := k.jobs[owner]; j != nil {
		return j.Job, true
	}

	return volumejob.Job{}, false
}

func (k *wardWork) Cancel(owner string) {
	k.mu.Lock()
	defer k.mu.Unlock()

	if j := k.jobs[owner]; j != nil {
		j.cancel()
	}
}

func (k *wardWork) Dismiss(owner string) {
	k.mu.Lock()
	defer k.mu.Unlock()

	if j := k.jobs[owner]; j != nil && j.Ended {
		delete(k.jobs, owner)
	}
}

func (k *wardWork) Order(o volumejob.Order) {
	k.mu.Lock()
	defer k.mu.Unlock()

	if k.jobs[o.Owner] != nil {
		return
	}
	ctx, cancel := context.WithCancel(k.p.Context())
	j := &dataJob{Job: volumejob.Job{Kind: o.Kind, Operation: o.Operation, Began: time.Now()}, cancel: cancel}
	k.jobs[o.Owner] = j

	go func() {
		defer cancel()
		result, err := k.run(ctx, &o)
		if errors.Is(err, converge.ErrCrashed) || k.p.Context().Err() != nil {
			return
		}

		k.mu.Lock()
		result.Kind, result.Operation, result.Began, result.Ended = o.Kind, o.Operation, j.Began, true
		if err != nil {
			result.Err, result.Fault = "it does not answer", volumejob.FaultNode
		}
		j.Job = result
		k.mu.Unlock()
		k.told(o.Owner)
	}()
}

// step is one call, which takes a while. What it does is done only for the process that leads, when it is done.
func (k *wardWork) step(ctx context.Context, op, target string, late bool, do func() error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(stepTime):
	}
	kind, err := k.p.Seam.Enter(ctx, converge.Call{Seam: "Ward", Op: op, Target: target, Write: true})
	if err != nil {
		return fmt.Errorf("%w: %w", swarmobj.ErrUnavailable, err)
	}
	held := func() error {
		k.w.mu.Lock()
		defer k.w.mu.Unlock()
		if k.w.leads != k.p {
			return swarmobj.ErrUnavailable
		}

		return do()
	}

	switch kind {
	case converge.Refuse, converge.Hang:
		return swarmobj.ErrUnavailable
	case converge.Late:
		if late {
			time.AfterFunc(converge.LateTime, func() { _ = held() })
		}

		return swarmobj.ErrUnavailable
	}
	err = held()
	if leave := k.p.Seam.Leave(kind); leave != nil {
		return leave
	}
	if kind == converge.Lose {
		return swarmobj.ErrUnavailable
	}

	return err
}

func (k *wardWork) run(ctx context.Context, o *volumejob.Order) (volumejob.Job, error) {
	switch o.Kind {
	case volumejob.Save:
		return k.save(ctx, o)
	case volumejob.Thaw:
		return volumejob.Job{}, k.undo(ctx, o)
	case volumejob.Erase:
		return volumejob.Job{}, k.step(ctx, "Erase", o.Owner, true, func() error {
			delete(k.w.archives, o.Archive.Name)
			return nil
		})
	default:
		panic("nobody does " + string(o.Kind))
	}
}

// undo lets the container go on, and runs the post hook.
func (k *wardWork) undo(ctx context.Context, o *volumejob.Order) error {
	if err := k.step(ctx, "Unpause", o.Owner, false, func() error { k.w.thaw(); return nil }); err != nil {
		return err
	}

	return k.step(ctx, "Post", o.Owner, false, func() error { k.w.hooked = false; return nil })
}

func (k *wardWork) save(ctx context.Context, o *volumejob.Order) (out volumejob.Job, err error) {
	w := k.w
	stored := false
	if err = k.step(ctx, "Stat", o.Owner, false, func() error { stored = w.archives[o.Archive.Name]; return nil }); err != nil {
		out.Thawed = true
		return out, err
	}
	if !stored {
		err = k.put(ctx, o)
		// Whoever is cancelled still undoes what it has done.
		undone := k.undo(context.WithoutCancel(ctx), o)
		out.Thawed = undone == nil
		if err = errors.Join(err, undone); err != nil {
			return out, err
		}
	}
	out.Thawed = true

	err = k.step(ctx, "Verify", o.Owner, false, func() error {
		if !w.archives[o.Archive.Name] {
			return swarmobj.ErrUnavailable
		}

		return nil
	})
	out.Receipt = volumejob.Receipt{Digest: "digest", SHA256: "sum", UID: o.Archive.UID, Time: o.Archive.Time}

	return out, err
}

// put stores what is read while the container is frozen, if it was frozen all the time.
func (k *wardWork) put(ctx context.Context, o *volumejob.Order) error {
	w := k.w
	thaws := 0
	if err := k.step(ctx, "Pre", o.Owner, false, func() error { w.hooked = true; return nil }); err != nil {
		return err
	}
	if err := k.step(ctx, "Freeze", o.Owner, true, func() error {
		if w.reading != "" && w.reading != o.Owner && w.frozen {
			w.broken = append(w.broken, "two snapshots freeze the same container")
		}
		w.reading, thaws = o.Owner, w.thaws
		w.freeze()

		return nil
	}); err != nil {
		return err
	}

	return k.step(ctx, "Put", o.Owner, false, func() error {
		if !w.frozen || w.thaws != thaws {
			return swarmobj.ErrUnavailable
		}
		w.archives[o.Archive.Name] = true

		return nil
	})
}

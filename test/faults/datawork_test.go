package faults

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

type fakeContainer = swarm.Container

// stepTime is how long a job takes for one of its steps.
const stepTime = 2 * time.Second

// dataWork is the worker of a process, as internal/volumework is: its jobs end with it, and what they were doing stays as it is.
type dataWork struct {
	p    *converge.Process
	d    *disks
	told func(owner string)

	mu   sync.Mutex
	jobs map[string]*dataJob
}

type dataJob struct {
	volumejob.Job
	cancel context.CancelFunc
}

func newDataWork(p *converge.Process, d *disks) *dataWork {
	return &dataWork{p: p, d: d, jobs: map[string]*dataJob{}}
}

// cross makes a call to a node, with what goes wrong with it.
func (k *dataWork) cross(ctx context.Context, op, target string, write bool, do func() error) error {
	kind, err := k.p.Seam.Enter(ctx, converge.Call{Seam: "Worker", Op: op, Target: target, Write: write})
	if err != nil {
		return fmt.Errorf("%w: %w", swarmobj.ErrUnavailable, err)
	}
	switch kind {
	case converge.Refuse, converge.Hang:
		return swarmobj.ErrUnavailable
	case converge.Late:
		time.AfterFunc(converge.LateTime, func() { _ = do() })

		return swarmobj.ErrUnavailable
	}

	err = do()
	if leave := k.p.Seam.Leave(kind); leave != nil {
		return leave
	}
	if kind == converge.Lose {
		return swarmobj.ErrUnavailable
	}

	return err
}

func (k *dataWork) Job(owner string) (volumejob.Job, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()

	if j := k.jobs[owner]; j != nil {
		return j.Job, true
	}

	return volumejob.Job{}, false
}

func (k *dataWork) Order(o volumejob.Order) {
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
		result, err := k.run(ctx, o)
		if errors.Is(err, converge.ErrCrashed) {
			return
		}

		k.mu.Lock()
		result.Kind, result.Operation, result.Began, result.Ended = o.Kind, o.Operation, j.Began, true
		if err != nil {
			result.Err = "a node does not answer"
		}
		j.Job = result
		k.mu.Unlock()

		if k.told != nil {
			k.told(o.Owner)
		}
	}()
}

func (k *dataWork) Cancel(owner string) {
	k.mu.Lock()
	defer k.mu.Unlock()

	if j := k.jobs[owner]; j != nil {
		j.cancel()
	}
}

func (k *dataWork) Dismiss(owner string) {
	k.mu.Lock()
	defer k.mu.Unlock()

	if j := k.jobs[owner]; j != nil && j.Ended {
		delete(k.jobs, owner)
	}
}

// run does what was ordered, in steps that each can be the last.
func (k *dataWork) run(ctx context.Context, o volumejob.Order) (out volumejob.Job, err error) {
	name := cmp.Or(o.Source.Name, o.Target.Name, "archive")
	var read disk
	step := func(op string, write bool, do func() error) {
		if err != nil {
			return
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(stepTime):
			err = k.cross(ctx, op, name, write, do)
		}
	}
	want := func(is bool, what string) error {
		if !is {
			return errors.New(what)
		}

		return nil
	}
	load := func(at volumejob.Place) func() error {
		return func() error {
			var there bool
			read, there = k.d.read(at)

			return want(there, "there is no volume")
		}
	}

	switch o.Kind {
	case volumejob.Copy:
		step("Make", true, func() error { return want(k.d.make(o.Target, o.Operation), "there is a volume") })
		step("Read", false, load(o.Source))
		step("Fill", true, func() error { return want(k.d.fill(o.Target, o.Operation, read.words), "it is gone") })
		out.Digest = digestOf(read.words)
	case volumejob.Restore:
		step("Make", true, func() error { return want(k.d.make(o.Target, o.Operation), "there is a volume") })
		step("Fill", true, func() error { return want(k.d.fill(o.Target, o.Operation, k.d.archive(o.Archive.Name)), "it is gone") })
	case volumejob.Verify:
		step("Read", false, load(o.Target))
		out.TargetDigest = digestOf(read.words)
		step("Read", false, load(o.Source))
		out.SourceDigest = digestOf(read.words)
	case volumejob.Remove:
		step("Remove", true, func() error {
			found, there := k.d.read(o.Source)
			switch {
			case !there:
			case k.d.mounted(o.Source):
				return errors.New("it is used")
			case found.maker != o.Maker || digestOf(found.words) != o.Digest:
				out.Changed = true
			default:
				k.d.remove(o.Source)
			}

			return nil
		})
	case volumejob.Save:
		return k.save(o, step, &read, &err)
	case volumejob.Thaw:
		step("Thaw", true, func() error { k.d.freeze(name, false); return nil })
		out.Thawed = err == nil
	case volumejob.Erase:
		step("Erase", true, func() error { k.d.erase(o.Archive.Name); return nil })
	default:
		panic("nobody does " + string(o.Kind))
	}

	return out, err
}

// save stores what is in a volume while nothing that mounts it runs, and lets that run again whatever has become of it.
func (k *dataWork) save(o volumejob.Order, step func(string, bool, func() error), read *disk, failed *error) (out volumejob.Job, err error) {
	began := time.Now()
	if o.Quiet.Pause {
		step("Freeze", true, func() error { k.d.freeze(o.Source.Name, true); return nil })
	}
	step("Read", false, func() error {
		var there bool
		if *read, there = k.d.read(o.Source); !there {
			return errors.New("there is no volume")
		}

		return nil
	})
	step("Store", true, func() error {
		if !k.d.leads(k.p) {
			return converge.ErrCrashed // What snapshotrun relies on: nothing is stored without the lease.
		}
		k.d.store(o.Archive.Name, read.words)

		return nil
	})

	err, *failed = *failed, nil
	if errors.Is(err, converge.ErrCrashed) {
		return out, err
	}
	if o.Quiet.Pause {
		step("Thaw", true, func() error { k.d.freeze(o.Source.Name, false); return nil })
	}
	out.Thawed = *failed == nil
	if errors.Is(*failed, converge.ErrCrashed) {
		err = *failed
	}
	out.Receipt = volumejob.Receipt{
		Digest: digestOf(read.words), SHA256: digestOf(read.words), Bytes: 1, Size: 1, Entries: 1, UID: o.Archive.UID, Time: began,
	}

	return out, err
}

func (k *dataWork) Look(ctx context.Context, node, name string) (out volumejob.Presence, err error) {
	err = k.cross(ctx, "Look", name, false, func() error {
		found, there := k.d.read(volumejob.Place{Node: node, Name: name})
		out = volumejob.Presence{There: there, Operation: found.maker}

		return nil
	})

	return out, err
}

func (k *dataWork) Discard(ctx context.Context, node, name, operation string) error {
	at := volumejob.Place{Node: node, Name: name}

	return k.cross(ctx, "Discard", name, true, func() error {
		found, there := k.d.read(at)
		switch {
		case !there:
			return nil
		case found.maker != operation:
			return swarmobj.ErrExists
		case k.d.mounted(at):
			return swarmobj.ErrInUse
		}
		k.d.remove(at)

		return nil
	})
}

// inventory is what nodes tell of their volumes.
type inventory struct {
	k *dataWork
}

func (i inventory) Held(name string) []volume.Held {
	var out []volume.Held
	for _, node := range i.k.d.named(name) {
		held := volume.Held{Node: node, Name: name}
		found, _ := i.k.d.read(volumejob.Place{Node: node, Name: name})
		held.Operation = found.maker
		out = append(out, held)
	}

	return out
}

func (inventory) Told(string) bool { return true }

func (i inventory) Exists(ctx context.Context, node, name string) (bool, error) {
	p, err := i.k.Look(ctx, node, name)

	return p.There, err
}

func (i inventory) Remove(ctx context.Context, node, name string) error {
	at := volumejob.Place{Node: node, Name: name}

	return i.k.cross(ctx, "Remove", name, true, func() error {
		if i.k.d.mounted(at) {
			return swarmobj.ErrInUse
		}
		i.k.d.remove(at)

		return nil
	})
}

package snapshotrun_test

import (
	"fmt"

	"github.com/dogker/dogker/reconciler/volumejob"
)

// held is true for a step that may be made: by a process that leads, as far as that is known when it is made.
func (w *world) held(t *task) bool { return t.by == w.leader }

func (w *world) begin(server string, o volumejob.Order) *task {
	t := &task{job: volumejob.Job{Kind: o.Kind, Operation: o.Operation, Began: w.clock, Thawed: true}, order: o, by: server, first: -1}
	switch o.Kind {
	case volumejob.Save:
		t.steps = []func(*task) string{w.pre, w.freeze, w.read, w.read, w.put, w.verify}
	case volumejob.Thaw:
		t.job.Thawed = false
		t.steps = []func(*task) string{func(t *task) string {
			if why := w.release(t); why != "" {
				return why
			}
			t.job.Thawed = true

			return ""
		}}
	case volumejob.Erase:
		t.steps = []func(*task) string{func(t *task) string {
			if w.away || !w.held(t) {
				return "the store does not answer"
			}
			w.archive = nil

			return ""
		}}
	default:
		w.violate("%s is ordered", o.Kind)
	}

	return t
}

// work makes one step of a job.
func (w *world) work(t *task) {
	if t == nil || t.job.Ended {
		return
	}
	why := "it was cancelled"
	if !t.stop {
		why = ""
		if len(t.steps) > 0 {
			why = t.steps[0](t)
			t.steps = t.steps[1:]
		}
	}
	if why == "" && len(t.steps) > 0 {
		return
	}
	if t.order.Kind == volumejob.Save {
		t.first = -1
		if t.job.Thawed = !t.undo || w.release(t) == ""; !t.job.Thawed && why == "" {
			why = "the post hook fails"
			t.job.Fault = volumejob.FaultHook
		}
	}
	t.job.Ended, t.job.Err = true, why
	w.say("%s of %s ended: %q thawed %v", t.job.Operation, t.by, why, t.job.Thawed)
}

func (w *world) pre(t *task) string {
	if w.down || !w.held(t) {
		return "the node does not answer"
	}
	if t.order.Quiet.Pre != nil {
		t.undo, w.hooked = true, true
		w.say("pre hook")
		if w.hooks {
			t.job.Fault = volumejob.FaultHook
			return "the pre hook fails"
		}
	}

	return ""
}

func (w *world) freeze(t *task) string {
	if w.down || !w.held(t) {
		return "the node does not answer"
	}
	if t.order.Quiet.Pause {
		t.undo, w.frozen = true, true
		w.say("frozen")
	}

	return ""
}

// read is made twice, so that there is something in between.
func (w *world) read(t *task) string {
	if w.down {
		return "the node does not answer"
	}
	if t.first < 0 {
		t.first = w.writes
	}

	return ""
}

func (w *world) put(t *task) string {
	if w.away || !w.held(t) {
		return "the store does not answer"
	}
	if w.archive == nil {
		w.archive = &archive{writes: t.first, torn: t.torn, made: t.order.Archive.Time}
		w.say("stored")
	}

	return ""
}

func (w *world) verify(t *task) string {
	if w.away || w.archive == nil {
		return "the store does not answer"
	}
	a := w.archive
	t.job.Receipt = volumejob.Receipt{Digest: fmt.Sprint(a.writes), SHA256: fmt.Sprint("of ", a.writes), UID: t.order.Archive.UID, Time: a.made}

	return ""
}

// release lets go on what is frozen, and runs the post hook.
func (w *world) release(t *task) string {
	if w.down || !w.held(t) {
		t.job.Fault = volumejob.FaultNode
		return "the node does not answer"
	}
	if t.order.Quiet.Pause {
		w.frozen = false
	}
	if t.order.Quiet.Post != nil {
		if w.hooks {
			t.job.Fault = volumejob.FaultHook
			return "the post hook fails"
		}
		w.hooked = false
	}
	w.say("thawed, and the post hook has run")

	return ""
}

// gaveUp is true when the post hook has failed so often that nobody tries it any more.
func (w *world) gaveUp() bool {
	for _, s := range w.history {
		if a := s.Status.Attempt; a != nil && a.UndoFailures >= 4 {
			return true
		}
	}

	return false
}

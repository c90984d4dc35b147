package volumemove_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/volumemove"
)

const uid = "5a1c"

// volume is what a node has. Its content is all that was ever written to it, in order.
type volume struct {
	content, operation string
	call               int
}

// task is what a job does, step by step. Each step is one call to an engine.
type task struct {
	job   volumemove.Job
	steps []func(*task) bool // False ends it.
	from  string
	to    string
	read  string
	call  int
}

// world is nodes, one container that writes, what is on record, and a process that can be killed.
type world struct {
	nodes   map[string]*volume
	down    map[string]bool
	runs    string // The node that the container runs on; empty when it does not.
	writes  int
	calls   int
	clock   time.Time
	wish    volumemove.Wish
	history []volumemove.State // All that was ever on record.
	job     *task
	zombies []*task
	changed bool
	log     []string
	broken  string // The first thing that must never happen.
}

func newWorld() *world {
	w := &world{
		nodes: map[string]*volume{"a": {}}, down: map[string]bool{}, clock: time.Unix(1e9, 0),
		wish: volumemove.Wish{Volume: uid, Generation: 1}, history: []volumemove.State{{Node: "a"}},
	}
	w.runs = "a"
	w.write()

	return w
}

func (w *world) state() volumemove.State { return w.history[len(w.history)-1] }

func (w *world) say(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) violate(format string, args ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf(format, args...)
		w.say("VIOLATED: %s", w.broken)
	}
}

// write is the container writing where it runs.
func (w *world) write() {
	if w.runs == "" || w.down[w.runs] {
		return
	}
	v := w.nodes[w.runs]
	if v == nil {
		w.violate("the container writes on %s, where there is no volume", w.runs)
		return
	}
	w.writes++
	v.content += fmt.Sprintf("%d,", w.writes)
	w.say("write %d on %s", w.writes, w.runs)
}

// containers obeys what is on record, by a view that may be old.
func (w *world) containers(s volumemove.State) {
	want := s.Node
	if s.Move != nil && s.Move.Phase.Holds() {
		want = ""
	}
	if want != "" && (w.nodes[want] == nil || w.down[want]) {
		want = "" // It is given the volume only where that is.
	}
	if w.runs != want {
		w.say("container: %q → %q", w.runs, want)
		w.runs = want
	}
}

func (w *world) presence(node string) volumemove.Presence {
	if w.down[node] {
		return volumemove.Presence{}
	}
	p := volumemove.Presence{Known: true}
	if v := w.nodes[node]; v != nil {
		p.There, p.Operation = true, v.operation
	}

	return p
}

func (w *world) seen(s volumemove.State) volumemove.Seen {
	from, to := s.Node, w.wish.Node
	if s.Move != nil {
		from, to = s.Move.From, s.Move.To
	}
	seen := volumemove.Seen{
		Now: w.clock, Source: w.presence(from), Target: w.presence(to),
		Idle: w.runs == "", Settled: w.runs == s.Node, Changed: w.changed,
	}
	if w.job != nil {
		j := w.job.job
		seen.Job = &j
	}

	return seen
}

// pass is one look of the controller at a state that may be old.
func (w *world) pass(s volumemove.State, fresh bool) bool {
	d := volumemove.Decide(s, w.wish, w.seen(s))
	if !same(d.State, s) {
		if d.Do != volumemove.Nothing {
			w.violate("a decision changes what is on record and does %s", d.Do)
		}
		if !fresh {
			return true // Somebody has written meanwhile, and the write is refused.
		}
		w.check(s, d.State)
		w.history = append(w.history, d.State)
		w.say("record %s", show(d.State))
		if d.State.Move == nil {
			w.changed = false
		}

		return true
	}
	if d.Do == volumemove.Nothing {
		return false
	}
	w.say("do %s %s", d.Do, d.Operation)
	w.do(d)

	return true
}

// check holds what is put on record against what is there.
func (w *world) check(old, now volumemove.State) {
	if old.Node == now.Node {
		return
	}
	if w.runs != "" {
		w.violate("the volume lives elsewhere while the container runs")
	}
	if now.Move == nil || now.Move.Phase != volumemove.Moved {
		w.violate("the volume lives elsewhere without a move")
	}
	from, to := w.nodes[old.Node], w.nodes[now.Node]
	if from == nil || to == nil || to.content == "" {
		w.violate("the volume lives elsewhere, and a copy is missing")
	}
}

func (w *world) do(d volumemove.Decision) {
	m := d.State.Move
	switch d.Do {
	case volumemove.Copy:
		w.job = w.copying(m, d.Operation)
	case volumemove.Verify:
		w.job = w.verifying(m, d.Operation)
	case volumemove.Cancel:
		w.job = nil
	case volumemove.Discard:
		if v := w.nodes[m.To]; v != nil && !w.down[m.To] && v.operation == d.Operation && w.runs != m.To {
			w.remove(m.To)
		}
	case volumemove.RemoveSource:
		v := w.nodes[m.From]
		switch {
		case v == nil || w.down[m.From] || w.runs == m.From:
		case v.operation != d.Operation || digest(v.content) != m.Digest:
			w.changed = true
		default:
			w.remove(m.From)
		}
	}
}

// remove takes a volume away. Nothing that was written may be gone with it.
func (w *world) remove(node string) {
	gone := w.nodes[node].content
	delete(w.nodes, node)
	for _, v := range w.nodes {
		if strings.HasPrefix(v.content, gone) {
			return
		}
	}
	w.violate("what was written is lost with the volume on %s", node)
}

func digest(content string) string { return "digest of " + content }

// copying is a copy as voldata makes one: create, read, write, read back.
func (w *world) copying(m *volumemove.Move, operation string) *task {
	w.calls++
	t := &task{job: volumemove.Job{Operation: operation}, from: m.From, to: m.To, call: w.calls}
	fail := func(why string) bool {
		if v := w.nodes[t.to]; v != nil && v.call == t.call && !w.down[t.to] {
			w.remove(t.to)
		}
		t.job.Ended, t.job.Err = true, why

		return false
	}
	mine := func() bool { v := w.nodes[t.to]; return v != nil && v.call == t.call && !w.down[t.to] }
	t.steps = []func(*task) bool{
		func(*task) bool {
			if w.down[t.to] || w.nodes[t.to] != nil {
				return fail("there is a volume")
			}
			w.nodes[t.to] = &volume{operation: operation, call: t.call}

			return true
		},
		func(*task) bool {
			v := w.nodes[t.from]
			if w.down[t.from] || v == nil {
				return fail("source cannot be read")
			}
			t.read = v.content

			return true
		},
		func(*task) bool {
			if !mine() {
				return fail("target has gone")
			}
			w.nodes[t.to].content = t.read[:len(t.read)/2] // It was half written.

			return true
		},
		func(*task) bool {
			if !mine() {
				return fail("target has gone")
			}
			w.nodes[t.to].content = t.read

			return true
		},
		func(*task) bool {
			if !mine() {
				return fail("target has gone")
			}
			t.job.Ended, t.job.Digest = true, digest(w.nodes[t.to].content)

			return false
		},
	}

	return t
}

func (w *world) verifying(m *volumemove.Move, operation string) *task {
	t := &task{job: volumemove.Job{Operation: operation, Verifies: true}, from: m.From, to: m.To}
	read := func(node string, into *string) func(*task) bool {
		return func(t *task) bool {
			v := w.nodes[node]
			if w.down[node] || v == nil {
				t.job.Ended, t.job.Err = true, "cannot be read"
				return false
			}
			*into = digest(v.content)

			return true
		}
	}
	t.steps = []func(*task) bool{read(t.to, &t.job.Target), read(t.from, &t.job.Source), func(t *task) bool { t.job.Ended = true; return false }}

	return t
}

// work makes one step of a job.
func (w *world) work(t *task) {
	if t == nil || t.job.Ended || len(t.steps) == 0 {
		return
	}
	step := t.steps[0]
	t.steps = t.steps[1:]
	if !step(t) {
		t.steps = nil
	}
}

// kill ends the process. What it has begun ends with it, or goes on somewhere: a server that leads no more and does not know.
func (w *world) kill(lingers bool) {
	w.say("kill")
	if lingers && w.job != nil {
		w.zombies = append(w.zombies, w.job)
	}
	w.job, w.changed = nil, false
}

func same(a, b volumemove.State) bool { return show(a) == show(b) }

func show(s volumemove.State) string {
	out := fmt.Sprintf("node %s kept %q", s.Node, s.Kept)
	if s.Failed != nil {
		out += fmt.Sprintf(" failed %+v", *s.Failed)
	}
	if s.Move != nil {
		out += fmt.Sprintf(" move %+v", *s.Move)
	}

	return out
}

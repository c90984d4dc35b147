package volumerestore_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dogker/dogker/reconciler/volumerestore"
)

const uid = "5a1c"

// stored is what is in snapshots, by UID.
var stored = map[string]string{"uid-monday": "monday;", "uid-tuesday": "tuesday;"}

// volume is what a node has under a name. Its content is all that was ever written to it, in order.
type volume struct {
	content, operation string
	call               int
}

// task is what a job does, step by step. Each step is one call to an engine or a store.
type task struct {
	job   volumerestore.Job
	at    volumerestore.Place
	steps []func() bool // False ends it.
	call  int
}

// world is nodes, one container that writes, what is on record, and a process that can be killed.
type world struct {
	has     map[volumerestore.Place]*volume
	down    map[string]bool
	runs    *volumerestore.Place // What the container mounts; nil when it does not run.
	writes  int
	calls   int
	clock   time.Time
	wish    volumerestore.Wish
	taken   map[string]volumerestore.Snapshot // Snapshots by name.
	history []volumerestore.State
	job     *task
	zombies []*task
	// failing makes every write fail for that reason.
	failing   string
	permanent bool
	restored  int
	// strayed is true when a server has acted that leads no more: what it makes under a name that counts for nothing may stay.
	strayed bool
	log     []string
	broken  string // The first thing that must never happen.
}

func newWorld(has bool) *world {
	first := volumerestore.Place{Node: "a", Name: "data"}
	w := &world{
		has: map[volumerestore.Place]*volume{}, down: map[string]bool{}, clock: time.Unix(1e9, 0),
		taken: map[string]volumerestore.Snapshot{
			"monday":  {Standing: volumerestore.Ready, UID: "uid-monday", Bytes: 7},
			"tuesday": {Standing: volumerestore.Ready, UID: "uid-tuesday", Bytes: 8},
		},
		history: []volumerestore.State{{Place: first, Has: has}},
	}
	w.ask("")
	if has {
		w.has[first] = &volume{}
		w.runs = &first
		w.write()
	}

	return w
}

// ask wishes for a snapshot, as a new generation of the spec.
func (w *world) ask(snapshot string) {
	g := w.wish.Generation + 1
	w.wish = volumerestore.Wish{
		Volume: uid, Generation: g, Snapshot: snapshot, Place: volumerestore.Place{Node: "a", Name: fmt.Sprintf("data-r%d", g)},
	}
	w.say("wish %q", snapshot)
}

func (w *world) state() volumerestore.State { return w.history[len(w.history)-1] }

func (w *world) say(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) violate(format string, args ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf(format, args...)
		w.say("VIOLATED: %s", w.broken)
	}
}

// write is the container writing where it runs.
func (w *world) write() {
	if w.runs == nil || w.down[w.runs.Node] {
		return
	}
	v := w.has[*w.runs]
	if v == nil {
		w.violate("the container writes to %v, which is not there", *w.runs)
		return
	}
	w.writes++
	v.content += fmt.Sprintf("%d,", w.writes)
	w.say("write %d to %v", w.writes, *w.runs)
}

// containers obeys what is on record, by a view that may be old.
func (w *world) containers(s volumerestore.State) {
	if !s.Has || w.down[s.Node] {
		return
	}
	if w.has[s.Place] == nil {
		// An old view names what was let go since: its task is refused, because it is not usable.
		w.runs = nil
		return
	}
	if w.runs == nil || *w.runs != s.Place {
		w.say("container: %v", s.Place)
		w.runs = &s.Place
	}
}

func (w *world) presence(at volumerestore.Place) volumerestore.Presence {
	if w.down[at.Node] {
		return volumerestore.Presence{}
	}
	p := volumerestore.Presence{Known: true}
	if v := w.has[at]; v != nil {
		p.There, p.Operation = true, v.operation
	}

	return p
}

func (w *world) seen(s volumerestore.State) volumerestore.Seen {
	at := w.wish.Place
	if s.Restore != nil {
		at = s.Restore.Place
	}
	seen := volumerestore.Seen{Now: w.clock, Target: w.presence(at), Snapshot: w.taken[w.wish.Snapshot], MaxBytes: 100}
	if w.job != nil {
		j := w.job.job
		seen.Job = &j
	}

	return seen
}

// pass is one look of the controller at a state that may be old.
func (w *world) pass(s volumerestore.State, fresh bool) bool {
	d := volumerestore.Decide(s, w.wish, w.seen(s))
	if show(d.State) != show(s) {
		if d.Do != volumerestore.Nothing {
			w.violate("a decision changes what is on record and does %s", d.Do)
		}
		if !fresh {
			return true // Somebody has written meanwhile, and the write is refused.
		}
		w.check(s, d.State)
		w.history = append(w.history, d.State)
		w.say("record %s", show(d.State))

		return true
	}
	if d.Do == volumerestore.Nothing {
		return false
	}
	w.say("do %s %s", d.Do, d.Operation)
	w.strayed = w.strayed || !fresh
	w.do(d)

	return true
}

// check holds what is put on record against what is there.
func (w *world) check(old, now volumerestore.State) {
	if old.Place == now.Place && old.Has == now.Has {
		return
	}
	v := w.has[now.Place]
	if v == nil || v.content != stored[now.Done.UID] {
		w.violate("what counts now is not what is in the snapshot: %+v", v)
	}
	if old.Has && !slices.Contains(now.Superseded, old.Place) {
		w.violate("what it had is forgotten")
	}
	w.restored++
}

func (w *world) do(d volumerestore.Decision) {
	r := d.State.Restore
	switch d.Do {
	case volumerestore.Write:
		w.job = w.writing(r, d.Operation)
	case volumerestore.Cancel:
		w.job = nil
	case volumerestore.Discard:
		if v := w.has[r.Place]; v != nil && !w.down[r.Node] && v.operation == d.Operation {
			w.remove(r.Place)
		}
	}
}

// remove takes a volume away, which must not be what counts or is mounted.
func (w *world) remove(at volumerestore.Place) {
	if s := w.state(); s.Has && s.Place == at {
		w.violate("what counts is removed")
	}
	if w.runs != nil && *w.runs == at {
		return // Its engine refuses.
	}
	w.say("remove %v", at)
	delete(w.has, at)
}

// reclaim lets go of what is superseded on record and is mounted by nobody.
func (w *world) reclaim() {
	s := w.state()
	for _, at := range s.Superseded {
		if w.down[at.Node] || w.runs != nil && *w.runs == at {
			continue
		}
		w.remove(at)
		s.Superseded = slices.DeleteFunc(slices.Clone(s.Superseded), func(p volumerestore.Place) bool { return p == at })
		w.history = append(w.history, s)

		return
	}
}

// writing is a restore as internal/voldata makes one: verify, create, write, read back.
func (w *world) writing(r *volumerestore.Restore, operation string) *task {
	w.calls++
	t := &task{job: volumerestore.Job{Operation: operation}, at: r.Place, call: w.calls}
	fail := func(why string) bool {
		if v := w.has[t.at]; v != nil && v.call == t.call && !w.down[t.at.Node] {
			w.remove(t.at)
		}
		t.job.Ended, t.job.Err, t.job.Permanent = true, why, w.permanent

		return false
	}
	content := stored[r.UID]
	put := func(text string) func() bool {
		return func() bool {
			v := w.has[t.at]
			switch {
			case v == nil || v.call != t.call || w.down[t.at.Node]:
				return fail("what is being written has gone")
			case w.failing != "":
				return fail(w.failing)
			}
			v.content = text

			return true
		}
	}
	t.steps = []func() bool{
		func() bool {
			if w.down[t.at.Node] || w.has[t.at] != nil {
				return fail("there is a volume")
			}
			w.has[t.at] = &volume{operation: operation, call: t.call}

			return true
		},
		put(content[:len(content)/2]),
		put(content),
		func() bool {
			if v := w.has[t.at]; v == nil || v.call != t.call || v.content != content || w.down[t.at.Node] {
				return fail("it cannot be read back")
			}
			t.job.Ended = true

			return false
		},
	}

	return t
}

// work makes one step of a job.
func (w *world) work(t *task) {
	if t == nil || t.job.Ended || len(t.steps) == 0 {
		return
	}
	step := t.steps[0]
	t.steps = t.steps[1:]
	if !step() {
		t.steps = nil
	}
}

// kill ends the process. What it has begun ends with it, or goes on somewhere: a server that leads no more and does not know.
func (w *world) kill(lingers bool) {
	w.say("kill")
	if lingers && w.job != nil {
		w.strayed = true
		w.zombies = append(w.zombies, w.job)
	}
	w.job = nil
}

// settle lets everything come to its end: all nodes answer, nobody is killed, and views are fresh.
func (w *world) settle() {
	clear(w.down)
	for _, z := range w.zombies {
		for !z.job.Ended && len(z.steps) > 0 {
			w.work(z)
		}
	}
	for quiet, passes := 0, 0; quiet < 4 && passes < 500; passes++ {
		moved := w.pass(w.state(), true)
		w.containers(w.state())
		w.reclaim()
		if w.job != nil && !w.job.job.Ended {
			w.work(w.job)
			moved = true
		} else if w.job != nil && w.state().Restore == nil {
			w.job = nil
		}
		w.clock = w.clock.Add(time.Minute)
		if quiet++; moved || w.state().Restore != nil && passes < 400 {
			quiet = 0
		}
	}
}

// verify holds the end against what must be: one volume, whole, and nothing more. A server that leads no more may have left something
// under a name that counts for nothing.
func (w *world) verify(t fataler) {
	t.Helper()
	s, tidy := w.state(), !w.strayed
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf(format+"\n%s\n%s", append(args, show(s), strings.Join(w.log, "\n"))...)
	}

	switch v := w.has[s.Place]; {
	case w.broken != "":
		fail("%s", w.broken)
	case s.Restore != nil:
		fail("the restore does not end")
	case len(s.Superseded) > 0:
		fail("what it had before is not let go")
	case !s.Has && len(w.has) > 0 && tidy:
		fail("there is something, and nothing counts")
	case s.Has && v == nil:
		fail("what counts is not there")
	case s.Has && tidy && len(w.has) != 1:
		fail("there are %d volumes, want one: %v", len(w.has), w.has)
	case s.Has && s.Done != nil && !strings.HasPrefix(v.content, stored[s.Done.UID]):
		fail("%q is in the volume, want the snapshot and what was written since", v.content)
	case s.Has && s.Done == nil && strings.Count(v.content, ",") != w.writes:
		fail("%q is in the volume, want all %d writes", v.content, w.writes)
	case s.Has && (w.runs == nil || *w.runs != s.Place):
		fail("the container mounts %v", w.runs)
	case w.wish.Snapshot != "" && s.Failed == nil && (s.Done == nil || s.Done.Snapshot != w.wish.Snapshot) && w.taken[w.wish.Snapshot].Standing == volumerestore.Ready:
		d := volumerestore.Decide(s, w.wish, w.seen(s))
		if d.Why == "" {
			fail("it is not restored, without a word")
		}
	}

	n := len(w.history)
	for range 10 {
		if w.pass(w.state(), true) {
			fail("it is not quiet at the end")
		}
	}
	if len(w.history) != n {
		fail("something is written at the end")
	}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func show(s volumerestore.State) string {
	out := fmt.Sprintf("%v has %v superseded %v", s.Place, s.Has, s.Superseded)
	if s.Done != nil {
		out += fmt.Sprintf(" done %+v", *s.Done)
	}
	if s.Failed != nil {
		out += fmt.Sprintf(" failed %+v", *s.Failed)
	}
	if s.Restore != nil {
		out += fmt.Sprintf(" restore %+v", *s.Restore)
	}

	return out
}

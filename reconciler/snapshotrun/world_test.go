package snapshotrun_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/snapshotrun"
	"github.com/dogker/dogker/reconciler/volumejob"
)

const uid = "5a1c"

// task is what a job does, step by step. Each step but the last is one call to an engine or a store.
type task struct {
	job   volumejob.Job
	order volumejob.Order
	by    string
	steps []func(*task) string // What it fails with; empty goes on.
	undo  bool                 // Something was done before reading.
	first int                  // The writes that were there when reading began.
	torn  bool
	stop  bool
}

// world is one container that writes into a volume, a place of archives, what is on record, and servers of which one leads. Whoever leads no
// more may go on for a while without knowing.
type world struct {
	history []*v1alpha1.VolumeSnapshot // All that was ever on record.
	gone    bool                       // The object is.
	volume  *v1alpha1.Volume
	class   *v1alpha1.VolumeSnapshotClass
	clock   time.Time
	leader  string
	servers int
	jobs    map[string]*task // By server.
	ordered map[string]string
	old     string // A server that does not know yet that it leads no more; empty when there is none.
	zombies []*task

	frozen  bool
	hooked  bool // The pre hook has run, and the post hook has not since.
	writes  int
	archive *archive
	down    bool // The node is.
	away    bool // The place of archives is.
	hooks   bool // Hooks fail.

	log    []string
	broken string
}

type archive struct {
	writes int
	torn   bool
	made   time.Time
}

func newWorld(quiesce v1alpha1.QuiesceMode) *world {
	w := &world{clock: time.Unix(1e9, 0), jobs: map[string]*task{}, ordered: map[string]string{}}
	w.volume = vol()
	w.volume.Spec.Snapshots = &v1alpha1.VolumeSnapshots{
		Quiesce: quiesce, Hooks: &v1alpha1.SnapshotHooks{Container: "db", Pre: hook("pre"), Post: hook("post")},
	}
	w.class = class()
	w.history = []*v1alpha1.VolumeSnapshot{snapshot()}
	w.elect()

	return w
}

func hook(command v1alpha1.Text) *v1alpha1.SnapshotHook {
	return &v1alpha1.SnapshotHook{Command: []v1alpha1.Text{command}}
}

func vol() *v1alpha1.Volume {
	v := &v1alpha1.Volume{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "data", UID: "v-1"}}
	v.Status.Node, v.Status.ProvisionedAt = &v1alpha1.VolumeNode{ID: "a"}, new(metav1.Now())

	return v
}

func class() *v1alpha1.VolumeSnapshotClass {
	c := &v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{Name: "offsite"}}
	c.Spec.DeletionPolicy = v1alpha1.ReclaimDelete
	conditions.MarkReady(c, v1alpha1.ReasonStoreReady, "It can be used")

	return c
}

func snapshot() *v1alpha1.VolumeSnapshot {
	s := &v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "nightly", UID: types.UID(uid)}}
	s.Spec.Source.VolumeName, s.Spec.ClassName = "data", "offsite"

	return s
}

func (w *world) last() *v1alpha1.VolumeSnapshot { return w.history[len(w.history)-1] }

func (w *world) say(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) violate(format string, args ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf(format, args...)
		w.say("VIOLATED: %s", w.broken)
	}
}

// elect lets a new process lead. What the one before has begun ends with it, or goes on.
func (w *world) elect() {
	w.servers++
	w.leader = fmt.Sprintf("server-%d", w.servers)
	w.say("%s leads", w.leader)
}

func (w *world) kill(lingers bool) {
	if t := w.jobs[w.leader]; t != nil && lingers {
		w.zombies = append(w.zombies, t)
	}
	delete(w.jobs, w.leader)
	w.elect()
}

// usurp lets a new process lead while the one before goes on as if it still did.
func (w *world) usurp() {
	delete(w.jobs, w.old)
	w.old = w.leader
	w.elect()
}

func (w *world) write() {
	if w.frozen {
		return
	}
	w.writes++
	for _, t := range append(slices.Clip(w.zombies), w.jobs[w.leader], w.jobs[w.old]) {
		if t != nil && t.first >= 0 && t.first < w.writes {
			t.torn = true
		}
	}
}

func (w *world) node(string) snapshotrun.Node {
	if w.down {
		return snapshotrun.NodeDown
	}

	return snapshotrun.NodeReady
}

// pass is one look of a server at what may be an old record. It says whether something was done.
func (w *world) pass(server string, s *v1alpha1.VolumeSnapshot) bool {
	seen := snapshotrun.Seen{Now: w.clock, Process: server, Ordered: w.ordered[server], Volume: w.volume, Class: w.class, Container: "db", Node: w.node}
	if w.volume != nil {
		seen.Source, seen.Obstacle = snapshotrun.Source(w.volume, snapshotrun.Data{Name: "acme_data", Told: func(string) bool { return true }}, w.node)
	}
	if t := w.jobs[server]; t != nil {
		j := t.job
		seen.Job = &j
	}
	before := s.DeepCopy()
	d := snapshotrun.Decide(s, seen)
	if diff := cmp.Diff(before, s); diff != "" {
		w.violate("a decision changes what it is passed: %s", diff)
	}

	switch d.Do {
	case snapshotrun.Record:
		if s != w.last() || w.gone {
			return true // Somebody has written meanwhile, and the write is refused.
		}
		w.record(d.Record)
	case snapshotrun.Order:
		w.say("%s orders %s %s", server, d.Order.Kind, d.Order.Operation)
		if w.jobs[server] == nil {
			w.jobs[server], w.ordered[server] = w.begin(server, d.Order), d.Order.Operation
		}
	case snapshotrun.Cancel:
		w.say("%s cancels", server)
		if t := w.jobs[server]; t != nil && !t.job.Ended {
			t.stop = true
		}

		return false // It ends by its own steps.
	case snapshotrun.Dismiss:
		if t := w.jobs[server]; t == nil || !t.job.Ended {
			w.violate("what runs is dismissed")
		}
		delete(w.jobs, server)
	case snapshotrun.Finalize:
		if s == w.last() && !w.gone {
			w.say("%s lets go", server)
			w.gone = true
		}
	case snapshotrun.Ready:
		if !snapshotrun.Made(&s.Status) {
			w.violate("it is ready and was not made")
		}

		return false
	default:
		if d.Reason == "" || d.Message == "" {
			w.violate("%s without a word", d.Do)
		}

		return false
	}

	return true
}

func (w *world) record(next *v1alpha1.VolumeSnapshotStatus) {
	old := &w.last().Status
	if snapshotrun.Made(old) && w.last().DeletionTimestamp == nil {
		w.violate("what is ready changes: %s", cmp.Diff(old, next))
	}
	if old.Attempt != nil && next.Attempt != nil && next.Attempt.Number > old.Attempt.Number && (!old.Attempt.Ended || !old.Attempt.Undone) {
		w.violate("an attempt begins before the one before is over")
	}
	s := w.last().DeepCopy()
	s.Status = *next
	w.history = append(w.history, s)
	w.say("record %s", show(next))
}

func show(s *v1alpha1.VolumeSnapshotStatus) string {
	out := fmt.Sprintf("archive %q sum %q failures %d", s.ArchiveName, s.ArchiveSHA256, s.Failures)
	if s.LastFailure != nil {
		out += fmt.Sprintf(" last %+v", *s.LastFailure)
	}
	if s.Attempt != nil {
		out += fmt.Sprintf(" attempt %d by %s ended %v undone %v", s.Attempt.Number, s.Attempt.Process, s.Attempt.Ended, s.Attempt.Undone)
	}

	return out
}

// settle lets everything come to its end.
func (w *world) settle() {
	w.down, w.away, w.hooks = false, false, false
	// The longest pause is five minutes.
	for quiet, passes := 0, 0; quiet < 8 && passes < 500; passes++ {
		moved := !w.gone && w.pass(w.leader, w.last())
		if t := w.jobs[w.leader]; t != nil && !t.job.Ended {
			w.work(t)
			moved = true
		}
		w.write()
		w.clock = w.clock.Add(time.Minute)
		if quiet++; moved {
			quiet = 0
		}
	}
}

// verified holds the end against what must be.
func (w *world) verified(t interface {
	Helper()
	Fatalf(format string, args ...any)
},
) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf(format+"\n%s", append(args, strings.Join(w.log, "\n"))...)
	}
	s := w.last()
	made, failed := snapshotrun.Made(&s.Status), snapshotrun.Failed(&s.Status)

	switch {
	case w.broken != "":
		fail("%s", w.broken)
	case w.frozen:
		fail("the container is frozen at the end")
	case w.hooked && !w.gaveUp():
		fail("no post hook has run after the last pre hook")
	case s.DeletionTimestamp != nil && !w.gone:
		fail("it is being deleted, and is still there: %s", show(&s.Status))
	case w.gone && w.archive != nil:
		fail("it is gone, and its archive is not")
	case !w.gone && made == failed:
		fail("made is %v and failed is %v", made, failed)
	case made && !w.gone && w.archive == nil:
		fail("it is ready, and there is no archive")
	case made && !w.gone && w.archive.torn && w.volume.Spec.Snapshots.Quiesce == v1alpha1.QuiescePause:
		fail("it is ready, and of several moments, although what writes was to be frozen")
	}

	n := len(w.history)
	for range 10 {
		if !w.gone && w.pass(w.leader, w.last()) {
			fail("it is not quiet at the end")
		}
	}
	if len(w.history) != n {
		fail("something is written at the end")
	}
}

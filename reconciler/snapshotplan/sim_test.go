package snapshotplan_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
	"github.com/dogker/dogker/reconciler/snapshotplan"
	"github.com/dogker/dogker/reconciler/snapshotrun"
)

// chooser decides what happens in a simulation.
type chooser func(what string, from, to int) int

// sim is two servers, a store, and a clock that they share and that people put.
type sim struct {
	fail   func(format string, args ...any)
	choose chooser

	// passed is how time passes; skew is what the clock shows beside it.
	passed time.Time
	skew   time.Duration

	versions []*v1alpha1.Volume
	lists    [][]v1alpha1.VolumeSnapshot
	// ready is when what is being made is over.
	ready     map[string]time.Time
	servers   []*server
	restoring map[string]bool
	schedule  cron.Schedule
	since     time.Time // ticks count from then

	// made counts snapshots by ticks, and bad how many of them are counted as missed as well.
	made    map[string]int
	bad     int
	removed int
	writes  int
	putBack bool
	trace   []string
}

// server sees the store later than it is.
type server struct{ version, list int }

func newSim(choose chooser, fail func(string, ...any)) *sim {
	s := &sim{
		choose: choose, passed: noon, made: map[string]int{}, ready: map[string]time.Time{}, restoring: map[string]bool{},
		servers: []*server{{}, {}}, lists: [][]v1alpha1.VolumeSnapshot{nil},
	}
	s.fail = func(format string, args ...any) {
		fail(format+"\n%s", append(args, strings.Join(s.trace[max(0, len(s.trace)-40):], "\n"))...)
	}

	v := data(v1alpha1.VolumeSnapshots{
		Schedule: []v1alpha1.CronExpression{"*/5 * * * *", "@hourly", "30 2 * * *", "15,45 1-3 * * *", "0 */6 * * sun,mon"}[choose("schedule", 0, 4)],
		TimeZone: []string{"", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Jakarta"}[choose("zone", 0, 3)],
		Keep:     new(int32(choose("keep", 1, 4))),
	})
	v.Status.ProvisionedAt = nil
	s.versions = []*v1alpha1.Volume{v}
	s.schedule, _, _ = cron.Read(v.Spec.Snapshots.Schedule, v.Spec.Snapshots.TimeZone, nil)

	return s
}

func (s *sim) clock() time.Time                 { return s.passed.Add(s.skew) }
func (s *sim) latest() *v1alpha1.Volume         { return s.versions[len(s.versions)-1] }
func (s *sim) there() []v1alpha1.VolumeSnapshot { return s.lists[len(s.lists)-1] }

func (s *sim) edit(f func(*v1alpha1.Volume)) {
	v := s.latest().DeepCopy()
	f(v)
	s.versions = append(s.versions, v)
}

// change puts another list into the store.
func (s *sim) change(f func([]v1alpha1.VolumeSnapshot) []v1alpha1.VolumeSnapshot) {
	var list []v1alpha1.VolumeSnapshot
	for i := range s.there() {
		list = append(list, *s.there()[i].DeepCopy())
	}
	s.lists = append(s.lists, f(list))
}

func (s *sim) note(format string, args ...any) {
	s.trace = append(s.trace, fmt.Sprintf("%s (%s) ", s.passed.Format(time.RFC3339), s.skew)+fmt.Sprintf(format, args...))
}

// advance lets time pass, in which snapshots are made or fail.
func (s *sim) advance(d time.Duration) {
	s.passed = s.passed.Add(d)
	for name, at := range s.ready {
		if at.After(s.passed) {
			continue
		}
		delete(s.ready, name)
		works := s.choose("works", 0, 3) > 0
		s.change(func(list []v1alpha1.VolumeSnapshot) []v1alpha1.VolumeSnapshot {
			for i := range list {
				if list[i].Name == name && works {
					taken(s.clock())(&list[i])
				} else if list[i].Name == name {
					broken(&list[i])
				}
			}

			return list
		})
	}
}

// pass is one pass of a server, with what it happens to see.
func (s *sim) pass(i int) {
	srv := s.servers[i]
	srv.version = s.choose("version", max(srv.version, len(s.versions)-4), len(s.versions)-1)
	srv.list = s.choose("list", max(srv.list, len(s.lists)-4), len(s.lists)-1)

	in := snapshotplan.Input{Now: s.clock(), Volume: s.versions[srv.version], Snapshots: s.lists[srv.list], Restoring: s.restoring}
	p := snapshotplan.Decide(in)
	if p.Status == nil {
		s.fail("there is no status")
	}
	if was := in.Volume.Status.Snapshots; was != nil && p.Status.Missed < was.Missed {
		s.fail("missed went from %d to %d", was.Missed, p.Status.Missed)
	}

	if !equality.Semantic.DeepEqual(p.Status, in.Volume.Status.Snapshots) {
		if srv.version == len(s.versions)-1 { // Otherwise it is a conflict.
			s.record(in.Volume, p)
		}
		srv.version = len(s.versions) - 1

		return
	}

	if p.Create != nil {
		s.create(p.Create)
	}
	if len(p.Delete) > 0 {
		s.delete(p.Delete)
	}
}

func (s *sim) record(was *v1alpha1.Volume, p snapshotplan.Plan) {
	for _, m := range p.Missed {
		s.note("missed %d, %s: %s", m.Count, m.Reason, m.Message)
		if s.made[m.FirstTime.UTC().Format(time.RFC3339)] > 0 && m.Count == 1 {
			s.bad++ // It was made, and nobody has seen that yet.
		}
	}
	if p.Status.Pending != nil {
		s.note("pending %s", p.Status.Pending.Name)
	}
	if p.Status.Clock != nil && (was.Status.Snapshots == nil || was.Status.Snapshots.Clock == nil) {
		s.since = p.Status.Clock.DecidedUntil.Time
	}

	v := was.DeepCopy()
	v.Status.Snapshots = p.Status
	s.versions = append(s.versions, v)
	s.writes++
}

// create is what the controller does: it asks the store whether that is still to be made.
func (s *sim) create(x *v1alpha1.VolumeSnapshot) {
	at := x.Annotations[v1alpha1.AnnotationScheduledAt]
	pending := s.latest().Status.Snapshots.Pending
	if pending == nil || string(pending.Name) != x.Name || pending.ScheduledTime.UTC().Format(time.RFC3339) != at {
		return
	}
	if slices.ContainsFunc(s.there(), func(o v1alpha1.VolumeSnapshot) bool { return o.Name == x.Name }) {
		return
	}

	s.note("made %s", x.Name)
	if s.made[at]++; s.made[at] > 1 {
		s.fail("the tick %s has two snapshots", at)
	}
	x.CreationTimestamp = metav1.NewTime(s.clock())
	s.change(func(list []v1alpha1.VolumeSnapshot) []v1alpha1.VolumeSnapshot { return append(list, *x) })
	s.ready[x.Name] = s.passed.Add(time.Duration(s.choose("takes", 1, []int{60, 6000}[s.choose("slow", 0, 1)])) * time.Second)

	if s.choose("killed", 0, 3) > 0 {
		s.edit(func(v *v1alpha1.Volume) { v.Status.Snapshots.Pending = nil })
		s.writes++
	}
}

// delete is what the controller does: it looks again at what the store has, and leaves what is not to go by that.
func (s *sim) delete(names []string) {
	for _, x := range snapshotplan.Expired(s.latest(), s.there(), s.restoring, s.clock()) {
		if !slices.Contains(names, x.Name) {
			continue
		}

		s.note("removed %s", x.Name)
		if s.restoring[x.Name] {
			s.fail("%s goes, from which a Volume is restored", x.Name)
		}
		if _, ours := snapshotplan.Scheduled(s.latest(), x); !ours {
			s.fail("%s goes, which is not of the schedule", x.Name)
		}
		isGood := func(o v1alpha1.VolumeSnapshot) bool {
			_, ours := snapshotplan.Scheduled(s.latest(), &o)
			return ours && !s.restoring[o.Name] && snapshotrun.Made(&o.Status)
		}
		newer := func(o v1alpha1.VolumeSnapshot) bool {
			return isGood(o) && o.CreationTimestamp.After(x.CreationTimestamp.Time)
		}
		if snapshotrun.Made(&x.Status) && !slices.ContainsFunc(s.there(), newer) && !s.putBack {
			s.fail("%s goes, and is the newest", x.Name)
		}
		s.removed++
		s.take(x.Name)
		if snapshotrun.Made(&x.Status) && !slices.ContainsFunc(s.there(), isGood) {
			s.fail("%s goes, and no good one is left", x.Name)
		}
	}
}

func (s *sim) take(name string) {
	delete(s.ready, name)
	s.change(func(list []v1alpha1.VolumeSnapshot) []v1alpha1.VolumeSnapshot {
		return slices.DeleteFunc(list, func(o v1alpha1.VolumeSnapshot) bool { return o.Name == name })
	})
}

// people do something with one of the snapshots, but not with that of a tick which is not over for Dogker.
func (s *sim) people() {
	list := s.there()
	if len(list) == 0 {
		return
	}
	x := list[s.choose("whose", 0, len(list)-1)]
	if p := s.latest().Status.Snapshots; p != nil && p.Pending != nil && snapshotplan.IsOf(s.latest(), &x, p.Pending.ScheduledTime.Time) {
		return
	}
	if s.choose("restore", 0, 1) == 0 {
		s.restoring[x.Name] = !s.restoring[x.Name]
	} else {
		s.take(x.Name)
	}
}

// squat takes the name that the next snapshot would have.
func (s *sim) squat() {
	if at := s.schedule.Next(s.clock()); !at.IsZero() {
		x := v1alpha1.VolumeSnapshot{}
		x.Namespace, x.Name = "acme", snapshotplan.Names(s.latest(), at)[s.choose("candidate", 0, 1)]
		x.CreationTimestamp = metav1.NewTime(s.clock())
		if !slices.ContainsFunc(s.there(), func(o v1alpha1.VolumeSnapshot) bool { return o.Name == x.Name }) {
			s.change(func(list []v1alpha1.VolumeSnapshot) []v1alpha1.VolumeSnapshot { return append(list, x) })
		}
	}
}

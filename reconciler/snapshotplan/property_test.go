package snapshotplan_test

import (
	"math/rand/v2"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/snapshotplan"
	"github.com/dogker/dogker/reconciler/snapshotrun"
)

// TestProperties: whatever happens to servers, clocks and lists, a tick has one snapshot at most, what has none is counted, as many
// stay as are asked for and never none, and then it is quiet.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSim(func(what string, from, to int) int { return rapid.IntRange(from, to).Draw(t, what) }, t.Fatalf)
		s.live(rapid.IntRange(20, 60).Draw(t, "events"))
		s.verify()
	})
}

// TestThousandTicks is the same for a long time: one Volume after the other until there were enough snapshots.
func TestThousandTicks(t *testing.T) {
	const enough = 1200

	made, removed, missed, back, bad := 0, 0, int64(0), 0, 0

	for seed := uint64(1); made < enough; seed++ {
		random := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // chance, not secrecy
		s := newSim(func(_ string, from, to int) int { return from + random.IntN(to-from+1) }, func(format string, args ...any) {
			t.Helper()
			t.Fatalf("seed %d: "+format, append([]any{seed}, args...)...)
		})
		s.live(600)
		s.verify()

		made += len(s.made)
		removed += s.removed
		missed += s.latest().Status.Snapshots.Missed
		bad += s.bad
		if s.putBack {
			back++
		}
	}

	if removed < enough/4 || missed == 0 || back == 0 {
		t.Errorf("%d snapshots, %d removed, %d ticks missed, %d clocks put back: too little has happened", made, removed, missed, back)
	}
	t.Logf("%d snapshots, %d removed, %d ticks missed, %d Volumes whose clock was put back; %d were made and counted as missed", made, removed, missed, back, bad)
}

// live lets things happen.
func (s *sim) live(events int) {
	for range events {
		switch s.choose("event", 0, 24) {
		case 0:
			*s.servers[s.choose("which", 0, 1)] = server{}
		case 1:
			s.edit(func(v *v1alpha1.Volume) { v.Spec.Snapshots.Suspend = !v.Spec.Snapshots.Suspend })
		case 2:
			s.people()
		case 3: // Everything is down.
			s.advance(time.Duration(s.choose("downMinutes", 1, 3000)) * time.Minute)
		case 4:
			s.put(time.Duration(s.choose("forwardMinutes", 1, 60000)) * time.Minute)
		case 5:
			s.put(-time.Duration(s.choose("backMinutes", 1, 60000)) * time.Minute)
		case 6:
			s.put(time.Duration(s.choose("seconds", -90, 90)) * time.Second)
		case 7: // To the next change of the clock on the wall, where there is one.
			if zone, err := time.LoadLocation(s.latest().Spec.Snapshots.TimeZone); err == nil && s.skew == 0 {
				if _, put := s.passed.In(zone).ZoneBounds(); !put.IsZero() {
					s.advance(put.Sub(s.passed) - time.Duration(s.choose("before", 0, 180))*time.Minute)
				}
			}
		case 8:
			s.squat()
		case 9:
			s.edit(func(v *v1alpha1.Volume) { v.Spec.Snapshots.Keep = new(int32(s.choose("keepNow", 1, 4))) })
		case 10, 11:
			s.edit(func(v *v1alpha1.Volume) { v.Status.ProvisionedAt = new(metav1.NewTime(s.clock())) })
		default:
			s.advance([]time.Duration{time.Second, 5 * time.Second, 20 * time.Second, time.Minute, 10 * time.Minute, time.Hour}[s.choose("passes", 0, 5)])
		}

		for range s.choose("looks", 0, 4) {
			s.pass(s.choose("server", 0, 1))
			s.advance(time.Duration(s.choose("between", 0, 2)) * time.Second)
		}
	}
}

func (s *sim) put(d time.Duration) {
	s.skew += d
	s.putBack = s.putBack || d < 0
}

// verify holds what has become of a Volume against what was promised.
func (s *sim) verify() {
	s.edit(func(v *v1alpha1.Volume) {
		v.Spec.Snapshots.Suspend = true
		if v.Status.ProvisionedAt == nil {
			v.Status.ProvisionedAt = new(metav1.NewTime(s.clock()))
		}
	})
	s.rest()

	st := s.latest().Status.Snapshots
	due := s.schedule.Due(s.since, st.Clock.DecidedUntil.Time).Count
	if known := int64(len(s.made)-s.bad) + st.Missed; known < due || !s.putBack && known != due {
		s.fail("%d ticks were due, %d have snapshots and %d were missed, %d of them wrongly", due, len(s.made), st.Missed, s.bad)
	}

	// Nothing comes due for a while, and the rest is for retention.
	s.edit(func(v *v1alpha1.Volume) {
		v.Spec.Snapshots.Suspend, v.Spec.Snapshots.TimeZone = false, ""
		v.Spec.Snapshots.Schedule = v1alpha1.CronExpression(s.clock().AddDate(0, 0, -15).UTC().Format("0 0 2 1 *"))
	})
	s.rest()

	kept := 0
	for i := range s.there() {
		x := &s.there()[i]
		if _, ours := snapshotplan.Scheduled(s.latest(), x); ours && snapshotrun.Made(&x.Status) && !s.restoring[x.Name] {
			kept++
		}
	}
	if most := int(*s.latest().Spec.Snapshots.Keep); kept > most {
		s.fail("%d are kept of %d", kept, most)
	}
}

// rest waits until nothing is left to do, and then wants nothing to be done.
func (s *sim) rest() {
	for range 60 {
		s.advance(2 * time.Minute)
		s.pass(0)
		s.pass(1)
	}

	versions, lists := len(s.versions), len(s.lists)
	for range 50 {
		s.advance(time.Hour)
		s.pass(s.choose("server", 0, 1))
	}
	if len(s.versions) != versions || len(s.lists) != lists {
		s.fail("at rest there are %d writes", len(s.versions)-versions+len(s.lists)-lists)
	}
}

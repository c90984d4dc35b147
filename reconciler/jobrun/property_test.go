package jobrun_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
)

// TestProperties: whatever happens to servers, clocks and lists, a tick has one run at most, what has none is counted, what is kept
// is bounded, nothing is left behind, and then it is quiet.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSim(func(what string, from, to int) int { return rapid.IntRange(from, to).Draw(t, what) }, t.Fatalf)
		s.live(rapid.IntRange(20, 60).Draw(t, "events"))
		s.verify()
	})
}

// TestThousandRuns is the same for a long time: one job after the other until there were enough runs.
func TestThousandRuns(t *testing.T) {
	const enough = 1200

	runs, made, missed, back, again := 0, 0, int64(0), 0, 0

	for seed := uint64(1); runs < enough; seed++ {
		random := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // chance, not secrecy
		s := newSim(func(_ string, from, to int) int { return from + random.IntN(to-from+1) }, func(format string, args ...any) {
			t.Helper()
			t.Fatalf("seed %d: "+format, append([]any{seed}, args...)...)
		})
		s.live(600)
		s.verify()

		runs += len(s.recorded)
		made += len(s.made)
		missed += s.latest().Status.MissedRuns
		again += s.again
		if s.putBack {
			back++
		}
	}

	if made < enough/2 || missed == 0 || back == 0 {
		t.Errorf("%d runs, %d services, %d ticks missed, %d clocks put back: too little has happened", runs, made, missed, back)
	}
	t.Logf("%d runs, %d services, %d ticks missed, %d jobs whose clock was put back; %d runs that had been stopped came once more", runs, made, missed, back, again)
}

// live lets things happen.
func (s *sim) live(events int) {
	for range events {
		switch s.choose("event", 0, 24) {
		case 0:
			s.restart(s.choose("which", 0, 1))
		case 1:
			s.held = !s.held
		case 2:
			s.edit(func(j *v1alpha1.TenantJob) { j.Spec.Suspend = !j.Spec.Suspend })
		case 3: // Everything is down.
			s.advance(time.Duration(s.choose("downMinutes", 1, 3000)) * time.Minute)
		case 4:
			s.put(time.Duration(s.choose("forwardMinutes", 1, 60000)) * time.Minute)
		case 5:
			s.put(-time.Duration(s.choose("backMinutes", 1, 60000)) * time.Minute)
		case 6:
			s.put(time.Duration(s.choose("seconds", -90, 90)) * time.Second)
		case 7: // To the next change of the clock on the wall, where there is one.
			if zone, err := time.LoadLocation(s.latest().Spec.TimeZone); err == nil && s.skew == 0 {
				if _, put := s.passed.In(zone).ZoneBounds(); !put.IsZero() {
					s.advance(put.Sub(s.passed) - time.Duration(s.choose("before", 0, 180))*time.Minute)
				}
			}
		case 8: // Somebody removes by hand what has been seen.
			s.arriveAll()
			for _, r := range s.latest().Status.Active {
				if svc := s.services[r.Name]; r.ServiceID != "" && svc != nil && svc.removed.IsZero() {
					svc.removed = s.passed
				}
			}
			s.look()
		default:
			s.advance([]time.Duration{time.Second, 5 * time.Second, 20 * time.Second, time.Minute, 10 * time.Minute, time.Hour}[s.choose("passes", 0, 5)])
		}

		for range s.choose("looks", 0, 4) {
			s.pass(s.choose("server", 0, 1))
			s.advance(time.Duration(s.choose("between", 0, 2)) * time.Second)
		}
	}
}

// arriveAll waits for what is on its way. A call that is slow while somebody puts the clock, or removes by hand what it is to make, is
// more than is promised.
func (s *sim) arriveAll() {
	for len(s.calls) > 0 {
		s.advance(time.Second)
	}
}

func (s *sim) put(d time.Duration) {
	s.arriveAll()
	s.skew += d
	s.putBack = s.putBack || d < 0
}

// verify holds what has become of a job against what was promised.
func (s *sim) verify() {
	if !s.settle() {
		s.fail("it does not come to rest: %s", s.left())
	}

	j := s.latest()
	succeeded, failed := int32(0), int32(0)
	for _, r := range j.Status.History {
		if r.Phase == v1alpha1.RunSucceeded {
			succeeded++
		} else {
			failed++
		}
	}
	if succeeded > *j.Spec.SuccessfulJobsHistoryLimit || failed > *j.Spec.FailedJobsHistoryLimit {
		s.fail("%d that succeeded and %d that did not are kept, of %d and %d", succeeded, failed, *j.Spec.SuccessfulJobsHistoryLimit, *j.Spec.FailedJobsHistoryLimit)
	}
	if all := j.Status.Succeeded + j.Status.Failed; all != int64(len(s.recorded)) {
		s.fail("%d runs have ended of %d", all, len(s.recorded))
	}
	for run := range s.made {
		if s.recorded[run] == 0 {
			s.fail("run %s was made and is not on record", run)
		}
	}

	schedule, _, invalid := cron.Of(&j.Spec, field.NewPath("spec"))
	if invalid != nil {
		s.fail("%v", invalid)
	}
	if j.Status.Clock == nil {
		return
	}

	// A clock that was put back shows ticks again, and those that were missed may be missed again.
	due := schedule.Due(noon, j.Status.Clock.DecidedUntil.Time).Count
	if known := int64(len(s.recorded)) + j.Status.MissedRuns; known < due || !s.putBack && known != due {
		s.fail("%d ticks were due, %d had runs and %d were missed", due, len(s.recorded), j.Status.MissedRuns)
	}

	before := len(s.versions)
	for range 50 {
		s.advance(time.Hour)
		if p := s.pass(s.choose("server", 0, 1)); len(p.Steps) > 0 {
			s.fail("at rest there is %v", p.Steps)
		}
	}
	if len(s.versions) != before {
		s.fail("at rest there are %d writes", len(s.versions)-before)
	}
}

package alert_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"pgregory.net/rapid"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
)

var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// world is an Alert, its outbox, and a clock.
type world struct {
	t     fataler
	alert monitoringv1.Alert
	now   time.Time
	// put are notices by ID, told the same in the order in which they were put first.
	put  map[string]alert.Notification
	told []alert.Notification
	// read has each pass begin with what the API would give back.
	read bool
	// receivers are told.
	receivers []string
}

type fataler interface {
	Fatalf(format string, args ...any)
}

func newWorld(t fataler, spec monitoringv1.AlertSpec) *world {
	w := &world{t: t, now: start, put: map[string]alert.Notification{}, read: true, receivers: []string{"ops"}}
	w.alert.Name, w.alert.Namespace, w.alert.UID, w.alert.Spec = "web", "acme", "uid", spec

	return w
}

// pass is one of the controller's. One that crashes does so after it has put notices, before anything is on record.
func (w *world) pass(crash bool, observed ...alert.Observation) {
	a := *w.alert.DeepCopy()

	for _, n := range alert.Notifications(&a) {
		before, again := w.put[n.ID]
		if again && !cmp.Equal(before, n) {
			w.t.Fatalf("one ID has two contents:\n%s", cmp.Diff(before, n))
		}

		if !again {
			w.put[n.ID], w.told = n, append(w.told, n)
		}
	}

	if crash {
		return
	}

	mutes, err := alert.MutesOf(&a.Spec, field.NewPath("spec"))
	if err != nil {
		w.t.Fatalf("%s", err)
	}

	alert.Sent(&a.Status)
	alert.Step(&a.Spec, &a.Status, observed, w.now)
	alert.Plan(&a.Spec, &a.Status, mutes, w.receivers, w.now)

	if w.read {
		w.reread(&a)
	}

	w.alert = a
}

func (w *world) reread(a *monitoringv1.Alert) {
	raw, err := json.Marshal(a)
	if err != nil {
		w.t.Fatalf("%s", err)
	}

	*a = monitoringv1.Alert{}
	if err := json.Unmarshal(raw, a); err != nil {
		w.t.Fatalf("%s", err)
	}
}

// after is a pass at a later time, and another one for what that has put on record.
func (w *world) after(d time.Duration, observed ...alert.Observation) {
	w.now = w.now.Add(d)
	w.pass(false, observed...)
	w.pass(false, observed...)
}

func is(name string, v alert.Verdict) alert.Observation {
	return alert.Observation{Labels: map[string]string{alert.LabelContainer: name}, Verdict: v}
}

func duration(d time.Duration) metav1.Duration { return metav1.Duration{Duration: d} }

// spec is that of the Alert that each tenant has, with what the schema says of others.
func spec() monitoringv1.AlertSpec {
	s := alert.ContainersDown()
	s.GroupWait = duration(30 * time.Second)

	return s
}

func drawSpec(t *rapid.T) monitoringv1.AlertSpec {
	seconds := func(name string, of ...int) metav1.Duration {
		return duration(time.Duration(rapid.SampledFrom(of).Draw(t, name)) * time.Second)
	}

	s := spec()
	s.For = seconds("for", 0, 0, 20, 60)
	s.KeepFiringFor = seconds("keepFiringFor", 0, 30, 300)
	s.GroupWait, s.GroupInterval = seconds("groupWait", 0, 30), seconds("groupInterval", 0, 60, 300)

	if rapid.Bool().Draw(t, "byContainer") {
		s.GroupBy = []string{alert.LabelContainer}
	}

	every := seconds("repeatInterval", 0, 600, 43200)
	s.RepeatInterval = &every

	return s
}

var verdicts = []alert.Verdict{alert.Unknown, alert.Well, alert.Wrong, alert.Stopped}

func drawObserved(t *rapid.T, of []alert.Verdict) []alert.Observation {
	var out []alert.Observation

	for _, name := range []string{"api", "web"} {
		if v := rapid.IntRange(0, len(of)).Draw(t, name); v < len(of) {
			out = append(out, is(name, of[v]))
		}
	}

	return out
}

// TestEachIncidentIsToldOnce: whatever happens, and wherever the process dies, one receiver gets at most one notice that an
// incident has begun, besides repeats, and at most one that it is over, and a notice has one content.
func TestEachIncidentIsToldOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, drawSpec(t))
		w.receivers = []string{"", "ops"}

		for range rapid.IntRange(1, 80).Draw(t, "passes") {
			w.now = w.now.Add(time.Duration(rapid.SampledFrom([]int{1, 5, 15, 40, 120, 900}).Draw(t, "later")) * time.Second)
			w.pass(rapid.IntRange(0, 4).Draw(t, "crash") == 0, drawObserved(t, verdicts)...)
		}

		// A notice about a group names all that fire in it: what counts is that it says something new, and what it says
		// is over was not told to be before.
		first := map[string]bool{}

		for _, n := range w.told {
			news := n.Repeat

			for _, i := range n.Incidents {
				key := fmt.Sprint(i.Fingerprint, " ", i.StartsAt.Unix(), " ", n.Receiver.Name, " ", i.Status)
				news = news || !first[key]

				if first[key] && i.Status == alert.StatusResolved {
					t.Fatalf("incident %s was told twice to be over", key)
				}

				first[key] = true
			}

			if !news {
				t.Fatalf("a notice that is no repeat says nothing new: %+v", n)
			}
		}
	})
}

// TestReadingBackChangesNothing: what is decided is a function of what the API keeps.
func TestReadingBackChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpec(t)
		kept, read := newWorld(t, s), newWorld(t, s)
		kept.read = false

		for range rapid.IntRange(1, 60).Draw(t, "passes") {
			later := time.Duration(rapid.IntRange(0, 200_000).Draw(t, "later")) * time.Millisecond
			observed := drawObserved(t, verdicts)
			kept.now, read.now = kept.now.Add(later), read.now.Add(later)
			kept.pass(false, observed...)
			read.pass(false, observed...)
		}

		if diff := cmp.Diff(kept.told, read.told); diff != "" {
			t.Fatalf("what was told differs (-kept +read):\n%s", diff)
		}
	})
}

// TestWhatIsWantedIsNoIncident: what is well, is stopped, or is not known, is told to nobody.
func TestWhatIsWantedIsNoIncident(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, drawSpec(t))

		for range rapid.IntRange(1, 60).Draw(t, "passes") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "later")) * time.Second)
			w.pass(false, drawObserved(t, []alert.Verdict{alert.Unknown, alert.Well, alert.Stopped})...)
		}

		if len(w.told) > 0 || len(w.alert.Status.Series) > 0 {
			t.Fatalf("told %d notices, remembers %v", len(w.told), w.alert.Status.Series)
		}
	})
}

// TestFlappingIsToldTwiceAtMost: however often and how a series goes back and forth, as long as it is never quiet for
// keepFiringFor it is one incident, and gives at most two notices.
func TestFlappingIsToldTwiceAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spec()
		s.For = duration(time.Duration(rapid.SampledFrom([]int{0, 20}).Draw(t, "for")) * time.Second)
		w := newWorld(t, s)

		for range rapid.IntRange(1, 20).Draw(t, "times") {
			for range rapid.IntRange(1, 40).Draw(t, "down") {
				w.after(15*time.Second, is("web", alert.Wrong))
			}
			for range rapid.IntRange(1, 19).Draw(t, "up") {
				w.after(15*time.Second, is("web", alert.Well))
			}
		}
		for range 40 {
			w.after(15*time.Second, is("web", alert.Well))
		}

		had := len(w.told)
		if had == 0 && s.For.Duration == 0 || had > 2 || len(w.alert.Status.Series) > 0 {
			t.Fatalf("told %d notices, remembers %v", had, w.alert.Status.Series)
		}
	})
}

// TestWhatLastsIsTold: what is wrong for long enough is told, whatever was before.
func TestWhatLastsIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, drawSpec(t))

		for range rapid.IntRange(0, 40).Draw(t, "passes") {
			w.now = w.now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "later")) * time.Second)
			w.pass(rapid.Bool().Draw(t, "crash"), drawObserved(t, verdicts)...)
		}
		for range 60 {
			w.after(15*time.Second, is("web", alert.Wrong))
		}

		var last alert.Status

		for _, n := range w.told {
			for _, i := range n.Incidents {
				if i.Subject.Name == "web" {
					last = i.Status
				}
			}
		}

		if last != alert.StatusFiring {
			t.Fatalf("the last that was told of what is wrong is %q", last)
		}
	})
}

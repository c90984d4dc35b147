package alert_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
)

// moment is what is observed of web from when on, in seconds.
type moment struct {
	at int
	is alert.Verdict
}

func TestStory(t *testing.T) {
	type told struct {
		At       int
		Status   alert.Status
		Repeat   bool
		Starts   int
		Ends     int
		Occurred string
		Ending   string
	}

	cases := map[string]struct {
		reason string
		change func(*monitoringv1.AlertSpec)
		story  []moment
		until  int
		want   []told
	}{
		"KilledOnce": {
			reason: "A task that failed and was replaced is told once, when it has lasted.",
			story:  []moment{{10, alert.Wrong}, {20, alert.Well}},
			want:   []told{{At: 320, Status: alert.StatusResolved, Starts: 10, Ends: 20}},
		},
		"StaysDown": {
			reason: "What lasts is told at once, and when it is over.",
			story:  []moment{{10, alert.Wrong}, {900, alert.Well}},
			until:  3000,
			want: []told{
				{At: 40, Status: alert.StatusFiring, Starts: 10},
				{At: 1200, Status: alert.StatusResolved, Starts: 10, Ends: 900},
			},
		},
		"StoppedByItsUser": {
			reason: "Somebody who stops something knows.",
			story:  []moment{{0, alert.Well}, {10, alert.Stopped}, {500, alert.Well}},
		},
		"StoppedWhileFailing": {
			reason: "Nothing was told yet, and it is not wrong any more.",
			story:  []moment{{10, alert.Wrong}, {20, alert.Stopped}},
		},
		"StoppedAfterItWasTold": {
			reason: "Other systems wait to be told that it is over.",
			story:  []moment{{10, alert.Wrong}, {100, alert.Stopped}},
			want: []told{
				{At: 40, Status: alert.StatusFiring, Starts: 10},
				{At: 340, Status: alert.StatusResolved, Starts: 10, Ends: 100, Ending: alert.EndingStopped},
			},
		},
		"KilledAgain": {
			reason: "What comes back is not over, and is told as it comes back.",
			story:  []moment{{10, alert.Wrong}, {20, alert.Well}, {100, alert.Wrong}, {110, alert.Well}},
			want: []told{
				{At: 100, Status: alert.StatusFiring, Starts: 10, Occurred: "2"},
				{At: 410, Status: alert.StatusResolved, Starts: 10, Ends: 110, Occurred: "2"},
			},
		},
		"TwoIncidents": {
			reason: "After keepFiringFor it is another incident.",
			story:  []moment{{10, alert.Wrong}, {20, alert.Well}, {1000, alert.Wrong}, {1010, alert.Well}},
			until:  3000,
			want: []told{
				{At: 320, Status: alert.StatusResolved, Starts: 10, Ends: 20},
				{At: 1310, Status: alert.StatusResolved, Starts: 1000, Ends: 1010},
			},
		},
		"For": {
			reason: "What does not last as long as it must is nothing.",
			change: func(s *monitoringv1.AlertSpec) { s.For = duration(time.Minute) },
			story:  []moment{{10, alert.Wrong}, {60, alert.Well}, {100, alert.Wrong}},
			want:   []told{{At: 190, Status: alert.StatusFiring, Starts: 100}},
		},
		"Repeats": {
			reason: "What still fires is told again after repeatInterval.",
			change: func(s *monitoringv1.AlertSpec) { s.RepeatInterval = &metav1.Duration{Duration: 10 * time.Minute} },
			story:  []moment{{10, alert.Wrong}},
			until:  1300,
			want: []told{
				{At: 40, Status: alert.StatusFiring, Starts: 10},
				{At: 640, Status: alert.StatusFiring, Starts: 10, Repeat: true},
				{At: 1240, Status: alert.StatusFiring, Starts: 10, Repeat: true},
			},
		},
		"NotKnownChangesNothing": {
			reason: "What is not known is neither well nor wrong.",
			story:  []moment{{10, alert.Wrong}, {100, alert.Unknown}, {500, alert.Wrong}},
			want:   []told{{At: 40, Status: alert.StatusFiring, Starts: 10}},
		},
		"SilencedAndOver": {
			reason: "What begins and ends in a silence was meant to be silent.",
			change: func(s *monitoringv1.AlertSpec) {
				s.Silences = []monitoringv1.Silence{{Until: metav1.NewTime(start.Add(400 * time.Second))}}
			},
			story: []moment{{10, alert.Wrong}, {20, alert.Well}},
		},
		"SilencedAndNotOver": {
			reason: "What still fires when a silence ends is told then.",
			change: func(s *monitoringv1.AlertSpec) {
				s.Silences = []monitoringv1.Silence{
					{Until: metav1.NewTime(start.Add(400 * time.Second)), MatchLabels: map[string]monitoringv1.AlertText{"container": "web"}},
				}
			},
			story: []moment{{10, alert.Wrong}},
			want:  []told{{At: 400, Status: alert.StatusFiring, Starts: 10}},
		},
		"SilenceOfAnother": {
			reason: "A silence with labels is for series that have them.",
			change: func(s *monitoringv1.AlertSpec) {
				s.Silences = []monitoringv1.Silence{
					{Until: metav1.NewTime(start.Add(400 * time.Second)), MatchLabels: map[string]monitoringv1.AlertText{"container": "db"}},
				}
			},
			story: []moment{{10, alert.Wrong}},
			want:  []told{{At: 40, Status: alert.StatusFiring, Starts: 10}},
		},
		"MutedByNight": {
			reason: "In windows of muteTimes nothing is told; it is Monday, midnight.",
			change: func(s *monitoringv1.AlertSpec) {
				s.MuteTimes = &v1alpha1.Schedule{Windows: []v1alpha1.RunWindow{{Days: []v1alpha1.Weekday{"Mon"}, Start: "00:00", Stop: "00:10"}}}
			},
			story: []moment{{10, alert.Wrong}},
			want:  []told{{At: 600, Status: alert.StatusFiring, Starts: 10}},
		},
		"NoWordWhenItIsOver": {
			reason: "Some want to know only that something is wrong.",
			change: func(s *monitoringv1.AlertSpec) { s.SendResolved = new(bool) },
			story:  []moment{{10, alert.Wrong}, {100, alert.Well}},
			want:   []told{{At: 40, Status: alert.StatusFiring, Starts: 10}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := spec()
			if tc.change != nil {
				tc.change(&s)
			}

			w, now := newWorld(t, s), alert.Well
			seen := 0

			var got []told

			for second := 0; second <= max(tc.until, 900); second++ {
				for _, m := range tc.story {
					if m.at == second {
						now = m.is
					}
				}

				w.now = start.Add(time.Duration(second) * time.Second)
				w.pass(false, is("web", now))
				w.pass(false, is("web", now))

				for ; seen < len(w.told); seen++ {
					n := w.told[seen]
					i := n.Incidents[0]
					one := told{
						At: second, Status: n.Status, Repeat: n.Repeat, Starts: int(i.StartsAt.Sub(start).Seconds()),
						Occurred: i.Facts[alert.FactOccurrences], Ending: i.Facts[alert.FactEnding],
					}

					if !i.EndsAt.IsZero() {
						one.Ends = int(i.EndsAt.Sub(start).Seconds())
					}

					got = append(got, one)
				}
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\ntold (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

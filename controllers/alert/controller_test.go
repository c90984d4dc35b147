package alert

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/conditions"
)

const (
	firing   = alert.StatusFiring
	resolved = alert.StatusResolved
)

func want(t *testing.T, w *world, reason string, statuses ...alert.Status) {
	t.Helper()

	if diff := cmp.Diff(statuses, w.statuses()); diff != "" {
		t.Errorf("%s\ntold (-want +got):\n%s", reason, diff)
	}
}

func TestKilledContainer(t *testing.T) {
	play(t, watch(nil), tenant(), func(w *world) {
		w.ready("web", metav1.ConditionTrue, "Running")
		w.run(2 * time.Minute)
		w.ready("web", metav1.ConditionFalse, "TaskFailed")
		w.run(10 * time.Second)
		w.ready("web", metav1.ConditionTrue, "Running")
		w.run(20 * time.Minute)

		want(t, w, "A container that was killed and replaced is one notice.", resolved)

		n := w.told[0]
		if n.Receiver != (alert.ReceiverRef{Namespace: "acme"}) || n.Incidents[0].Subject.Name != "web" || n.Incidents[0].Facts[alert.FactReason] != "TaskFailed" {
			t.Errorf("the notice does not say whom, what and why: %+v", n)
		}

		if a := w.alert(); len(a.Status.Series) > 0 || a.Status.LastNotificationTime == nil {
			t.Errorf("what is told stays in the status: %+v", a.Status)
		}
	})
}

func TestWantedStop(t *testing.T) {
	play(t, watch(nil), tenant(), func(w *world) {
		w.ready("web", metav1.ConditionTrue, "Running")
		w.run(2 * time.Minute)
		w.ready("web", metav1.ConditionFalse, "Suspended")
		w.run(time.Hour)
		w.ready("web", metav1.ConditionTrue, "ScaledToZero")
		w.run(time.Hour)

		want(t, w, "Somebody who stops a container knows.")
	})
}

func TestContainerThatStaysDown(t *testing.T) {
	play(t, watch(nil), tenant(), func(w *world) {
		w.ready("web", metav1.ConditionFalse, "CrashLoop")
		w.run(2 * time.Minute)
		want(t, w, "It is told after a minute.", firing)

		// Another server takes over, and while it is being replaced it is not well.
		w.begin()
		w.ready("web", metav1.ConditionFalse, "Progressing")
		w.run(time.Hour)
		want(t, w, "Nothing is told twice.", firing)

		w.ready("web", metav1.ConditionTrue, "Running")
		w.run(10 * time.Minute)
		want(t, w, "It is over.", firing, resolved)
	})
}

// TestCrashes: wherever a pass dies, a notice is told once.
func TestCrashes(t *testing.T) {
	play(t, watch(nil), tenant(), func(w *world) {
		w.ready("web", metav1.ConditionFalse, "CrashLoop")

		for range 40 {
			w.noPatch = true
			w.run(3 * time.Second)
			w.begin()
			w.run(2 * time.Second)
		}

		want(t, w, "What was put into the outbox and not noted is put once more, and is the same.", firing)
	})
}

func TestOutboxDown(t *testing.T) {
	play(t, watch(nil), tenant(), func(w *world) {
		w.outboxDown = true
		w.ready("web", metav1.ConditionFalse, "CrashLoop")
		w.run(10 * time.Minute)

		if a := w.alert(); !alert.Outstanding(&a.Status) {
			t.Errorf("what is to be told is not on record: %+v", a.Status)
		}

		w.outboxDown = false
		w.run(10 * time.Minute)
		want(t, w, "What could not be put is put later.", firing)
	})
}

func TestAtRestNothingIsWritten(t *testing.T) {
	a := watch(func(s *monitoringv1.AlertSpec) {
		s.Condition, s.Threshold = nil, &monitoringv1.ThresholdRule{Metric: monitoringv1.MetricMemory, Value: resource.MustParse("500")}
	})
	play(t, a, tenant(), func(w *world) {
		for i := range uint64(40) {
			w.sample(600 + i)
			w.run(15 * time.Second)
		}

		before := w.writes

		for i := range uint64(40) {
			w.sample(600 + i)
			w.run(15 * time.Second)
		}

		if w.writes != before {
			t.Errorf("%d writes for values that change and states that do not", w.writes-before)
		}

		want(t, w, "It fires all the time.", firing)
	})
}

func TestThresholdNeedsData(t *testing.T) {
	a := watch(func(s *monitoringv1.AlertSpec) {
		s.Condition, s.Threshold = nil, &monitoringv1.ThresholdRule{Metric: monitoringv1.MetricMemoryLimitRatio, Value: resource.MustParse("0.5")}
	})
	play(t, a, tenant(), func(w *world) {
		w.run(2 * time.Minute)

		if ready := conditions.Get(w.alert(), conditions.Ready); ready.Reason != monitoringv1.ReasonNoData || ready.Status != metav1.ConditionUnknown {
			t.Errorf("without samples Ready is %+v", ready)
		}

		for range 8 {
			w.sample(900)
			w.run(15 * time.Second)
		}

		// The agent does not answer for an hour, and then the container is well.
		w.run(time.Hour)
		want(t, w, "What is not known is not well.", firing)

		for range 30 {
			w.sample(100)
			w.run(15 * time.Second)
		}

		want(t, w, "It is well.", firing, resolved)

		if got := w.told[0].Incidents[0].Facts; got[alert.FactValue] != "0.9" || got[alert.FactThreshold] != "0.5" {
			t.Errorf("the facts are %v", got)
		}
	})
}

func TestQueries(t *testing.T) {
	a := watch(func(s *monitoringv1.AlertSpec) {
		s.Condition, s.Threshold = nil, &monitoringv1.ThresholdRule{Query: "rate(errors[5m])", Value: resource.MustParse("1")}
		s.AllNamespaces = true // It is no Alert of the platform, so that it means nothing.
	})
	play(t, a, tenant(), func(w *world) {
		w.results = []Result{{Labels: map[string]string{"__name__": "x", "path": "/a"}, Value: 2}, {Labels: map[string]string{"path": "/b"}, Value: 0}}
		w.run(2 * time.Minute)
		want(t, w, "One of the two is over the threshold.", firing)

		if got := w.told[0].Incidents; len(got) != 1 || got[0].Labels["path"] != "/a" || w.asked != "acme: rate(errors[5m])" {
			t.Errorf("told %+v, asked %q", got, w.asked)
		}

		w.queryErr = errBoom
		w.run(time.Hour)
		want(t, w, "A Prometheus that does not answer changes nothing.", firing)

		if ready := conditions.Get(w.alert(), conditions.Ready); ready.Reason != monitoringv1.ReasonQueryFailed {
			t.Errorf("Ready is %+v", ready)
		}

		w.queryErr, w.results = nil, nil
		w.run(10 * time.Minute)
		want(t, w, "What the query gives no more is well.", firing, resolved)
	})
}

func TestHeartbeat(t *testing.T) {
	a := watch(func(s *monitoringv1.AlertSpec) {
		s.Condition, s.Absent = nil, &monitoringv1.AbsentRule{Of: monitoringv1.AbsentHeartbeat}
		s.For, s.KeepFiringFor = metav1.Duration{Duration: time.Hour}, metav1.Duration{}
	})
	play(t, a, tenant(), func(w *world) {
		for i := range 5 {
			a := w.alert()
			a.Annotations = map[string]string{monitoringv1.AnnotationHeartbeat: time.Now().String()}

			if err := w.client.Update(w.t.Context(), a); err != nil {
				t.Fatal(err)
			}

			w.run(50 * time.Minute)

			if i == 2 {
				w.begin() // A new process gives whoever could not reach the old one as long again.
			}
		}

		want(t, w, "It beats.")
		w.run(time.Hour)
		want(t, w, "It is late.", firing)

		a := w.alert()
		a.Annotations[monitoringv1.AnnotationHeartbeat] = "again"

		if err := w.client.Update(w.t.Context(), a); err != nil {
			t.Fatal(err)
		}

		w.run(10 * time.Minute)
		want(t, w, "It beats again.", firing, resolved)
	})
}

func TestReceivers(t *testing.T) {
	chat := &monitoringv1.Receiver{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "chat"}}
	elsewhere := &monitoringv1.Receiver{ObjectMeta: metav1.ObjectMeta{Namespace: "globex", Name: "pager"}}
	cases := map[string]struct {
		reason  string
		objects []client.Object
		named   string
		to      []string
		found   string
	}{
		"Contacts":      {reason: "Who declares nothing is told by mail.", objects: tenant(), to: []string{""}},
		"ItsOwn":        {reason: "A Receiver has all topics.", objects: append(tenant(), chat), to: []string{"chat"}},
		"Named":         {reason: "So is who is named.", objects: append(tenant(), chat), named: "chat", to: []string{"chat"}},
		"OfOthers":      {reason: "A Receiver of another namespace is none.", objects: append(tenant(), elsewhere), named: "pager", to: []string{""}, found: monitoringv1.ReasonReceiverNotFound},
		"NobodyAtAll":   {reason: "A namespace without a Tenant has no contacts.", objects: tenant()[1:], found: monitoringv1.ReasonNobodyToTell},
		"NamedNotThere": {reason: "Mail is better than nothing.", objects: append(tenant(), chat), named: "pager", to: []string{""}, found: monitoringv1.ReasonReceiverNotFound},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			a := watch(func(s *monitoringv1.AlertSpec) {
				if tc.named != "" {
					s.Receivers = []v1alpha1.ObjectName{v1alpha1.ObjectName(tc.named)}
				}
			})
			var objects []client.Object
			for _, o := range tc.objects {
				objects = append(objects, o.DeepCopyObject().(client.Object))
			}

			play(t, a, objects, func(w *world) {
				w.ready("web", metav1.ConditionFalse, "CrashLoop")
				w.run(2 * time.Minute)

				var to []string
				for _, n := range w.told {
					to = append(to, n.Receiver.Name)
				}

				if diff := cmp.Diff(tc.to, to); diff != "" {
					t.Errorf("%s\ntold (-want +got):\n%s", tc.reason, diff)
				}

				found := ""
				if c := conditions.Get(w.alert(), monitoringv1.ConditionReceiversFound); c != nil {
					found = c.Reason
				}

				if found != tc.found {
					t.Errorf("%s\nReceiversFound says %q, want %q", tc.reason, found, tc.found)
				}
			})
		})
	}
}

func TestNobodySeesOthers(t *testing.T) {
	a := watch(func(s *monitoringv1.AlertSpec) { s.AllNamespaces = true })
	a.Namespace = "globex"
	play(t, a, tenant(), func(w *world) {
		w.ready("web", metav1.ConditionFalse, "CrashLoop")
		w.run(time.Hour)

		if got := w.alert().Status; got.Firing > 0 || len(w.told) > 0 {
			t.Errorf("an Alert of another tenant sees it: %+v", got)
		}
	})
}

func TestSuspend(t *testing.T) {
	play(t, watch(func(s *monitoringv1.AlertSpec) { s.Suspend = true }), tenant(), func(w *world) {
		w.ready("web", metav1.ConditionFalse, "CrashLoop")
		w.run(time.Hour)
		want(t, w, "It rests.")
	})
}

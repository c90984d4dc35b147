package autoscaler

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// byCPU scales so that each task uses 100m, which is half of what it requests.
func byCPU(least, most int32) *v1alpha1.Autoscaling {
	return &v1alpha1.Autoscaling{MinReplicas: &least, MaxReplicas: most, Metrics: []v1alpha1.AutoscalingMetric{{
		Type: v1alpha1.MetricResource, Resource: &v1alpha1.ResourceMetric{Name: "cpu", Target: v1alpha1.ResourceTarget{AverageUtilization: new(int32(50))}},
	}}}
}

func byQueue(least, most int32) *v1alpha1.Autoscaling {
	return &v1alpha1.Autoscaling{MinReplicas: &least, MaxReplicas: most, Metrics: []v1alpha1.AutoscalingMetric{{
		Type: v1alpha1.MetricPrometheus, Prometheus: &v1alpha1.PrometheusMetric{
			Query: "sum(queue_length)", Target: v1alpha1.PrometheusTarget{AverageValue: new(resource.MustParse("10"))},
		},
	}}}
}

func TestLoadRisesAndFalls(t *testing.T) {
	t.Parallel()

	w := newWorld(t, 1, byCPU(1, 10))
	w.load = 0.1
	w.rounds(2).wants(1, "one task is right")
	if d := cmp.Diff("1", w.tc.Annotations[v1alpha1.AnnotationReplicas]); d != "" {
		t.Errorf("the first decision is written even when it changes nothing, so that the number to begin with does not count any more\n%s", d)
	}

	w.load = 0.55
	w.rounds(1).wants(5, "by 4 tasks in 15 seconds")
	w.rounds(1).wants(5, "550m of 5 tasks is within the tolerance")
	w.says(v1alpha1.ConditionAbleToScale, metav1.ConditionTrue, v1alpha1.ReasonReadyForNewScale)
	w.says(v1alpha1.ConditionScalingActive, metav1.ConditionTrue, v1alpha1.ReasonValidMetricFound)
	w.says(v1alpha1.ConditionScalingLimited, metav1.ConditionFalse, v1alpha1.ReasonDesiredWithinRange)

	scaled := w.now
	w.load = 0.1
	for i := range 100 {
		if w.rounds(1); *w.tc.Status.Autoscaling.LastScaleFrom == 5 {
			if took := w.now.Sub(scaled); took < 5*time.Minute || took > 5*time.Minute+interval {
				t.Errorf("tasks were taken away after %s", took)
			}

			break
		}
		if i == 99 {
			t.Fatal("tasks are never taken away")
		}
	}
	w.wants(1, "after the stabilization window")
	if d := cmp.Diff([]string{
		"SuccessfulRescale: Scaled from 1 to 5 tasks: cpu is above its target",
		"SuccessfulRescale: Scaled from 5 to 1 tasks: all metrics are below their targets",
	}, w.events); d != "" {
		t.Error(d)
	}
}

// TestQuiet: while nothing changes nothing is written, but for values once a minute.
func TestQuiet(t *testing.T) {
	t.Parallel()

	w := newWorld(t, 2, byCPU(1, 10))
	w.load = 0.2
	w.rounds(30)
	writes, statuses := w.writes, w.statuses
	w.rounds(240)
	if w.writes != writes || w.statuses != statuses {
		t.Errorf("in an hour in which nothing happened %d numbers and %d statuses were written", w.writes-writes, w.statuses-statuses)
	}

	for i := range 240 {
		w.load = 0.2 + float64(i%7)*0.002
		w.rounds(1)
	}
	if w.writes != writes || w.statuses-statuses > 61 {
		t.Errorf("in an hour of values within the tolerance %d numbers and %d statuses were written", w.writes-writes, w.statuses-statuses)
	}
}

// TestMissing: while nothing can be measured nothing is taken away, and it says why.
func TestMissing(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		reason string
		happen func(*world)
		says   string
	}{
		"NoSamples": {"Agents are gone.", func(w *world) { w.blind = true }, "no samples of tasks"},
		"NoEngine":  {"The swarm is.", func(w *world) { w.engineGone = true }, "the swarm cannot be asked for tasks"},
		"NotReady": {"No task is ready.", func(w *world) {
			for i := range w.tasks {
				w.tasks[i].State = "starting"
			}
		}, "no task is ready"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t, 5, byCPU(1, 10))
			w.load = 0.5
			w.rounds(4).wants(5, "on target")
			w.load = 0
			c.happen(w)
			w.rounds(240).wants(5, c.reason+" An hour later")
			w.says(v1alpha1.ConditionScalingActive, metav1.ConditionFalse, v1alpha1.ReasonFailedGetMetric)
			if got := w.tc.Status.Autoscaling.CurrentMetrics[0].Message; got != c.says {
				t.Errorf("it says %q, want %q", got, c.says)
			}

			w.blind, w.engineGone = false, false
			for i := range w.tasks {
				w.tasks[i].State = "running"
			}
			w.rounds(19).wants(5, "what nobody has seen is not undone by one value")
			w.rounds(2).wants(1, "but it is by a window of them")
		})
	}
}

// TestRefused: where there is room for fewer tasks than are needed, it gets those, says why, and does not hammer.
func TestRefused(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		refusal func(*world) func(int32) error
		reason  string
	}{
		"Quota": {nil, v1alpha1.ReasonQuotaExceeded},
		"Balance": {func(*world) func(int32) error {
			return func(int32) error {
				return &apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusForbidden, Reason: "InsufficientBalance", Message: "Rp 5 are missing"}}
			}
		}, v1alpha1.ReasonInsufficientBalance},
		"Other": {func(*world) func(int32) error {
			return func(int32) error {
				return &apierrors.StatusError{ErrStatus: metav1.Status{Code: http.StatusForbidden, Reason: "AccountOnHold", Message: "held"}}
			}
		}, v1alpha1.ReasonScalingRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t, 2, byCPU(1, 50))
			w.most = 7
			if c.refusal != nil {
				w.refusal = c.refusal(w)
			}
			w.load = 2.8
			w.rounds(12).wants(7, "as many as there is room for")
			w.says(v1alpha1.ConditionScalingLimited, metav1.ConditionTrue, c.reason)

			asked := len(w.asked)
			w.rounds(40).wants(7, "and no more")
			if n := len(w.asked) - asked; n > 30 {
				t.Errorf("in ten minutes it asked %d times: %v", n, w.asked[asked:])
			}
			if n := count(w.events, "FailedRescale"); n != 1 {
				t.Errorf("it was told %d times:\n%s", n, strings.Join(w.events, "\n"))
			}

			w.most = 100
			w.rounds(12).wants(28, "once there is room")
			w.says(v1alpha1.ConditionScalingLimited, metav1.ConditionFalse, v1alpha1.ReasonDesiredWithinRange)
		})
	}
}

// TestUnavailable: a write that fails is no refusal, and is tried again.
func TestUnavailable(t *testing.T) {
	t.Parallel()

	w := newWorld(t, 1, byCPU(1, 10))
	w.load = 0.1
	w.rounds(2)
	w.most, w.refusal = 1, func(int32) error { return errors.New("connection refused") }
	w.load = 0.3
	w.rounds(3).wants(1, "nothing could be written")
	w.says(v1alpha1.ConditionAbleToScale, metav1.ConditionFalse, v1alpha1.ReasonFailedRescale)
	w.most = 100
	w.rounds(1).wants(3, "at once when it can")
}

// TestRestart: a new process takes nothing away before it has watched for a window, and adds at once.
func TestRestart(t *testing.T) {
	t.Parallel()

	w := newWorld(t, 5, byCPU(1, 10))
	w.load = 0.5
	w.rounds(30)
	w.load = 0.1
	w.rounds(19)
	w.restart()
	w.rounds(20).wants(5, "the window begins anew")
	w.rounds(1).wants(1, "and ends")
	w.restart()
	w.load = 0.4
	w.rounds(1).wants(4, "there is no window for more")
}

// TestSleepsAndWakes by a queue, while tasks have nothing to tell.
func TestSleepsAndWakes(t *testing.T) {
	t.Parallel()

	w := newWorld(t, 1, byQueue(0, 10))
	queue := 0.0
	w.answer = func(string) (float64, error) { return queue, nil }
	w.rounds(21).wants(0, "an empty queue for five minutes")
	w.rounds(100).wants(0, "and for longer")
	queue = 25
	w.rounds(1).wants(3, "within one round")
	w.answer = nil
	w.rounds(100).wants(3, "a Prometheus that is away takes nothing away")
	w.says(v1alpha1.ConditionScalingActive, metav1.ConditionFalse, v1alpha1.ReasonFailedGetMetric)
}

func TestRequestsPerSecond(t *testing.T) {
	t.Parallel()

	a := &v1alpha1.Autoscaling{MinReplicas: new(int32(1)), MaxReplicas: 10, Metrics: []v1alpha1.AutoscalingMetric{{
		Type: v1alpha1.MetricRequestsPerSecond,
		RequestsPerSecond: &v1alpha1.RequestsMetric{
			MatchLabels: map[string]v1alpha1.ShortText{"code": "200"}, Target: v1alpha1.AverageTarget{AverageValue: resource.MustParse("50")},
		},
	}}}
	w := newWorld(t, 1, a)
	w.tc.Spec.Metrics = &v1alpha1.Metrics{Port: intstr.FromInt32(9090)}
	perSecond := func(n float64, rounds int) *world {
		for range rounds {
			w.requests += n * interval.Seconds()
			w.rounds(1)
		}

		return w
	}

	perSecond(50, 3).wants(1, "on target")
	if got := w.tc.Status.Autoscaling.CurrentMetrics[0].AverageValue.String(); got != "50" {
		t.Errorf("it shows %s requests each second", got)
	}
	perSecond(150, 2).wants(3, "three times as many")
	w.tc.Spec.Metrics = nil
	w.rounds(100).wants(3, "without metrics nothing is known")
}

// TestNotRunning: what is not to run is not decided about, and begins anew when it runs again.
func TestNotRunning(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		stop, start func(*v1alpha1.TenantContainer)
		reason      string
		want        int32
	}{
		"Suspended": {
			func(tc *v1alpha1.TenantContainer) { tc.Annotations[v1alpha1.AnnotationSuspend] = "holiday" },
			func(tc *v1alpha1.TenantContainer) { delete(tc.Annotations, v1alpha1.AnnotationSuspend) }, v1alpha1.ReasonNotRunning, 4,
		},
		"TenantSuspended": {
			func(tc *v1alpha1.TenantContainer) {
				tc.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionSuspended, Status: metav1.ConditionTrue}}
			},
			func(tc *v1alpha1.TenantContainer) { tc.Status.Conditions = nil }, v1alpha1.ReasonNotRunning, 4,
		},
		"DataMoves": {
			func(tc *v1alpha1.TenantContainer) {
				tc.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonMoving}}
			},
			func(tc *v1alpha1.TenantContainer) { tc.Status.Conditions = nil }, v1alpha1.ReasonNotRunning, 4,
		},
		"Closed": {
			func(tc *v1alpha1.TenantContainer) {
				tc.Spec.Schedule = &v1alpha1.Schedule{Windows: []v1alpha1.RunWindow{{Start: "03:00", Stop: "04:00"}}}
			},
			func(tc *v1alpha1.TenantContainer) { tc.Spec.Schedule = nil }, v1alpha1.ReasonNotRunning, 4,
		},
		"TurnedOff": {
			func(tc *v1alpha1.TenantContainer) { tc.Spec.Replicas = new(int32(0)) },
			func(tc *v1alpha1.TenantContainer) { tc.Spec.Replicas = new(int32(1)) }, v1alpha1.ReasonScalingDisabled, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t, 4, byCPU(1, 10))
			w.load = 0.4
			w.rounds(30)
			writes := w.writes
			c.stop(w.tc)
			w.load = 0
			w.rounds(100).wants(c.want, "while it is not to run")
			w.says(v1alpha1.ConditionScalingActive, metav1.ConditionFalse, c.reason)
			if w.writes != writes {
				t.Errorf("a number was written")
			}
			c.start(w.tc)
			w.rounds(19).wants(4, "it goes on where it was")
			w.rounds(2).wants(1, "and then decides")
		})
	}
}

// TestRetire: nothing is left of what scales no more.
func TestRetire(t *testing.T) {
	t.Parallel()

	w := newWorld(t, 2, byCPU(1, 10))
	w.load = 0.5
	w.rounds(2).wants(5, "it scales")
	w.tc.Spec.Autoscaling = nil
	w.wants(2, "what is declared counts at once")
	w.rounds(1)
	if _, left := w.tc.Annotations[v1alpha1.AnnotationReplicas]; left || w.tc.Status.Autoscaling != nil {
		t.Errorf("left are %v and %+v", w.tc.Annotations, w.tc.Status.Autoscaling)
	}
	writes := w.writes + w.statuses
	if w.rounds(10); w.writes+w.statuses != writes {
		t.Error("it goes on writing")
	}
}

// TestStaleCache: an object that is older than what was written is not decided about.
func TestStaleCache(t *testing.T) {
	t.Parallel()

	w := newWorld(t, 1, byCPU(1, 10))
	w.load = 0.1
	w.rounds(2)
	old := w.tc.DeepCopy()
	w.load = 0.3
	w.rounds(1).wants(3, "it scales")
	asked := len(w.asked)
	fresh := w.tc
	w.tc = old
	w.rounds(1)
	if len(w.asked) != asked {
		t.Errorf("by an old version it asked for %v", w.asked[asked:])
	}
	w.tc = fresh
}

func count(events []string, reason string) int {
	n := 0
	for _, e := range events {
		if strings.HasPrefix(e, reason+":") {
			n++
		}
	}

	return n
}

package alert_test

import (
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

func TestContainer(t *testing.T) {
	down := alert.ContainersDown().Condition
	cases := map[string]struct {
		reason string
		rule   *monitoringv1.ConditionRule
		status metav1.ConditionStatus
		why    string
		change func(*v1alpha1.TenantContainer)
		want   alert.Verdict
	}{
		"Runs":          {reason: "Nothing is wrong.", status: "True", why: "Running", want: alert.Well},
		"Fails":         {reason: "Its task failed.", status: "False", why: "TaskFailed", want: alert.Wrong},
		"OutOfMemory":   {reason: "It was killed for its memory.", status: "False", why: "OOMKilled", want: alert.Wrong},
		"BeingReplaced": {reason: "Neither well nor news.", status: "False", why: "Progressing", want: alert.Unknown},
		"EngineUnseen":  {reason: "Nobody knows.", status: "Unknown", why: "EngineUnavailable", want: alert.Unknown},
		"Suspended":     {reason: "Somebody wants it so.", status: "False", why: "Suspended", want: alert.Stopped},
		"ScaledToZero":  {reason: "Somebody wants it so.", status: "True", why: "ScaledToZero", want: alert.Stopped},
		"Schedule":      {reason: "Its owner sleeps.", status: "True", why: "OutsideSchedule", want: alert.Stopped},
		"Moving":        {reason: "Somebody moves its data.", status: "False", why: "Moving", want: alert.Stopped},
		"BeingScaledToZero": {
			reason: "Tasks that are told to end fail now and then.", status: "False", why: "TaskFailed", want: alert.Stopped,
			change: func(tc *v1alpha1.TenantContainer) { tc.Spec.Replicas = new(int32) },
		},
		"BeingDeleted": {
			reason: "It is wanted to be gone.", status: "False", why: "TaskFailed", want: alert.Stopped,
			change: func(tc *v1alpha1.TenantContainer) { tc.DeletionTimestamp = &metav1.Time{Time: start} },
		},
		"AnyReason": {
			reason: "A rule without reasons takes all.", status: "False", why: "Progressing", want: alert.Wrong,
			rule: &monitoringv1.ConditionRule{Type: "Ready", Status: "False"},
		},
		"AnotherCondition": {
			reason: "Who asks for suspensions is told of them.", status: "False", why: "Suspended", want: alert.Wrong,
			rule: &monitoringv1.ConditionRule{Type: "Suspended", Status: "True"},
			change: func(tc *v1alpha1.TenantContainer) {
				tc.Status.Conditions = append(tc.Status.Conditions, metav1.Condition{Type: "Suspended", Status: "True", Reason: "Suspended"})
			},
		},
		"NotThere": {
			reason: "What is not there has no status.", status: "True", why: "Running", want: alert.Well,
			rule: &monitoringv1.ConditionRule{Type: "RolledBack", Status: "True"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := &v1alpha1.TenantContainer{}
			c.Status.Conditions = []metav1.Condition{{Type: "Ready", Status: tc.status, Reason: tc.why}}

			if tc.change != nil {
				tc.change(c)
			}

			rule := down
			if tc.rule != nil {
				rule = tc.rule
			}

			if got := alert.Container(rule, c).Verdict; got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

func TestRoute(t *testing.T) {
	receiver := func(name string, change func(*monitoringv1.ReceiverSpec)) monitoringv1.Receiver {
		r := monitoringv1.Receiver{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if change != nil {
			change(&r.Spec)
		}

		return r
	}
	all := receiver("all", nil)
	money := receiver("money", func(s *monitoringv1.ReceiverSpec) { s.Topics = []monitoringv1.Topic{monitoringv1.TopicBilling} })
	off := receiver("off", func(s *monitoringv1.ReceiverSpec) { s.Suspend = true })
	pager := receiver("pager", func(s *monitoringv1.ReceiverSpec) { s.MinSeverity = monitoringv1.SeverityCritical })

	cases := map[string]struct {
		reason         string
		receivers      []monitoringv1.Receiver
		question       alert.Question
		names, missing []string
	}{
		"Nobody":            {"There is nobody.", nil, alert.Question{Topic: alert.TopicAlerts}, nil, nil},
		"Contacts":          {"Whoever has contacts is written to.", nil, alert.Question{Topic: alert.TopicAlerts, Contacts: true}, []string{""}, nil},
		"AllTopics":         {"One without topics has all.", []monitoringv1.Receiver{all}, alert.Question{Topic: alert.TopicBilling, Contacts: true}, []string{"all"}, nil},
		"OtherTopic":        {"What no Receiver has goes by mail.", []monitoringv1.Receiver{money}, alert.Question{Topic: alert.TopicAlerts, Contacts: true}, []string{""}, nil},
		"Suspended":         {"Who wants to be told nothing is not written to either.", []monitoringv1.Receiver{off}, alert.Question{Topic: alert.TopicAlerts, Contacts: true}, nil, nil},
		"NotSevere":         {"It wants what is critical.", []monitoringv1.Receiver{pager}, alert.Question{Topic: alert.TopicAlerts, Severity: alert.SeverityWarning, Contacts: true}, nil, nil},
		"Severe":            {"It is.", []monitoringv1.Receiver{pager}, alert.Question{Topic: alert.TopicAlerts, Severity: alert.SeverityCritical}, []string{"pager"}, nil},
		"MoneyIsNotSevere":  {"Money has no severity.", []monitoringv1.Receiver{pager}, alert.Question{Topic: alert.TopicBilling, Severity: alert.SeverityInfo}, []string{"pager"}, nil},
		"Named":             {"Who is named is told, whatever its topics.", []monitoringv1.Receiver{all, money}, alert.Question{Topic: alert.TopicAlerts, Named: []string{"money"}}, []string{"money"}, nil},
		"NamedAndNotThere":  {"Mail is better than nothing.", []monitoringv1.Receiver{all}, alert.Question{Topic: alert.TopicAlerts, Named: []string{"x"}, Contacts: true}, []string{""}, []string{"x"}},
		"OneOfTwoIsMissing": {"The other one is told.", []monitoringv1.Receiver{all}, alert.Question{Topic: alert.TopicAlerts, Named: []string{"x", "all"}, Contacts: true}, []string{"all"}, []string{"x"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			names, missing := alert.Route(tc.receivers, tc.question)
			if diff := cmp.Diff([][]string{tc.names, tc.missing}, [][]string{names, missing}); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// tape is a reader of one task's samples, 15 seconds apart, the last of them now.
type tape struct {
	telemetry.Reader
	samples []telemetry.Sample
}

func record(memory ...uint64) tape {
	var out tape

	for i, m := range memory {
		s := telemetry.Sample{At: start.Add(time.Duration(i-len(memory)+1) * telemetry.Interval), Container: "c"}
		s.Memory.WorkingSet, s.Memory.Limit, s.CPU.Total = m, 1<<30, time.Duration(i)*telemetry.Interval/2
		out.samples = append(out.samples, s)
	}

	return out
}

func (tape) Subjects(swarmobj.Owner) []telemetry.Subject { return []telemetry.Subject{{Task: "t"}} }

func (r tape) Window(_ string, since time.Time) []telemetry.Sample {
	i, _ := slices.BinarySearchFunc(r.samples, since, func(s telemetry.Sample, t time.Time) int { return s.At.Compare(t) })

	return r.samples[i:]
}

func (r tape) Latest(string) (telemetry.Sample, bool) {
	if len(r.samples) == 0 {
		return telemetry.Sample{}, false
	}

	return r.samples[len(r.samples)-1], true
}

func TestMeasure(t *testing.T) {
	r := record(100, 200, 1<<29)
	for m, want := range map[monitoringv1.Metric]float64{
		monitoringv1.MetricMemory: 1 << 29, monitoringv1.MetricMemoryLimitRatio: 0.5, monitoringv1.MetricCPU: 0.5, monitoringv1.MetricThrottling: 0,
	} {
		if got, ok := alert.Measure(r, swarmobj.Owner{}, m, time.Minute, start); !ok || got != want {
			t.Errorf("%s is %v (known: %v), want %v", m, got, ok, want)
		}
	}

	if _, ok := alert.Measure(record(), swarmobj.Owner{}, monitoringv1.MetricMemory, time.Minute, start); ok {
		t.Error("something is known of a container that was never measured")
	}
}

func TestUnusual(t *testing.T) {
	hour := func(of func(i int) uint64) []uint64 {
		var out []uint64
		for i := range 240 {
			out = append(out, of(i))
		}

		return out
	}
	steady := hour(func(i int) uint64 { return 100<<20 + uint64(i%5)<<20 })
	cases := map[string]struct {
		reason    string
		samples   []uint64
		direction monitoringv1.Direction
		want      alert.Verdict
	}{
		"Steady":       {"It is as it always was.", steady, monitoringv1.DirectionBoth, alert.Well},
		"Leaks":        {"It has never used as much.", append(slices.Clone(steady), 300<<20), monitoringv1.DirectionAbove, alert.Wrong},
		"Empties":      {"Less is not more.", append(slices.Clone(steady), 1<<20), monitoringv1.DirectionAbove, alert.Well},
		"EmptiesBelow": {"Less was asked for.", append(slices.Clone(steady), 1<<20), monitoringv1.DirectionBelow, alert.Wrong},
		"Moves":        {"What always moves may move.", append(hour(func(i int) uint64 { return 100<<20 + uint64(i/4%40)<<22 }), 260<<20), monitoringv1.DirectionBoth, alert.Well},
		"New":          {"Nobody knows what is usual for it.", append(slices.Clone(steady[:20]), 300<<20), monitoringv1.DirectionBoth, alert.Unknown},
		"Unknown":      {"It was never measured.", nil, monitoringv1.DirectionBoth, alert.Unknown},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rule := &monitoringv1.AnomalyRule{
				Metric: monitoringv1.MetricMemory, Sensitivity: monitoringv1.SensitivityMedium, Direction: tc.direction,
				Window: duration(time.Hour), MinimumHistory: duration(20 * time.Minute),
			}
			if got := alert.Unusual(record(tc.samples...), swarmobj.Owner{}, rule, start); got.Verdict != tc.want {
				t.Errorf("%s\ngot %+v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	tasks := []swarmobj.Task{
		{State: swarm.TaskStateRunning, Since: start},
		{State: swarm.TaskStateFailed, Desired: swarm.TaskStateShutdown, ExitCode: 137, Since: start.Add(-time.Minute)},
		{State: swarm.TaskStateShutdown, Desired: swarm.TaskStateShutdown, ExitCode: 143, Since: start.Add(-time.Minute)},
		{State: swarm.TaskStateFailed, Desired: swarm.TaskStateShutdown, ExitCode: 1, Since: start.Add(-time.Hour)},
	}
	if got := alert.Failures(tasks, 10*time.Minute, start); got != 1 {
		t.Errorf("%v failures, want the one that is not too old, and was not told to end", got)
	}
}

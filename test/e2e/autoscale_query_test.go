//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// backlog is what there is to do, as the container web says it.
const backlog = `sum(app_gauge)`

// byQuery scales so that each task has ten of what waits.
func byQuery(least, most int32) change {
	return func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Autoscaling = &v1alpha1.Autoscaling{
			MinReplicas: &least, MaxReplicas: most,
			Metrics: []v1alpha1.AutoscalingMetric{{Type: v1alpha1.MetricPrometheus, Prometheus: &v1alpha1.PrometheusMetric{
				Query: backlog, Target: v1alpha1.PrometheusTarget{AverageValue: new(resource.MustParse("10"))},
			}}},
			Behavior: &v1alpha1.AutoscalingBehavior{ScaleDown: &v1alpha1.ScalingRules{StabilizationWindowSeconds: new(int32(0))}},
		}
	}
}

// wantScaling scales by what another container says of itself, by way of a real Prometheus: to what is needed, no further than
// the quota, not at all while Prometheus is away, to nothing, and back.
func (p *prometheus) wantScaling(n *tenant) {
	p.t.Helper()

	n.ask("web", http.MethodPost, "/gauge?value=25")
	n.create(app("worker", "v1", byQuery(0, 4)))
	took := await(p.t, scaleSoon, "it is decided to have three tasks", func() error { return n.decided("worker", 3) })
	p.t.Logf("from what waits to a decision: %v", took.Round(time.Second))
	await(p.t, soon, "three tasks run", func() error { return n.tasksAre("worker", "3/3") })

	p.wantQuotaSaid(n)

	p.stop()
	n.ask("web", http.MethodPost, "/gauge?value=0")
	await(p.t, scaleSoon, "it is said that the query is not answered", func() error {
		return n.scaling("worker", v1alpha1.ConditionScalingActive, metav1.ConditionFalse, v1alpha1.ReasonFailedGetMetric, backlog)
	})
	// More than a round.
	stays(p.t, 20*time.Second, "tasks stay while nothing is known", func() error {
		return errors.Join(n.decided("worker", 3), n.decided("greedy", 2), n.tasksAre("worker", "3/3"))
	})

	p.start()
	await(p.t, scaleDownSoon, "nothing waits, and nothing runs", func() error {
		return errors.Join(n.decided("worker", 0), n.decided("greedy", 1), wantf(len(n.running("worker")), 0, "tasks that run"))
	})
	await(p.t, soon, "the quota has its room back", func() error { return n.charged(tight, 2+1) })
	n.ask("web", http.MethodPost, "/gauge?value=5")
	took = await(p.t, atLast, "it wakes", func() error {
		if err := errors.Join(n.decided("worker", 1), n.tasksAre("worker", "1/1")); err != nil {
			value, failed := p.query(backlog)
			status, _ := json.Marshal(n.get("worker").Status.Autoscaling)

			return fmt.Errorf("%w; Prometheus says %+v, %v; the status is %s", err, value, failed, status)
		}

		return nil
	})
	p.t.Logf("from what waits to a task that runs where there was none: %v", took.Round(time.Second))
	if events := strings.Join(n.eventsFor("worker"), "\n"); !strings.Contains(events, "Scaled from 0 to 1 tasks: "+backlog+" is above its target") {
		p.t.Errorf("no event tells of it:\n%s", events)
	}
}

// wantQuotaSaid: of the three tasks that are needed, the quota has room for two, which is what there is and what is said.
func (p *prometheus) wantQuotaSaid(n *tenant) {
	p.t.Helper()

	const others, room = 2 + 3, 2
	n.create(&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: tight}, Spec: corev1.ResourceQuotaSpec{
		Hard: corev1.ResourceList{v1alpha1.ResourceReplicas: *resource.NewQuantity(others+room, resource.DecimalSI)},
	}})
	await(p.t, soon, "the quota has been counted", func() error { return n.charged(tight, others) })
	n.create(app("greedy", "v1", byQuery(1, 4)))
	await(p.t, scaleSoon, "as many tasks as the quota has room for", func() error {
		return errors.Join(n.decided("greedy", room), n.scaling("greedy", v1alpha1.ConditionScalingLimited, metav1.ConditionTrue, v1alpha1.ReasonQuotaExceeded, "quota"))
	})
	n.event("greedy", "FailedRescale", "exceeded quota: "+tight)
}

// tight is the name of a quota.
const tight = "tight"

// charged is an error unless that many tasks are charged to a quota.
func (n *tenant) charged(name string, tasks int64) error {
	var quota corev1.ResourceQuota
	if err := n.api.Get(n.t.Context(), client.ObjectKey{Namespace: n.name, Name: name}, &quota); err != nil {
		return err
	}
	used, ok := quota.Status.Used[v1alpha1.ResourceReplicas]
	if !ok {
		return errors.New("nothing has been counted")
	}

	return wantf(used.Value(), tasks, "tasks that are charged")
}

// scaling is an error unless a condition of status.autoscaling says that, in words that hold the given ones.
func (n *tenant) scaling(name, kind string, status metav1.ConditionStatus, reason, words string) error {
	tc, err := n.read(name)
	if err != nil {
		return err
	}
	if tc.Status.Autoscaling == nil {
		return errors.New("nothing has been decided")
	}
	for _, c := range tc.Status.Autoscaling.Conditions {
		if c.Type == kind && c.Status == status && c.Reason == reason && strings.Contains(c.Message, words) {
			return nil
		}
	}

	return fmt.Errorf("%s is not %s because of %s: %+v", kind, status, reason, tc.Status.Autoscaling.Conditions)
}

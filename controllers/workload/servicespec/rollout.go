package servicespec

import (
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Defaults and bounds of rollouts and restarts, as the schema has them.
const (
	defaultParallelism             = 1
	defaultMonitorSeconds          = 5
	maxMonitorSeconds              = 3600
	defaultProgressDeadlineSeconds = 600
	defaultRestartDelaySeconds     = 5
)

// updateConfig is how Swarm replaces tasks.
func (b *builder) updateConfig() *swarm.UpdateConfig {
	r := b.rollout()

	action := swarm.UpdateFailureActionRollback
	switch r.FailureAction {
	case v1alpha1.FailurePause:
		action = swarm.UpdateFailureActionPause
	case v1alpha1.FailureContinue:
		action = swarm.UpdateFailureActionContinue
	}

	return &swarm.UpdateConfig{
		Parallelism:     uint64(orDefault(r.Parallelism, defaultParallelism)),
		Delay:           seconds(r.DelaySeconds, 0),
		FailureAction:   action,
		Monitor:         b.monitor(),
		MaxFailureRatio: float32(orDefault(r.MaxFailurePercent, 0)) / 100,
		Order:           b.order(),
	}
}

// rollbackConfig is how Swarm puts the previous tasks back: in the same way, but a failing rollback has nothing to go
// back to.
func (b *builder) rollbackConfig() *swarm.UpdateConfig {
	c := b.updateConfig()
	if c.FailureAction == swarm.UpdateFailureActionRollback {
		c.FailureAction = swarm.UpdateFailureActionPause
	}

	return c
}

func (b *builder) rollout() v1alpha1.Rollout {
	return orDefault(b.in.Rollout, v1alpha1.Rollout{})
}

// order is the declared one, but a port published on the node cannot be bound twice: the new task would wait for ever
// for the old one to go. The declared spec is refused for that by the schema; an older template may still have the port.
// It is the same with a volume that only one node has and that the task writes to. One that every node reaches may be
// shared, but only by programs made for it: so that has to be asked for.
func (b *builder) order() string {
	r := b.rollout()
	writes, pinned := b.writes()
	if b.publishesOnNode() || pinned {
		return swarm.UpdateOrderStopFirst
	}

	switch {
	case r.Order == v1alpha1.OrderStartFirst:
		return swarm.UpdateOrderStartFirst
	case r.Order == v1alpha1.OrderStopFirst, b.global(), writes:
		return swarm.UpdateOrderStopFirst
	default:
		return swarm.UpdateOrderStartFirst
	}
}

// monitor is how long a running task is watched before it counts as good. Swarm keeps a task in starting until its
// health check passes for the first time, so a task that never becomes healthy fails without it. What monitor must be
// long enough for is the task that passes once and then fails: the engine calls it unhealthy after as many failures in
// a row as the threshold says, and from the first pass on the start period no longer shields it. A check that is slow
// beyond reason gets no more than half of the progress deadline, and no more than monitorSeconds could ask for.
func (b *builder) monitor() time.Duration {
	r := b.rollout()
	h := b.t.HealthCheck
	if r.MonitorSeconds != nil || h == nil || h.Disabled {
		return seconds(r.MonitorSeconds, defaultMonitorSeconds)
	}

	once := seconds(h.PeriodSeconds, defaultPeriodSeconds) + seconds(h.TimeoutSeconds, defaultTimeoutSeconds)
	window := once * time.Duration(orDefault(h.FailureThreshold, defaultFailureThreshold))
	most := min(seconds(r.ProgressDeadlineSeconds, defaultProgressDeadlineSeconds)/2, maxMonitorSeconds*time.Second)

	return max(min(window, most), defaultMonitorSeconds*time.Second)
}

// restartPolicy says what becomes of a task that ended.
func (b *builder) restartPolicy() *swarm.RestartPolicy {
	p := orDefault(b.t.RestartPolicy, v1alpha1.RestartPolicy{})

	condition := swarm.RestartPolicyConditionAny
	switch p.Condition {
	case v1alpha1.RestartOnFailure:
		condition = swarm.RestartPolicyConditionOnFailure
	case v1alpha1.RestartNever:
		condition = swarm.RestartPolicyConditionNone
	}

	return &swarm.RestartPolicy{
		Condition:   condition,
		Delay:       new(seconds(p.DelaySeconds, defaultRestartDelaySeconds)),
		MaxAttempts: new(uint64(orDefault(p.MaxAttempts, 0))),
		Window:      new(seconds(p.WindowSeconds, 0)),
	}
}

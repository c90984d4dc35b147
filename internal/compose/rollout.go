package compose

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	mostDelay   = 600
	mostMonitor = 3600
	// leastRestart is how soon a task is started again (rule R2).
	leastRestart = 5
	mostRestart  = 3600
	mostWindow   = 86400
	mostAttempts = 1000
)

// rollout converts how changes reach the tasks.
func (s *service) rollout() {
	r := &v1alpha1.Rollout{}
	if s.stateful {
		// Two tasks on one volume at a time is what most programs do not survive.
		r.Order = v1alpha1.OrderStopFirst
	}
	if s.Deploy != nil && s.Deploy.UpdateConfig != nil {
		s.update(r, s.Deploy.UpdateConfig)
	}
	if *r != (v1alpha1.Rollout{}) {
		s.spec.Rollout = r
	}
}

func (s *service) update(r *v1alpha1.Rollout, u *types.UpdateConfig) {
	const at = "deploy.update_config."
	switch u.Order {
	case "":
	case "start-first":
		if len(s.spec.Volumes) > 0 {
			s.changed(s.path(at+"order"), u.Order, "two tasks would write to one volume for a while, so it is stop-first", "")
			break
		}
		r.Order = v1alpha1.OrderStartFirst
	case "stop-first":
		r.Order = v1alpha1.OrderStopFirst
	default:
		s.lost(s.path(at+"order"), u.Order, "it is neither start-first nor stop-first", "")
	}
	if u.Parallelism != nil {
		r.Parallelism = new(s.parallelism(*u.Parallelism, r.Order))
	}
	if u.Delay > 0 {
		r.DelaySeconds = new(int32(s.seconds(at+"delay", u.Delay, 0, mostDelay, "it is at most 10 minutes")))
	}
	if u.Monitor > 0 {
		r.MonitorSeconds = new(int32(s.seconds(at+"monitor", u.Monitor, 1, mostMonitor, "it is at most an hour")))
	}
	if u.MaxFailureRatio > 0 {
		percent := math.Round(float64(u.MaxFailureRatio) * 100)
		r.MaxFailurePercent = new(int32(s.number(at+"max_failure_ratio", int64(min(percent, 1000)), 0, 100, "it is at most 1")))
	}
	switch u.FailureAction {
	case "":
	case "pause":
		r.FailureAction = v1alpha1.FailurePause
	case "continue":
		r.FailureAction = v1alpha1.FailureContinue
	case "rollback":
		r.FailureAction = v1alpha1.FailureRollback
	default:
		s.lost(s.path(at+"failure_action"), u.FailureAction, "it is none of pause, continue and rollback", "")
	}
}

// parallelism within rule R4: where new tasks come first, a quarter of all at a time, because they are not paid for.
func (s *service) parallelism(n uint64, order v1alpha1.RolloutOrder) int32 {
	const at = "deploy.update_config.parallelism"
	replicas := int64(1)
	if s.spec.Replicas != nil {
		replicas = int64(*s.spec.Replicas)
	}
	if n == 0 {
		s.changed(s.path(at), "0", "all at once is not for tenants (rule R4), so it is 1", "")
		return 1
	}
	most, why := int64(10000), "it is at most 10000"
	if order != v1alpha1.OrderStopFirst {
		most, why = max(1, replicas/4), "with order start-first it is at most a quarter of the replicas (rule R4)"
	}

	return int32(s.number(at, int64(min(n, 1<<31)), 1, most, why))
}

// restarts converts when an ended task is started again. The older field counts where the newer is not set.
func (s *service) restarts() {
	p := &v1alpha1.RestartPolicy{}
	switch {
	case s.Deploy != nil && s.Deploy.RestartPolicy != nil:
		s.restartPolicy(p, s.Deploy.RestartPolicy)
	case s.Restart != "":
		s.restart(p, s.Restart)
	}
	if s.isJob() && (p.Condition == "" || p.Condition == v1alpha1.RestartAlways) {
		if s.runOnce[s.key] {
			s.changed(s.path("restart"), s.Restart, "others wait for it to end, so it is not started again when it has ended well", "")
		}
		p.Condition = v1alpha1.RestartOnFailure
	}
	if *p != (v1alpha1.RestartPolicy{}) {
		s.spec.RestartPolicy = p
	}
}

func (s *service) restart(p *v1alpha1.RestartPolicy, text string) {
	condition, attempts, _ := strings.Cut(text, ":")
	switch condition {
	case types.RestartPolicyAlways, types.RestartPolicyUnlessStopped:
		p.Condition = v1alpha1.RestartAlways
	case types.RestartPolicyNo:
		p.Condition = v1alpha1.RestartNever
	case types.RestartPolicyOnFailure:
		p.Condition = v1alpha1.RestartOnFailure
	default:
		s.lost(s.path("restart"), text, "it is none of no, always, on-failure and unless-stopped", "")
		return
	}
	if attempts == "" {
		return
	}
	n, err := strconv.ParseInt(attempts, 10, 64)
	if err != nil || n < 0 {
		s.lost(s.path("restart"), text, fmt.Sprintf("%q is no number of attempts", attempts), "")
		return
	}
	p.MaxAttempts = new(int32(s.number("restart", n, 0, mostAttempts, "there are at most 1000 attempts")))
}

func (s *service) restartPolicy(p *v1alpha1.RestartPolicy, r *types.RestartPolicy) {
	const at = "deploy.restart_policy."
	switch r.Condition {
	case "", "any":
		p.Condition = v1alpha1.RestartAlways
	case "on-failure":
		p.Condition = v1alpha1.RestartOnFailure
	case "none":
		p.Condition = v1alpha1.RestartNever
	default:
		s.lost(s.path(at+"condition"), r.Condition, "it is none of none, on-failure and any", "")
	}
	if r.Delay != nil {
		p.DelaySeconds = new(int32(s.seconds(at+"delay", *r.Delay, leastRestart, mostRestart, "a task is started again after 5 seconds to an hour (rule R2)")))
	}
	if r.MaxAttempts != nil && *r.MaxAttempts > 0 {
		p.MaxAttempts = new(int32(s.number(at+"max_attempts", int64(min(*r.MaxAttempts, 1<<31)), 0, mostAttempts, "there are at most 1000 attempts")))
	}
	if r.Window != nil && *r.Window > 0 {
		p.WindowSeconds = new(int32(s.seconds(at+"window", *r.Window, 0, mostWindow, "the window is at most a day")))
	}
}

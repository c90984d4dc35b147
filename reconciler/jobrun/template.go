package jobrun

import (
	"strings"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// RetryDelaySeconds is how long Swarm waits before it tries a failed task again.
const RetryDelaySeconds = 10

// Defaults that the API has too.
const (
	defaultBackoffLimit  = 6
	defaultKeptSucceeded = 3
	defaultKeptFailed    = 1
)

// Container is a job's template as a TenantContainer, for all who know what to do with one: rules, quota, prices, images, the
// service. It has as many replicas as a run has tasks at a time, and restarts what failed as often as backoffLimit says: a
// failed task is replaced by Swarm, without us. Nothing is shared with the template.
func Container(spec *v1alpha1.TenantJobSpec) *v1alpha1.TenantContainerSpec {
	t := spec.Template.DeepCopy()

	return &v1alpha1.TenantContainerSpec{
		Image:                         t.Image,
		ImagePullPolicy:               t.ImagePullPolicy,
		ImagePullSecrets:              t.ImagePullSecrets,
		Command:                       t.Command,
		Args:                          t.Args,
		WorkingDir:                    t.WorkingDir,
		Env:                           t.Env,
		EnvFrom:                       t.EnvFrom,
		Files:                         t.Files,
		Mode:                          v1alpha1.ModeReplicated,
		Replicas:                      new(Parallelism(spec)),
		Resources:                     t.Resources,
		HealthCheck:                   &v1alpha1.HealthCheck{Disabled: true},
		RestartPolicy:                 retries(spec),
		StopSignal:                    t.StopSignal,
		TerminationGracePeriodSeconds: t.TerminationGracePeriodSeconds,
		Placement:                     t.Placement,
		Security:                      t.Security,
		Hostname:                      t.Hostname,
		ExtraHosts:                    t.ExtraHosts,
		Sysctls:                       t.Sysctls,
		Ulimits:                       t.Ulimits,
		Tmpfs:                         t.Tmpfs,
		Volumes:                       t.Volumes,
		Labels:                        t.Labels,
		Logging:                       t.Logging,
	}
}

// retries is the policy by which Swarm replaces failed tasks. For Swarm no limit is what zero is.
func retries(spec *v1alpha1.TenantJobSpec) *v1alpha1.RestartPolicy {
	limit := BackoffLimit(spec)
	if limit == 0 {
		return &v1alpha1.RestartPolicy{Condition: v1alpha1.RestartNever}
	}

	return &v1alpha1.RestartPolicy{
		Condition: v1alpha1.RestartOnFailure, DelaySeconds: new(int32(RetryDelaySeconds)), MaxAttempts: new(limit),
	}
}

// Parallelism is how many tasks of a run there are at a time.
func Parallelism(spec *v1alpha1.TenantJobSpec) int32 {
	return min(orElse(spec.Parallelism, 1), Completions(spec))
}

// Completions is how many tasks of a run must succeed.
func Completions(spec *v1alpha1.TenantJobSpec) int32 {
	return orElse(spec.Completions, orElse(spec.Parallelism, 1))
}

// Tasks are how many there are to be of a run, those that are over among them, when so many have succeeded: as many more as may run
// at a time, until there are enough.
func Tasks(spec *v1alpha1.TenantJobSpec, succeeded int32) uint64 {
	return uint64(max(0, min(Parallelism(spec)+succeeded, Completions(spec)))) //nolint:gosec // none is negative
}

// BackoffLimit is how many failed tasks a run may have.
func BackoffLimit(spec *v1alpha1.TenantJobSpec) int32 {
	return orElse(spec.BackoffLimit, defaultBackoffLimit)
}

func orElse(value *int32, otherwise int32) int32 {
	if value == nil {
		return otherwise
	}

	return *value
}

// Field is where a job has what a container has in the field that a text begins with.
func Field(text string) string {
	switch rest, found := strings.CutPrefix(text, "spec."); {
	case !found:
		return text
	case strings.HasPrefix(rest, "replicas"):
		return "spec.parallelism" + strings.TrimPrefix(rest, "replicas")
	default:
		return "spec.template." + rest
	}
}

package policy

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	// maxReplicas is the most that one container may have, whatever its plan says.
	maxReplicas = 100
	// leastRestartSeconds and the others keep a container that fails, or is asked how it is, from costing the engine more
	// than one that runs.
	leastRestartSeconds = 5
	leastPeriodSeconds  = 5
	mostTimeoutSeconds  = 30
	mostFailures        = 10
	// mostGraceSeconds is how long a container that is suspended or removed may go on.
	mostGraceSeconds = 30
	// maxTextBytes bounds what all variables, and what all words of commands, may be together.
	maxTextBytes = 64 << 10
)

var resources = root.Child("resources")

// bounded: nothing runs without limits, and none is beyond what the plan allows.
func bounded(c *check) {
	limits, requests := v1alpha1.ResourceLimits{}, v1alpha1.ResourceRequests{}
	if r := c.spec.Resources; r != nil {
		if r.Limits != nil {
			limits = *r.Limits
		}
		if r.Requests != nil {
			requests = *r.Requests
		}
	}

	for _, need := range []struct {
		path *field.Path
		set  bool
	}{
		{resources.Child("limits", "cpu"), limits.CPU != nil},
		{resources.Child("limits", "memory"), limits.Memory != nil},
		{resources.Child("limits", "pids"), limits.Pids != nil},
		{resources.Child("requests", "cpu"), requests.CPU != nil},
		{resources.Child("requests", "memory"), requests.Memory != nil},
	} {
		if !need.set {
			c.demand(need.path, "a value; the plan's containerDefaults give one when a container is applied")
		}
	}

	maxima(c)
}

func maxima(c *check) {
	if c.spec.Resources == nil {
		return
	}

	if l := c.spec.Resources.Limits; l != nil {
		quantityWithin(c, resources.Child("limits", "cpu"), l.CPU, c.maxima.CPU, "containerMaxima.cpu")
		quantityWithin(c, resources.Child("limits", "memory"), l.Memory, c.maxima.Memory, "containerMaxima.memory")
		if l.Pids != nil && c.maxima.Pids != nil && *l.Pids > *c.maxima.Pids {
			c.refusePlan(resources.Child("limits", "pids"), *l.Pids, "containerMaxima.pids", "at most %d", *c.maxima.Pids)
		}
	}
	if r := c.spec.Resources.Requests; r != nil {
		quantityWithin(c, resources.Child("requests", "cpu"), r.CPU, c.maxima.CPU, "containerMaxima.cpu")
		quantityWithin(c, resources.Child("requests", "memory"), r.Memory, c.maxima.Memory, "containerMaxima.memory")
	}
}

func quantityWithin(c *check, path *field.Path, value, most *resource.Quantity, of string) {
	if value != nil && most != nil && value.Cmp(*most) > 0 {
		c.refusePlan(path, value.String(), of, "at most %s", most.String())
	}
}

func replicasOfProfile(c *check) {
	for _, d := range declaredReplicas(c.spec) {
		if d.n > maxReplicas {
			c.refuse(d.path, d.n, "at most %d", maxReplicas)
		}
	}
	replicasOfPlan(c)
}

func replicasOfPlan(c *check) {
	most := c.maxima.Replicas
	if most == nil {
		return
	}
	for _, d := range declaredReplicas(c.spec) {
		if d.n > *most {
			c.refusePlan(d.path, d.n, "containerMaxima.replicas", "at most %d", *most)
		}
	}
}

// declared is a number of tasks, and where it stands.
type declared struct {
	path *field.Path
	n    int32
}

// declaredReplicas are the numbers of tasks that a spec asks for, or lets the autoscaler go up to.
func declaredReplicas(spec *v1alpha1.TenantContainerSpec) []declared {
	var out []declared
	if spec.Replicas != nil {
		out = append(out, declared{root.Child("replicas"), *spec.Replicas})
	}
	if spec.Autoscaling != nil {
		out = append(out, declared{root.Child("autoscaling", "maxReplicas"), spec.Autoscaling.MaxReplicas})
	}

	return out
}

func slowRestarts(c *check) {
	if r := c.spec.RestartPolicy; r != nil && r.DelaySeconds != nil && *r.DelaySeconds < leastRestartSeconds {
		c.refuse(root.Child("restartPolicy", "delaySeconds"), *r.DelaySeconds, "at least %d", leastRestartSeconds)
	}
}

func slowChecks(c *check) {
	h := c.spec.HealthCheck
	if h == nil || h.Disabled {
		return
	}

	at := root.Child("healthCheck")
	if h.PeriodSeconds != nil && *h.PeriodSeconds < leastPeriodSeconds {
		c.refuse(at.Child("periodSeconds"), *h.PeriodSeconds, "at least %d", leastPeriodSeconds)
	}
	if h.TimeoutSeconds != nil && *h.TimeoutSeconds > mostTimeoutSeconds {
		c.refuse(at.Child("timeoutSeconds"), *h.TimeoutSeconds, "at most %d", mostTimeoutSeconds)
	}
	if h.FailureThreshold != nil && *h.FailureThreshold > mostFailures {
		c.refuse(at.Child("failureThreshold"), *h.FailureThreshold, "at most %d", mostFailures)
	}
}

// smallSteps bounds what a rollout with order StartFirst uses beyond the quota, which counts declared tasks: as many
// tasks at a time as it replaces.
func smallSteps(c *check) {
	r := c.spec.Rollout
	if r == nil || r.Parallelism == nil {
		return
	}

	replicas := int32(1)
	if c.spec.Replicas != nil {
		replicas = *c.spec.Replicas
	}
	most := max(1, replicas/4)

	switch n := *r.Parallelism; {
	case n < 1:
		c.refuse(root.Child("rollout", "parallelism"), n, "at least 1: 0 would replace all tasks at once")
	case r.Order != v1alpha1.OrderStopFirst && n > most && c.spec.Replicas != nil:
		c.refuse(root.Child("rollout", "parallelism"), n, "at most %d, a quarter of replicas, or order %s", most, v1alpha1.OrderStopFirst)
	}
}

func quickStop(c *check) {
	if n := c.spec.TerminationGracePeriodSeconds; n != nil && *n > mostGraceSeconds {
		c.refuse(root.Child("terminationGracePeriodSeconds"), *n, "at most %d", mostGraceSeconds)
	}
}

func sizes(c *check) {
	env := 0
	for _, e := range c.spec.Env {
		env += len(e.Name)
		if e.Value != nil {
			env += len(*e.Value)
		}
	}

	words := 0
	for _, w := range c.spec.Command {
		words += len(w)
	}
	for _, w := range c.spec.Args {
		words += len(w)
	}

	for _, s := range []struct {
		field string
		bytes int
	}{{"env", env}, {"args", words}} {
		if s.bytes > maxTextBytes {
			c.refuse(root.Child(s.field), fmt.Sprintf("%d bytes", s.bytes), "at most %d bytes together", maxTextBytes)
		}
	}
}

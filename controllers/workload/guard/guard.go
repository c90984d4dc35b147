package guard

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Facts are what a spec is held against, gathered apart from the spec itself.
type Facts struct {
	// Owner that the service must belong to.
	Owner swarmobj.Owner
	// NetworkID of the namespace's network, the only one allowed.
	NetworkID string
	// Secrets and Configs of the namespace in Swarm: IDs by name.
	Secrets, Configs map[string]string
	// ImageID is the ID of the image that the engine holds for the declared reference. It is the only ID that may stand
	// in place of a reference; empty when the image must be a reference.
	ImageID string
	// Standing is what Swarm holds of a service that was not made by Dogker and keeps its tasks: what these are made from
	// must be in the spec as it is in Standing. It is nil for all others.
	Standing *swarm.ServiceSpec
	// OffManagers is true for a service whose tasks must not run on managers of the swarm.
	OffManagers bool
	// Run is the name of the run that the service is, where the owner is a job; empty for all others, which have one service
	// that goes on.
	Run string
	// NoNewPrivileges is true for a service whose processes must not gain privileges.
	NoNewPrivileges bool
	// Volumes are those that the container may mount, by what engines call them.
	Volumes map[string]Volume
}

// Volume is what is known of a volume apart from any spec that mounts it.
type Volume struct {
	// Driver, Options and Labels are what an engine makes it with; no driver is the engine's own.
	Driver          string
	Options, Labels map[string]string
	// NodeID is the only node that has its data; empty when every node reaches it.
	NodeID string
	// ReadOnly is true when the owner may not write to it.
	ReadOnly bool
}

// Refusal is a spec that must not reach the engine.
type Refusal struct {
	// Service is its name.
	Service string
	// Violations, each with the path of the field. They show no values of variables.
	Violations []string
}

// Error implements error.
func (r *Refusal) Error() string {
	return fmt.Sprintf("service spec %q is not safe to send: %s", r.Service, strings.Join(r.Violations, "; "))
}

// IsRefusal is true when the error is, or wraps, a Refusal.
func IsRefusal(err error) bool {
	return errors.As(err, new(*Refusal))
}

// Check returns a Refusal unless everything in the spec is allowed.
func Check(spec swarm.ServiceSpec, facts Facts) error {
	c := &check{spec: spec, facts: facts, rules: rules, keyRules: keyRules, wholes: wholes}
	if facts.Standing != nil {
		c.rules, c.keyRules, c.wholes = standingRules, standingKeyRules, standingWholes
	}

	c.walk("", reflect.ValueOf(spec))
	for _, whole := range c.wholes {
		whole(c)
	}

	if len(c.violations) == 0 {
		return nil
	}
	slices.Sort(c.violations)

	return &Refusal{Service: spec.Name, Violations: slices.Compact(c.violations)}
}

// check is one run over one spec.
type check struct {
	spec       swarm.ServiceSpec
	facts      Facts
	rules      map[string]rule
	keyRules   map[string]keyRule
	wholes     []func(*check)
	violations []string
}

// maxViolations bounds the text of a refusal.
const maxViolations = 20

func (c *check) refuse(path, problem string) {
	if len(c.violations) < maxViolations {
		c.violations = append(c.violations, path+" "+problem)
	}
}

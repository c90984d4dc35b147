package guard

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Limits on the whole. Raft takes 1.5 MiB in one transaction, and every task carries a copy of the template.
const (
	maxSpecBytes  = 256 << 10
	maxEnvBytes   = 64 << 10
	maxArgsBytes  = 64 << 10
	maxLabelBytes = 32 << 10
)

// wholes are the rules about more than one field. Each of them refuses what it finds.
var wholes = []func(*check){
	isOwned,
	hasOneMode,
	isOneRun,
	hasParts,
	hasOneNetwork,
	hasOwnContent,
	hasSizedMounts,
	hasOwnVolumes,
	hasUniqueTargets,
	bindsPortsOnce,
	keepsOffManagers,
	gainsNoPrivileges,
	isSmall,
}

// isOwned demands what the walk cannot see: labels that are missing.
func isOwned(c *check) {
	if c.facts.Owner.UID == "" || c.facts.Owner.Tenant == "" || c.facts.Owner.Name == "" {
		c.refuse("Labels{}", "cannot be checked against an owner without UID, tenant or name")
	}
	for key, value := range c.facts.Owner.Labels() {
		if c.spec.Labels[key] != value {
			c.refuse("Labels{}", fmt.Sprintf("must have %q=%q", key, value))
		}
	}
	if c.spec.Name == "" {
		c.refuse("Name", "must be set")
	}
}

func hasOneMode(c *check) {
	m := c.spec.Mode
	if (m.Replicated != nil) == (m.Global != nil) {
		c.refuse("Mode", "must be either Replicated or Global")
	}
	if m.Replicated != nil && m.Replicated.Replicas == nil {
		c.refuse("Mode.Replicated.Replicas", "must be set")
	}
}

// isOneRun demands that a run of a job ends: it is nothing else, nobody sends its tasks anything by the name of a container, and
// it knows no rollouts.
func isOneRun(c *check) {
	if c.facts.Run == "" {
		return
	}
	if c.spec.Mode.Global != nil {
		c.refuse("Mode.Global", "must not be set for a run of a job")
	}
	if c.spec.Labels[v1alpha1.SwarmLabelRun] != c.facts.Run {
		c.refuse("Labels{}", fmt.Sprintf("must have %q=%q", v1alpha1.SwarmLabelRun, c.facts.Run))
	}
	if c.spec.UpdateConfig != nil || c.spec.RollbackConfig != nil {
		c.refuse("UpdateConfig", "must not be set for a run of a job")
	}
	if p := c.spec.TaskTemplate.RestartPolicy; p == nil || p.Condition == swarm.RestartPolicyConditionAny {
		c.refuse("TaskTemplate.RestartPolicy.Condition", "must be none or on-failure for a run of a job")
	}
	if e := c.spec.EndpointSpec; e != nil && len(e.Ports) > 0 {
		c.refuse("EndpointSpec.Ports[]", "must not be set for a run of a job")
	}
	for _, n := range c.spec.TaskTemplate.Networks {
		if len(n.Aliases) != 1 || n.Aliases[0] != c.facts.Run {
			c.refuse("TaskTemplate.Networks[].Aliases[]", "must be the name of the run and no other")
		}
	}
}

// hasParts demands the parts for which the engine would otherwise use a default that is not ours to give away.
func hasParts(c *check) {
	t := c.spec.TaskTemplate
	if t.ContainerSpec == nil {
		c.refuse("TaskTemplate.ContainerSpec", "must be set")

		return
	}
	if t.ContainerSpec.Image == "" {
		c.refuse("TaskTemplate.ContainerSpec.Image", "must be set")
	}
	if t.ContainerSpec.StopGracePeriod == nil {
		c.refuse("TaskTemplate.ContainerSpec.StopGracePeriod", "must be set")
	}
	if c.spec.EndpointSpec == nil || c.spec.EndpointSpec.Mode == "" {
		c.refuse("EndpointSpec.Mode", "must be set")
	}
}

func hasOneNetwork(c *check) {
	if n := len(c.spec.TaskTemplate.Networks); n != 1 {
		c.refuse("TaskTemplate.Networks", fmt.Sprintf("has %d entries, there must be one", n))

		return
	}
	if c.spec.TaskTemplate.Networks[0].Target == "" {
		c.refuse("TaskTemplate.Networks[].Target", "must be set")
	}
}

// hasOwnContent refuses what lies in Swarm but not in the namespace: whoever knows an ID and a name could read it.
func hasOwnContent(c *check) {
	if c.spec.TaskTemplate.ContainerSpec == nil {
		return
	}
	for _, s := range c.spec.TaskTemplate.ContainerSpec.Secrets {
		if s != nil && (s.SecretID == "" || c.facts.Secrets[s.SecretName] != s.SecretID) {
			c.refuse("TaskTemplate.ContainerSpec.Secrets[]", fmt.Sprintf("%q is no secret of the namespace", s.SecretName))
		}
		if s != nil && s.File == nil {
			c.refuse("TaskTemplate.ContainerSpec.Secrets[].File", "must be set")
		}
	}
	for _, s := range c.spec.TaskTemplate.ContainerSpec.Configs {
		if s != nil && (s.ConfigID == "" || c.facts.Configs[s.ConfigName] != s.ConfigID) {
			c.refuse("TaskTemplate.ContainerSpec.Configs[]", fmt.Sprintf("%q is no config of the namespace", s.ConfigName))
		}
		if s != nil && s.File == nil {
			c.refuse("TaskTemplate.ContainerSpec.Configs[].File", "must be set")
		}
	}
}

// hasSizedMounts refuses a file system in memory without a size: it could fill half of the node.
func hasSizedMounts(c *check) {
	if c.spec.TaskTemplate.ContainerSpec == nil {
		return
	}
	for _, m := range c.spec.TaskTemplate.ContainerSpec.Mounts {
		const path = "TaskTemplate.ContainerSpec.Mounts[]"
		switch {
		case m.Type == mount.TypeVolume && m.Target != "":
		case m.Type == "" || m.Target == "" || m.TmpfsOptions == nil || m.TmpfsOptions.SizeBytes == 0:
			c.refuse(path, "must have a type, a target and a size")
		case m.Source != "" || m.VolumeOptions != nil:
			c.refuse(path, "must have neither a source nor options of a volume, unless it is one")
		}
	}
}

// hasUniqueTargets refuses two things in one place, where one would hide the other.
func hasUniqueTargets(c *check) {
	spec := c.spec.TaskTemplate.ContainerSpec
	if spec == nil {
		return
	}

	var targets []string
	for _, m := range spec.Mounts {
		targets = append(targets, m.Target)
	}
	for _, s := range spec.Secrets {
		if s != nil && s.File != nil {
			targets = append(targets, s.File.Name)
		}
	}
	for _, s := range spec.Configs {
		if s != nil && s.File != nil {
			targets = append(targets, s.File.Name)
		}
	}

	seen := map[string]bool{}
	for _, target := range targets {
		if seen[target] {
			c.refuse("TaskTemplate.ContainerSpec", fmt.Sprintf("has two things at %.80q", target))
		}
		seen[target] = true
	}
}

func bindsPortsOnce(c *check) {
	if c.spec.EndpointSpec == nil {
		return
	}

	type key struct {
		protocol  swarm.PortConfigProtocol
		published uint32
	}
	seen := map[key]bool{}
	for _, p := range c.spec.EndpointSpec.Ports {
		const path = "EndpointSpec.Ports[]"
		switch {
		case p.Protocol == "" || p.TargetPort == 0 || p.PublishedPort == 0 || p.PublishMode == "":
			c.refuse(path, "must have protocol, target, published port and mode")
		case seen[key{p.Protocol, p.PublishedPort}]:
			c.refuse(path, fmt.Sprintf("publishes %d/%s twice", p.PublishedPort, p.Protocol))
		case p.PublishMode == swarm.PortConfigPublishModeIngress && c.spec.EndpointSpec.Mode != swarm.ResolutionModeVIP:
			c.refuse(path, "publishes through the routing mesh without a virtual IP")
		}
		seen[key{p.Protocol, p.PublishedPort}] = true
	}
}

// keepsOffManagers demands a constraint that no manager fulfils. Swarm heeds all of the constraints, or none of them when
// it cannot parse one; the walk has seen to it that it can.
func keepsOffManagers(c *check) {
	if !c.facts.OffManagers {
		return
	}

	var constraints []string
	if p := c.spec.TaskTemplate.Placement; p != nil {
		constraints = p.Constraints
	}
	if !slices.ContainsFunc(constraints, func(text string) bool {
		plain := strings.Join(strings.Fields(text), "")

		return strings.EqualFold(plain, "node.role!=manager") || strings.EqualFold(plain, "node.role==worker")
	}) {
		c.refuse("TaskTemplate.Placement.Constraints[]", "must keep the tasks off the managers of the swarm")
	}
}

// gainsNoPrivileges demands no-new-privileges where the facts do. Privileges that say nothing are nobody's wish.
func gainsNoPrivileges(c *check) {
	var p *swarm.Privileges
	if con := c.spec.TaskTemplate.ContainerSpec; con != nil {
		p = con.Privileges
	}

	const path = "TaskTemplate.ContainerSpec.Privileges.NoNewPrivileges"
	switch {
	case c.facts.NoNewPrivileges && (p == nil || !p.NoNewPrivileges):
		c.refuse(path, "must be true")
	case p != nil && !p.NoNewPrivileges:
		c.refuse(path, "must be true where there are Privileges at all")
	}
}

// isSmall bounds what a spec takes of Raft's store, as a whole and where a tenant could fill it.
func isSmall(c *check) {
	raw, err := json.Marshal(c.spec)
	if err != nil {
		c.refuse("spec", "cannot be encoded: "+err.Error())
	}
	bound := func(path string, bytes, limit int) {
		if bytes > limit {
			c.refuse(path, fmt.Sprintf("has %d bytes, allowed are %d", bytes, limit))
		}
	}
	bound("spec", len(raw), maxSpecBytes)

	if spec := c.spec.TaskTemplate.ContainerSpec; spec != nil {
		bound("TaskTemplate.ContainerSpec.Env", total(spec.Env), maxEnvBytes)
		bound("TaskTemplate.ContainerSpec.Args", total(spec.Command)+total(spec.Args), maxArgsBytes)

		labels := 0
		for key, value := range spec.Labels {
			labels += len(key) + len(value)
		}
		bound("TaskTemplate.ContainerSpec.Labels", labels, maxLabelBytes)
	}
}

func total(list []string) int {
	n := 0
	for _, s := range list {
		n += len(s)
	}

	return n
}

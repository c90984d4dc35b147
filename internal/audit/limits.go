package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// mostFiles is how many files a container may be allowed to have open.
	mostFiles = 1 << 20
	// mostRestarts is how often the benchmark lets a container be tried again.
	mostRestarts = 5
	// leastDelay between two tries keeps a container that fails from costing more than one that runs. It is that of rule
	// R2.
	leastDelay = 5 * time.Second
)

// limitChecks are about what a container can take from its neighbours.
var limitChecks = []containerCheck{
	{
		id: "5.11", section: sectionContainers, title: "Memory is limited", judge: memoryLimited,
		right: "a memory limit", field: "set spec.resources.limits.memory", flag: "--limit-memory SIZE",
	},
	{
		id: "5.12", section: sectionContainers, title: "The share of CPU is set", judge: cpuLimited,
		right: "a CPU limit, or CPU shares", field: "set spec.resources.limits.cpu", flag: "--limit-cpu CPUS",
	},
	{
		id: "5.15", section: sectionContainers, title: "Restarts are bounded", judge: restartsBounded,
		right: "at most 5 tries by the engine; by Swarm at most 5, or at least 5 seconds between two",
		field: "set spec.restartPolicy.delaySeconds to 5 or more", flag: "--restart-delay 5s",
	},
	{
		id: "5.19", section: sectionContainers, title: "Ulimits are raised only where that is needed", judge: ulimitsKept,
		right: "the engine's ulimits, or bounded ones", field: "take it out of spec.ulimits", flag: "--ulimit-rm NAME",
	},
	{
		id: "5.29", section: sectionContainers, title: "The number of processes is limited", judge: processesLimited,
		right: "a limit on processes", field: "set spec.resources.limits.pids", flag: "--limit-pids NUMBER",
	},
}

func memoryLimited(c *Container, _ *Input) verdict {
	return faultIf(c.MemoryBytes <= 0, SeverityMedium, "it may use all memory of the node")
}

func cpuLimited(c *Container, _ *Input) verdict {
	return faultIf(c.NanoCPUs <= 0 && c.CPUQuota <= 0 && c.CPUShares <= 0, SeverityMedium, "it may use all CPUs of the node, and has no share")
}

func processesLimited(c *Container, _ *Input) verdict {
	return faultIf(c.PIDs <= 0, SeverityMedium, "it may start processes until the node can start no more")
}

// restartsBounded reads the benchmark's five tries for Swarm as what they are for: Swarm replaces a task that has ended
// by another one, which is what it is used for, so what has to be bounded is how fast.
func restartsBounded(c *Container, _ *Input) verdict {
	r := c.Restart
	bounded := r.MaxAttempts > 0 && r.MaxAttempts <= mostRestarts

	switch {
	case r.Condition == "" || r.Condition == "no" || r.Condition == "none":
		return passes()
	case c.Service && !c.Live():
		return faultIf(!bounded && r.Delay < leastDelay, SeverityLow, "it is started again without end, %s after it has ended", r.Delay)
	case r.Condition == "on-failure":
		return faultIf(!bounded, SeverityLow, "the engine starts it again more than %d times", mostRestarts)
	default:
		return fault(SeverityLow, "the engine starts it again without end (%s)", r.Condition)
	}
}

func ulimitsKept(c *Container, _ *Input) verdict {
	var raised []string
	for _, u := range c.Ulimits {
		if u.Hard < 0 || u.Name == "nofile" && u.Hard > mostFiles {
			raised = append(raised, fmt.Sprintf("%s %d", u.Name, u.Hard))
		}
	}
	slices.Sort(raised)

	return faultIf(len(raised) > 0, SeverityLow, "ulimits are raised: %s", strings.Join(raised, ", "))
}

package guard

import (
	"fmt"
	"maps"
	"reflect"

	"github.com/docker/docker/api/types/mount"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// A service that was adopted keeps its tasks, and with them whatever they were made from. That is not ours to choose, but
// neither is everything that runs fit to belong to a tenant: what reaches out of the container, mounts of the node before
// all else, is on no list here either.
var (
	standingRules    = standing(rules)
	standingKeyRules = standingKeys(keyRules)
	standingWholes   = []func(*check){isOwned, hasOneMode, isAsItStood, isSmall}
)

// freeOfChoice are the fields in which a service of others may have any value.
var freeOfChoice = []string{
	"TaskTemplate.Networks[].Target", "TaskTemplate.Networks[].Aliases[]",
	containerSpec + "Env[]", containerSpec + "Dir", containerSpec + "User", containerSpec + "Hostname", containerSpec + "StopSignal",
	containerSpec + "StopGracePeriod", containerSpec + "Isolation", containerSpec + "TTY", containerSpec + "OpenStdin",
	containerSpec + "Healthcheck.Interval", containerSpec + "Healthcheck.Timeout", containerSpec + "Healthcheck.StartPeriod",
	containerSpec + "Healthcheck.StartInterval", containerSpec + "Healthcheck.Retries",
	containerSpec + "Mounts[].TmpfsOptions.SizeBytes", containerSpec + "Mounts[].TmpfsOptions.Mode",
	containerSpec + "Privileges.NoNewPrivileges",
	containerSpec + "Secrets[].File.Name", containerSpec + "Secrets[].File.UID", containerSpec + "Secrets[].File.GID",
	containerSpec + "Secrets[].File.Mode", containerSpec + "Configs[].File.Name", containerSpec + "Configs[].File.UID",
	containerSpec + "Configs[].File.GID", containerSpec + "Configs[].File.Mode",
	task + "Resources.Limits.NanoCPUs", task + "Resources.Limits.MemoryBytes", task + "Resources.Limits.Pids",
	task + "Resources.Reservations.NanoCPUs", task + "Resources.Reservations.MemoryBytes",
	task + "RestartPolicy.Delay", task + "RestartPolicy.MaxAttempts", task + "RestartPolicy.Window",
	"EndpointSpec.Ports[].PublishedPort", "EndpointSpec.Ports[].Name",
}

func standing(from map[string]rule) map[string]rule {
	out := maps.Clone(from)
	for _, path := range freeOfChoice {
		out[path] = anything
	}
	// What others call a volume may be anybody's, and what is not among ours is not protected with ours.
	out[containerSpec+"Mounts[].Type"] = oneOf(string(mount.TypeTmpfs))

	return out
}

func standingKeys(from map[string]keyRule) map[string]keyRule {
	out := maps.Clone(from)
	out["Labels{}"] = isStandingLabel
	out[containerSpec+"Labels{}"] = func(*check, string, string) string { return "" }
	out[task+"LogDriver.Options{}"] = func(*check, string, string) string { return "" }

	return out
}

// isStandingLabel lets the mark stand that goes with the tasks.
func isStandingLabel(c *check, key, value string) string {
	if key == v1alpha1.SwarmLabelAdopted {
		return ""
	}

	return isServiceLabel(c, key, value)
}

// isAsItStood demands that no task is replaced.
func isAsItStood(c *check) {
	if con := c.spec.TaskTemplate.ContainerSpec; con == nil || con.Image == "" {
		c.refuse("TaskTemplate.ContainerSpec.Image", "must be set")
	}
	for _, part := range []struct {
		path        string
		sent, stood any
	}{
		{"TaskTemplate", c.spec.TaskTemplate, c.facts.Standing.TaskTemplate},
		{"EndpointSpec", c.spec.EndpointSpec, c.facts.Standing.EndpointSpec},
	} {
		if !reflect.DeepEqual(part.sent, part.stood) {
			c.refuse(part.path, "must be what the service has: it keeps its tasks")
		}
	}
	if c.spec.Labels[v1alpha1.SwarmLabelAdopted] == "" {
		c.refuse("Labels{}", fmt.Sprintf("must have %q", v1alpha1.SwarmLabelAdopted))
	}
}

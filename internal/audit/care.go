package audit

import (
	"slices"
	"strings"

	"github.com/dogker/dogker/reconciler/policy"
)

// careChecks are about how a container is looked after.
var careChecks = []containerCheck{
	{
		id: "5.27", section: sectionContainers, title: "Health is checked at run time", judge: healthChecked,
		right: "a health check, by which a container that hangs is found and replaced",
		field: "set spec.healthCheck", flag: "--health-cmd COMMAND",
	},
	{
		id: "5.28", section: sectionContainers, title: "The version of the image is chosen", judge: versionChosen,
		right: "a tag that says a version, or a digest: latest is another image on every node that pulls it another day",
		field: "name a version in spec.image", flag: "--image REPOSITORY:VERSION",
	},
	{
		id: "7.4", section: sectionSwarm, title: "Secrets are kept as Swarm's secrets, and not in variables", judge: noSecretNames,
		right: "a secret as a file", flag: "--env-rm NAME --secret-add NAME",
		foreignOnly: "of what Dogker made the declaration is looked at, by rule S4: Swarm does not know which variable came from a Secret",
	},
}

// healthChecked is advice: how an application tells that it is well, only those who wrote it know.
func healthChecked(c *Container, _ *Input) verdict {
	switch c.Health {
	case HealthChecked:
		return passes()
	case HealthUnknown:
		return unseen(onlyRunning)
	case HealthDisabled:
		return fault(SeverityAdvice, "the health check of its image is switched off")
	default:
		return fault(SeverityAdvice, "nobody asks it how it is")
	}
}

func versionChosen(c *Container, _ *Input) verdict {
	name, _, digest := strings.Cut(c.Image, "@")
	if digest || strings.HasPrefix(name, "sha256:") {
		return passes()
	}

	repository := name[strings.LastIndexByte(name, '/')+1:]
	_, tag, tagged := strings.Cut(repository, ":")

	return faultIf(!tagged || tag == "latest", SeverityLow, "its image is %s, without a version", c.Image)
}

// noSecretNames looks at names alone. A variable that names a file, as many images have, holds no secret.
func noSecretNames(c *Container, _ *Input) verdict {
	var names []string
	for _, name := range c.EnvNames {
		if policy.Secretive(name) && !strings.HasSuffix(strings.ToUpper(name), "_FILE") {
			names = append(names, name)
		}
	}
	slices.Sort(names)

	return faultIf(len(names) > 0, SeverityLow, "variables look like secrets: %s", strings.Join(slices.Compact(names), ", "))
}

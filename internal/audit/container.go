package audit

import (
	"fmt"
	"slices"
	"strings"
)

// Sections of a report.
const (
	sectionHost       = "1 Host configuration"
	sectionDaemon     = "2 Docker daemon configuration"
	sectionFiles      = "3 Docker daemon configuration files"
	sectionImages     = "4 Container images and build files"
	sectionContainers = "5 Container runtime"
	sectionOperations = "6 Docker security operations"
	sectionSwarm      = "7 Docker Swarm configuration"
	sectionProfiles   = "Security profiles of Dogker"
	sectionDeliveries = "Repositories that Dogker follows"
)

// containerCheck is a check of a container, as a spec asks for it and as it runs.
type containerCheck struct {
	id, section, title string
	judge              func(*Container, *Input) verdict
	// right is what there should be. field is how a TenantContainer gets there, flag how a service or a container of
	// somebody else does.
	right, field, flag string
	// foreignOnly are checks that have another form for what Dogker made; it is named.
	foreignOnly string
}

// onlyRunning is said of a spec where not the spec decides, but the image or the node.
const onlyRunning = "only a running container tells"

// containerChecks are all checks of containers, by subject.
var containerChecks = slices.Concat(privilegeChecks, isolationChecks, mountChecks, portChecks, limitChecks, careChecks)

// containerSections hold every workload against every check of containers.
func containerSections(in Input) []Check {
	checks := make([]Check, 0, len(containerChecks))
	for _, k := range containerChecks {
		c := Check{ID: k.id, Section: k.section, Title: k.title}
		for _, w := range in.Workloads {
			k.on(&c, w, &in)
		}
		if len(in.Workloads) == 0 {
			c.note(nil, notApplicable("no container runs here"), "", "")
		}
		checks = append(checks, c)
	}

	return checks
}

// on adds what the check says of a workload. What the spec asks for is wrong on all nodes, and is said once; what is wrong
// with a container alone is said with its id.
func (k containerCheck) on(c *Check, w Workload, in *Input) {
	note := func(v verdict) { c.note(&w.Object, v, k.right, k.remedy(w)) }

	if k.foreignOnly != "" && w.Ours() {
		note(notApplicable("%s", k.foreignOnly))

		return
	}

	asked := verdict{outcome: OutcomeUnseen, why: onlyRunning}
	if w.Spec != nil {
		asked = k.judge(w.Spec, in)
	}
	if asked.outcome == OutcomeFinding {
		note(asked)

		return
	}

	found, rest := k.running(w, in)
	for _, v := range found {
		note(v)
	}
	if len(found) > 0 {
		return
	}

	for _, v := range k.judgements(w, asked, rest) {
		note(v)
	}
}

// running judges the containers of a workload: the faults, each once, and one verdict of each other kind.
func (k containerCheck) running(w Workload, in *Input) (faults, rest []verdict) {
	said := map[string]bool{}
	for i := range w.Live {
		v := k.judge(&w.Live[i], in)
		if said[string(v.outcome)+v.found+v.why] {
			continue
		}
		said[string(v.outcome)+v.found+v.why] = true

		if v.outcome != OutcomeFinding {
			rest = append(rest, v)

			continue
		}
		if w.Object.Kind != KindContainer {
			v.found = fmt.Sprintf("%s (container %.12s)", v.found, w.Live[i].ID)
		}
		faults = append(faults, v)
	}

	return faults, rest
}

// judgements puts together what is neither wrong in the spec nor in a container.
func (k containerCheck) judgements(w Workload, asked verdict, running []verdict) []verdict {
	if asked.outcome != OutcomeUnseen && len(running) == 0 {
		return []verdict{asked}
	}

	out := running
	if asked.outcome == OutcomeUnseen && len(w.Elsewhere) > 0 {
		out = append(out, unseen("%s: ask the engines of %s, which have some", onlyRunning, strings.Join(w.Elsewhere, ", ")))
	}
	if len(out) == 0 {
		out = append(out, notApplicable("no container of it runs"))
	}

	return out
}

func (k containerCheck) remedy(w Workload) string {
	switch {
	case w.Ours() && k.field != "":
		return k.field
	case w.Ours():
		return "this is not what Dogker sends: see that `dogker server` runs, which puts it back (`dogker doctor`)"
	case w.Object.Kind == KindService && strings.HasPrefix(k.flag, "--"):
		return "docker service update " + k.flag + " " + w.Object.Name
	case w.Object.Kind == KindContainer && strings.HasPrefix(k.flag, "--"):
		return "make the container again, so that it has " + k.right
	default:
		return k.flag
	}
}

// hasOption is true when one of the engine's security options says so.
func (e Engine) hasOption(name string) bool {
	return slices.ContainsFunc(e.Info.SecurityOptions, func(o string) bool {
		first, _, _ := strings.Cut(o, ",")

		return first == "name="+name
	})
}

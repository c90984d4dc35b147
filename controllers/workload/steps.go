package workload

import (
	"fmt"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// step is one write. Its text is for people: logs, tests and dry runs print it. apply.go carries it out.
type step interface {
	fmt.Stringer
}

type createNetwork struct{ tenant string }

func (s createNetwork) String() string {
	return fmt.Sprintf("create network %q", swarmobj.NetworkName(s.tenant))
}

type createContent struct {
	tenant  string
	content content
}

func (s createContent) String() string {
	noun := "config"
	if s.content.Kind == servicespec.KindSecret {
		noun = "secret"
	}

	return fmt.Sprintf("create %s %q", noun, s.content.swarmName)
}

type createService struct {
	want swarm.ServiceSpec
	auth string
}

func (s createService) String() string { return fmt.Sprintf("create service %q", s.want.Name) }

type updateService struct {
	seen    swarm.Service
	want    swarm.ServiceSpec
	auth    string
	changes string
	why     string
}

func (s updateService) String() string {
	return fmt.Sprintf("update service %q: %s (%s)", s.want.Name, s.changes, s.why)
}

// stopTasks lets a service have no tasks, and changes nothing else about it.
type stopTasks struct{ seen swarm.Service }

func (s stopTasks) String() string {
	return fmt.Sprintf("stop tasks of service %q: %s", s.seen.Spec.Name, whyHeld)
}

// adoptService makes a service ours that is not, and replaces no task of it.
type adoptService struct {
	seen swarm.Service
	want swarm.ServiceSpec
	auth string
}

func (s adoptService) String() string { return fmt.Sprintf("adopt service %q", s.want.Name) }

type removeService struct {
	id, name string
	owner    swarmobj.Owner
	why      string
}

func (s removeService) String() string { return fmt.Sprintf("remove service %q: %s", s.name, s.why) }

type recordRevision struct {
	revision *v1alpha1.ContainerRevision
	// referenced variables are written to a Secret beside the record; none when the template itself says it all.
	referenced map[string][]byte
}

func (s recordRevision) String() string {
	text := fmt.Sprintf("record revision %q", s.revision.Name)
	if s.revision.Status.Outcome != "" {
		text += fmt.Sprintf(" as %s", s.revision.Status.Outcome)
	}

	return text
}

type markRevision struct {
	// record as it was judged, or as it is made in the same plan. A mark for a record that has changed since is refused.
	record  *v1alpha1.ContainerRevision
	verdict verdict
}

func (s markRevision) String() string {
	text := fmt.Sprintf("mark revision %q as %s", s.record.Name, s.verdict.outcome)
	if s.verdict.cause.reason != "" {
		text += ": " + s.verdict.cause.reason
	}

	return text
}

type removeRevision struct{ name, envSecret string }

func (s removeRevision) String() string { return fmt.Sprintf("remove revision %q", s.name) }

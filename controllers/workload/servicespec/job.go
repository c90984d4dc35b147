package servicespec

import (
	"errors"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Job is what makes a service one run of a job.
//
// It is no job of Swarm's own. Engines up to 20.10 at least leave the tasks of such a job running when its service is removed, have no
// other way to stop them, and forget neither the tasks nor their containers; and any update runs it again. A replicated service
// whose tasks are not restarted when they have ended well does the same and can be stopped like any other.
type Job struct {
	// Run is the name of the run, which no other run of the namespace has or had. The service is named after it, and it is the
	// only name by which its tasks are found on the network: the job's own name may be a container's.
	Run string
	// Tasks there are, those that are over among them.
	Tasks uint64
}

// BuildJob makes the service of one run. The owner is the job. What is about rollouts plays no part, and tasks are restarted as the
// template says. The errors are those of Build.
func BuildJob(in Input, j Job) (swarm.ServiceSpec, error) {
	b := &builder{in: in, t: in.Template}

	spec := swarm.ServiceSpec{
		Annotations:  swarm.Annotations{Name: swarmobj.RunServiceName(in.Owner.Tenant, j.Run), Labels: b.labels()},
		TaskTemplate: b.task(),
		Mode:         swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &j.Tasks}},
		EndpointSpec: &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR},
	}
	spec.Labels[v1alpha1.SwarmLabelRun] = j.Run
	spec.TaskTemplate.Networks = []swarm.NetworkAttachmentConfig{{Target: in.NetworkID, Aliases: []string{j.Run}}}
	b.finish(&spec)

	if err := errors.Join(b.problems...); err != nil {
		return swarm.ServiceSpec{}, err
	}

	return spec, nil
}

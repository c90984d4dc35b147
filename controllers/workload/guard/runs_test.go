package guard

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// run is the service of a run of a job, and what it is held against.
func run() (swarm.ServiceSpec, Facts) {
	owner := swarmobj.Owner{Tenant: "acme", Kind: swarmobj.KindJob, Name: "nightly", UID: "u1"}
	replicas, grace := uint64(1), 30*time.Second
	spec := swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "acme_job_nightly-x", Labels: owner.Labels()}}
	spec.Labels[v1alpha1.SwarmLabelRun] = "nightly-x"
	spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: &replicas}
	spec.EndpointSpec = &swarm.EndpointSpec{Mode: swarm.ResolutionModeDNSRR}
	spec.TaskTemplate = swarm.TaskSpec{
		Runtime:       swarm.RuntimeContainer,
		ContainerSpec: &swarm.ContainerSpec{Image: "registry.example/shop:1.4", StopGracePeriod: &grace},
		RestartPolicy: &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionOnFailure},
		Networks:      []swarm.NetworkAttachmentConfig{{Target: "n1", Aliases: []string{"nightly-x"}}},
	}

	return spec, Facts{Owner: owner, Run: "nightly-x", NetworkID: "n1"}
}

func TestRuns(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		change func(*swarm.ServiceSpec)
		want   string // Part of the refusal; empty when there is none.
	}{
		"Good":       {"What the renderer makes passes.", func(*swarm.ServiceSpec) {}, ""},
		"OtherRun":   {"A run is told by its name, and has one service.", func(s *swarm.ServiceSpec) { s.Name = "acme_job_nightly-y" }, "Name is"},
		"Container":  {"Its name is none that a container could have.", func(s *swarm.ServiceSpec) { s.Name = "acme_nightly" }, "Name is"},
		"Unlabelled": {"By the label it is known again.", func(s *swarm.ServiceSpec) { delete(s.Labels, v1alpha1.SwarmLabelRun) }, "Labels{} must have"},
		"Endless": {"A task that ended well is not run again.", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.RestartPolicy.Condition = swarm.RestartPolicyConditionAny
		}, "RestartPolicy.Condition"},
		"Everywhere": {"A run has as many tasks as were asked for.", func(s *swarm.ServiceSpec) {
			s.Mode = swarm.ServiceMode{Global: &swarm.GlobalService{}}
		}, "Mode.Global"},
		"Alias": {"Nobody takes a run for the container of the same name.", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.Networks[0].Aliases = []string{"nightly"}
		}, "Aliases[]"},
		"Published": {"Nobody reaches it.", func(s *swarm.ServiceSpec) {
			s.EndpointSpec.Ports = []swarm.PortConfig{{Protocol: "tcp", TargetPort: 80, PublishedPort: 80, PublishMode: swarm.PortConfigPublishModeHost}}
		}, "Ports[]"},
		"JobOfSwarm": {"What Swarm cannot stop is not made.", func(s *swarm.ServiceSpec) {
			s.Mode = swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{}}
		}, "Mode.ReplicatedJob"},
	} {
		t.Run(name, func(t *testing.T) {
			spec, facts := run()
			tc.change(&spec)

			switch err := Check(spec, facts); {
			case tc.want == "" && err != nil:
				t.Errorf("%s\nrefused: %v", tc.reason, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%s\ngot %v, want a refusal of %s", tc.reason, err, tc.want)
			}
		})
	}
}

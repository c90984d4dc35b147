package guard

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// stood is a service as somebody else has made it, and the spec by which it is adopted.
func stood(change func(*swarm.ServiceSpec)) (swarm.ServiceSpec, Facts) {
	live := swarm.ServiceSpec{TaskTemplate: swarm.TaskSpec{
		ContainerSpec: &swarm.ContainerSpec{
			Image: "nginx:1", Labels: map[string]string{"com.docker.stack.namespace": "acme"}, Hostname: "Web_1", User: "nginx",
			Isolation: container.IsolationDefault, Privileges: &swarm.Privileges{},
			Secrets: []*swarm.SecretReference{{SecretID: "s9", SecretName: "acme_key", File: &swarm.SecretReferenceFileTarget{Name: "key", Mode: 0o777}}},
		},
		Networks: []swarm.NetworkAttachmentConfig{{Target: "net1"}, {Target: "net9", Aliases: []string{"Web_1"}}},
	}}
	change(&live)

	spec, facts := safe(), facts()
	spec.TaskTemplate, spec.EndpointSpec = live.TaskTemplate, live.EndpointSpec
	spec.Labels["io.dogker.adopted"] = "0123"
	facts.Standing = &live

	return spec, facts
}

func TestStandingServicesAreLetPass(t *testing.T) {
	spec, facts := stood(func(s *swarm.ServiceSpec) {
		s.EndpointSpec = &swarm.EndpointSpec{Ports: []swarm.PortConfig{{TargetPort: 80, PublishMode: "ingress", Protocol: "tcp"}}}
	})
	if err := Check(spec, facts); err != nil {
		t.Errorf("what others have made, and reaches nothing: %v", err)
	}

	facts.Standing = nil
	if err := Check(spec, facts); err == nil {
		t.Error("we would never make such a spec")
	}
}

func TestStandingServicesAreRefused(t *testing.T) {
	cases := map[string]struct {
		reason string
		live   func(*swarm.ServiceSpec)
		sent   func(*swarm.ServiceSpec)
		says   string
	}{
		"BindMount": {"It reaches the node.", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.ContainerSpec.Mounts = []mount.Mount{{Type: "bind", Source: "/", Target: "/host"}}
		}, nil, "Mounts[].Source"},
		"Volume": {"So do volumes, which have drivers.", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.ContainerSpec.Mounts = []mount.Mount{{Type: "volume", Target: "/data"}}
		}, nil, "Mounts[].Type"},
		"Capability": {"It reaches the kernel.", func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.CapabilityAdd = []string{"CAP_SYS_ADMIN"} }, nil, "CapabilityAdd[]"},
		"Seccomp": {"It takes a fence away.", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.ContainerSpec.Privileges.Seccomp = &swarm.SeccompOpts{Mode: "unconfined"}
		}, nil, "Privileges.Seccomp"},
		"Device": {"Generic resources stand for devices.", func(s *swarm.ServiceSpec) {
			s.TaskTemplate.Resources = &swarm.ResourceRequirements{Reservations: &swarm.Resources{
				GenericResources: []swarm.GenericResource{{DiscreteResourceSpec: &swarm.DiscreteGenericResource{Kind: "gpu", Value: 1}}},
			}}
		}, nil, "GenericResources"},
		"LogDriver": {"It connects out from the node.", func(s *swarm.ServiceSpec) { s.TaskTemplate.LogDriver = &swarm.Driver{Name: "syslog"} }, nil, "LogDriver.Name"},
		"Plugin":    {"It runs on the node.", func(s *swarm.ServiceSpec) { s.TaskTemplate.Runtime = swarm.RuntimePlugin }, nil, "Runtime"},
		"AnotherTemplate": {"Under this name nothing but what stood is sent.", func(*swarm.ServiceSpec) {}, func(s *swarm.ServiceSpec) {
			c := *s.TaskTemplate.ContainerSpec
			c.Image = "nginx:2"
			s.TaskTemplate.ContainerSpec = &c
		}, "TaskTemplate must be what the service has"},
		"AnotherEndpoint": {"Ports replace tasks, too.", func(*swarm.ServiceSpec) {}, func(s *swarm.ServiceSpec) { s.EndpointSpec = &swarm.EndpointSpec{Mode: "vip"} },
			"EndpointSpec must be what the service has"},
		"WithoutTheMark": {"What is not marked would be rolled out by the next pass.", func(*swarm.ServiceSpec) {}, func(s *swarm.ServiceSpec) { delete(s.Labels, "io.dogker.adopted") },
			`must have "io.dogker.adopted"`},
		"ForeignLabel": {"Labels of services are ours alone.", func(*swarm.ServiceSpec) {}, func(s *swarm.ServiceSpec) { s.Labels["traefik.enable"] = "true" }, "traefik.enable"},
		"NoOwner":      {"Nor does it pass without an owner.", func(*swarm.ServiceSpec) {}, func(s *swarm.ServiceSpec) { delete(s.Labels, "io.dogker.uid") }, "io.dogker.uid"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec, facts := stood(tc.live)
			if tc.sent != nil {
				tc.sent(&spec)
			}
			if err := Check(spec, facts); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.says)
			}
		})
	}
}

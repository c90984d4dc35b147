package workload

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// stacked is a service as `docker stack deploy` leaves it.
func stacked() swarm.Service {
	return swarm.Service{ID: "svc-9", Spec: swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "acme_web", Labels: map[string]string{"com.docker.stack.namespace": "acme"}},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: "shop:1@sha256:" + digest, Hostname: "Web_1", Labels: map[string]string{"com.docker.stack.namespace": "acme"}},
			Networks:      []swarm.NetworkAttachmentConfig{{Target: "net-1", Aliases: []string{"web"}}},
			ForceUpdate:   3,
		},
		Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64(1))}},
	}}
}

// adopting makes a scene of a container that is to have a service that is there.
func adopting(s *situation, service swarm.Service) {
	s.world.Service, s.world.Squatter = nil, &service
	s.history, s.target = nil, target{number: 1, fresh: true}
	s.adoptee = &service
	s.image = service.Spec.TaskTemplate.ContainerSpec.Image
	again(s)
}

// adopted makes a scene of a container that has adopted a service, as the engine shows it afterwards.
func adopted(s *situation) {
	service := stacked()
	adopting(s, service)
	service.Spec = *s.want
	record := revision(1, "a", v1alpha1.OutcomeComplete)
	s.history = history{record}
	s.adoptee, s.world.Squatter, s.world.Service = nil, nil, &service
	s.target = target{number: 1, record: &s.history[0]}
	again(s)
}

func TestAdoptionWritesLabelsOnly(t *testing.T) {
	s := scene(t)
	adopting(s, stacked())

	steps, err := plan(s, func(swarm.PortConfigPublishMode, swarm.PortConfig, string) (swarmobj.Owner, bool) {
		return swarmobj.Owner{}, false
	})
	if err != nil || len(steps) != 1 || steps[0].String() != `adopt service "acme_web"` {
		t.Fatalf("steps %v, error %v, trouble %v", steps, err, s.trouble)
	}
	want := steps[0].(adoptService).want
	if diff := cmp.Diff(stacked().Spec.TaskTemplate, want.TaskTemplate); diff != "" {
		t.Errorf("another task template replaces tasks (-had +sent):\n%s", diff)
	}
	if want.EndpointSpec != nil {
		t.Errorf("another endpoint replaces tasks: %+v", want.EndpointSpec)
	}
	if want.Labels["com.docker.stack.namespace"] != "" || want.Labels[v1alpha1.SwarmLabelUID] != "uid-1" || want.Labels[v1alpha1.SwarmLabelRevision] != "1" {
		t.Errorf("labels %v: they must be ours and no others", want.Labels)
	}
}

// TestAdopted: a service that keeps its tasks is managed in everything else, until it is asked for something they are not.
func TestAdopted(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*situation)
		steps  []string
		kept   bool
	}{
		"Quiet": {"Nothing differs from what was adopted.", func(*situation) {}, nil, true},
		"Scaled": {"The tasks that run stay.", func(s *situation) { s.tc.Spec.Replicas = new(int32(3)) },
			[]string{`update service "acme_web": replicas 1 → 3 (scale or policy changed)`}, true},
		"Policy": {"How the next rollout goes restarts nothing.", func(s *situation) {
			s.tc.Spec.Rollout = &v1alpha1.Rollout{DelaySeconds: new(int32(2))}
		}, []string{`update service "acme_web": rollbackConfig.delay none → 2s, updateConfig.delay none → 2s (scale or policy changed)`}, true},
		"RestartedByHand": {"A restart changes nothing about what runs.", func(s *situation) { s.world.Service.Spec.TaskTemplate.ForceUpdate = 4 }, nil, true},
		"LabelByHand": {"What is not a task's is put back without touching one.", func(s *situation) { s.world.Service.Spec.Labels["traefik.enable"] = "true" },
			[]string{`update service "acme_web": labels[traefik.enable] true → none (it had been changed outside Dogker)`}, true},
		"EnvByHand": {"Somebody has replaced the tasks already: what is declared comes now.", func(s *situation) {
			c := *s.world.Service.Spec.TaskTemplate.ContainerSpec
			c.Env = []string{"A=1"}
			s.world.Service.Spec.TaskTemplate.ContainerSpec = &c
		}, []string{"env[A] (removed)"}, false},
		"PortByHand": {"So it is with what is published.", func(s *situation) {
			s.world.Service.Spec.EndpointSpec = &swarm.EndpointSpec{Ports: []swarm.PortConfig{{TargetPort: 80}}}
		}, []string{"(it had been changed outside Dogker)"}, false},
		"RestartAsked": {"All tasks are replaced anyway.", func(s *situation) {
			s.tc.Annotations = map[string]string{v1alpha1.AnnotationRestartedAt: "now"}
		}, []string{"forceUpdate 3 → 4"}, false},
		"AnotherTemplate": {"The first rollout is to what is declared.", func(s *situation) {
			s.templateHash, s.target = "b", target{number: 2, fresh: true}
		}, []string{`record revision "web-2" as Progressing`, "hostname Web_1 → none"}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scene(t)
			adopted(s)
			tc.change(s)
			again(s)

			steps, err := plan(s, func(swarm.PortConfigPublishMode, swarm.PortConfig, string) (swarmobj.Owner, bool) {
				return swarmobj.Owner{}, false
			})
			if err != nil || len(steps) != len(tc.steps) {
				t.Fatalf("%s\nsteps %v, want %v; error %v", tc.reason, steps, tc.steps, err)
			}
			for i, st := range steps {
				if !strings.Contains(st.String(), tc.steps[i]) {
					t.Errorf("%s\nstep %q, want %q", tc.reason, st, tc.steps[i])
				}
			}
			if kept := cmp.Equal(s.want.TaskTemplate, s.world.Service.Spec.TaskTemplate); kept != tc.kept {
				t.Errorf("%s\ntasks are kept: %v", tc.reason, kept)
			}
			if err := guard.Check(*s.want, s.guardFacts()); err != nil {
				t.Errorf("%s\nthe guard: %v", tc.reason, err)
			}
		})
	}
}

func TestRefusedAdoptions(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*swarm.Service)
		says   string
	}{
		"AnotherName":  {"Swarm renames nothing.", func(s *swarm.Service) { s.Spec.Name = "acme_api" }, `its name would have to be "acme_web"`},
		"Updating":     {"A write would end what Swarm is at.", func(s *swarm.Service) { s.UpdateStatus = &swarm.UpdateStatus{State: swarm.UpdateStateUpdating} }, "replacing its tasks"},
		"AnotherMode":  {"Swarm changes no mode.", func(s *swarm.Service) { s.Spec.Mode = swarm.ServiceMode{Global: &swarm.GlobalService{}} }, "spec.mode"},
		"NoContainers": {"A plugin is none.", func(s *swarm.Service) { s.Spec.TaskTemplate.ContainerSpec = nil }, "no containers"},
		"UntaggedImage": {"The client of the engine adds the tag, and that is another template.", func(s *swarm.Service) {
			s.Spec.TaskTemplate.ContainerSpec.Image = "shop"
		}, `write "shop:latest"`},
		"LongImage": {"So it is with the name in full.", func(s *swarm.Service) { s.Spec.TaskTemplate.ContainerSpec.Image = "docker.io/library/shop:1" }, `write "shop:1"`},
		"BindMount": {"Nothing of a node becomes a tenant's.", func(s *swarm.Service) {
			s.Spec.TaskTemplate.ContainerSpec.Mounts = []mount.Mount{{Type: mount.TypeBind, Source: "/", Target: "/host"}}
		}, `Mounts[].Type is "bind", allowed are tmpfs`},
		"Capability": {"Nor does what reaches beyond the container.", func(s *swarm.Service) {
			s.Spec.TaskTemplate.ContainerSpec.CapabilityAdd = []string{"CAP_SYS_ADMIN"}
		}, "CapabilityAdd[]"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, c := scene(t), &Controller{swarm: foreigner{service: stacked()}}
			s.history, s.world.Service, s.target = nil, nil, target{number: 1, fresh: true}
			s.tc.Annotations = map[string]string{v1alpha1.AnnotationAdopt: "svc-9"}
			live := stacked()
			tc.change(&live)
			c.swarm = foreigner{service: live}

			if err := c.lookAtAdoptee(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if s.trouble == nil {
				again(s)
			}
			wait, _ := s.trouble.(*outcome.Wait)
			if wait == nil || wait.Reason != v1alpha1.ReasonAdoptionRefused || !strings.Contains(wait.Message, tc.says) || s.want != nil && s.adoptee != nil {
				t.Errorf("%s\ngot %v, want %q", tc.reason, s.trouble, tc.says)
			}
		})
	}
}

// TestAdoptionIsAskedForOnce: what has been adopted, or made, is not looked for again.
func TestAdoptionIsAskedForOnce(t *testing.T) {
	s, c := scene(t), &Controller{swarm: foreigner{err: fmt.Errorf("asked: %w", swarmobj.ErrNotFound)}}
	s.tc.Annotations = map[string]string{v1alpha1.AnnotationAdopt: "svc-9"}
	for range 2 {
		if err := c.lookAtAdoptee(t.Context(), s); err != nil || s.adoptee != nil || s.trouble != nil {
			t.Errorf("adoptee %v, trouble %v, error %v", s.adoptee, s.trouble, err)
		}
		s.world.Service = nil // Somebody has removed it: it is made anew.
	}

	s.history = nil
	if err := c.lookAtAdoptee(t.Context(), s); err != nil || s.trouble == nil {
		t.Errorf("a container without history waits for its service: trouble %v, error %v", s.trouble, err)
	}
}

// foreigner is a swarm with a service of somebody else.
type foreigner struct {
	Swarm

	service swarm.Service
	err     error
}

func (f foreigner) Foreign(context.Context, string) (swarm.Service, error) { return f.service, f.err }

// TestNetworkOfAStack: it is the tenant's while there is no other.
func TestNetworkOfAStack(t *testing.T) {
	c := &Controller{swarm: networks{by: map[string]swarmobj.Network{"net-9": {ID: "net-9", Name: "acme_default"}}}}
	tenant := &v1alpha1.Tenant{}
	tenant.Annotations = map[string]string{v1alpha1.AnnotationAdoptNetwork: "net-9"}

	s := scene(t)
	s.tenant = tenant
	if c.takeNetwork(s); s.world.Network.ID != "net-1" {
		t.Errorf("its own network is %q", s.world.Network.ID)
	}
	s.world.Network, s.world.NetworkSquatter = nil, true
	if c.takeNetwork(s); s.world.Network == nil || s.world.Network.ID != "net-9" || s.world.NetworkSquatter {
		t.Errorf("the network is %+v", s.world.Network)
	}
	s.world.Network, tenant.Annotations = nil, nil
	if c.takeNetwork(s); s.world.Network != nil {
		t.Errorf("without leave the network is %+v", s.world.Network)
	}
}

type networks struct {
	Swarm

	by map[string]swarmobj.Network
}

func (n networks) Network(id string) (swarmobj.Network, bool) {
	found, ok := n.by[id]

	return found, ok
}

func TestFingerprintIsOfWhatRuns(t *testing.T) {
	s := scene(t)
	adopted(s)
	if live := s.world.Service.Spec; !servicespec.IsAdopted(live) || !servicespec.IsAdopted(servicespec.Normalise(live)) {
		t.Error("a service is adopted also as the engine writes it")
	}
}

package contract

import (
	"context"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
	dswarm "github.com/docker/docker/api/types/swarm"
)

var content = []Case{
	{
		Name:   "SecretsAndConfigsInUseStay",
		Reason: "The engine refuses to remove what a service's present spec refers to; a previous spec holds nothing.",
		Run: func(t *testing.T, e Engine) {
			ctx := t.Context()

			secret, err := e.API.SecretCreate(ctx, dswarm.SecretSpec{Annotations: dswarm.Annotations{Name: "s1"}, Data: []byte("x")})
			if err != nil {
				t.Fatal(err)
			}

			config, err := e.API.ConfigCreate(ctx, dswarm.ConfigSpec{Annotations: dswarm.Annotations{Name: "c1"}, Data: []byte("x")})
			if err != nil {
				t.Fatal(err)
			}

			spec := e.spec("reader")
			spec.Mode.Replicated.Replicas = new(uint64)
			spec.TaskTemplate.ContainerSpec.Secrets = []*dswarm.SecretReference{{
				SecretID: secret.ID, SecretName: "s1", File: &dswarm.SecretReferenceFileTarget{Name: "/s", UID: "0", GID: "0", Mode: 0o444},
			}}
			spec.TaskTemplate.ContainerSpec.Configs = []*dswarm.ConfigReference{{
				ConfigID: config.ID, ConfigName: "c1", File: &dswarm.ConfigReferenceFileTarget{Name: "/c", UID: "0", GID: "0", Mode: 0o444},
			}}
			id := e.create(t, spec)

			wants(t, e.API.SecretRemove(ctx, secret.ID), errdefs.IsInvalidArgument, "secret 's1' is in use by the following service: reader")
			wants(t, e.API.ConfigRemove(ctx, config.ID), errdefs.IsInvalidArgument, "config 'c1' is in use by the following service: reader")

			e.update(t, id, func(s *dswarm.ServiceSpec) {
				c := *s.TaskTemplate.ContainerSpec
				c.Secrets, c.Configs = nil, nil
				s.TaskTemplate.ContainerSpec = &c
			})

			if err := e.API.SecretRemove(ctx, secret.ID); err != nil {
				t.Errorf("a previous spec holds a secret: %v", err)
			}

			if err := e.API.ConfigRemove(ctx, config.ID); err != nil {
				t.Errorf("a previous spec holds a config: %v", err)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "SecretDataIsNeverGivenBack",
		Reason: "Drift of a secret cannot be seen, so its hash stands in a label; drift of a config could be.",
		Run: func(t *testing.T, e Engine) {
			ctx := t.Context()

			secret, err := e.API.SecretCreate(ctx, dswarm.SecretSpec{Annotations: dswarm.Annotations{Name: "s2", Labels: map[string]string{"a": "b"}}, Data: []byte("x")})
			if err != nil {
				t.Fatal(err)
			}

			if got, _, err := e.API.SecretInspectWithRaw(ctx, secret.ID); err != nil || got.Spec.Data != nil || got.Spec.Labels["a"] != "b" {
				t.Errorf("inspect: %+v, %v", got, err)
			}

			config, err := e.API.ConfigCreate(ctx, dswarm.ConfigSpec{Annotations: dswarm.Annotations{Name: "c2"}, Data: []byte("x")})
			if err != nil {
				t.Fatal(err)
			}

			if got, _, err := e.API.ConfigInspectWithRaw(ctx, config.ID); err != nil || string(got.Spec.Data) != "x" {
				t.Errorf("inspect: %+v, %v", got, err)
			}

			_, err = e.API.SecretCreate(ctx, dswarm.SecretSpec{Annotations: dswarm.Annotations{Name: "s2"}, Data: []byte("x")})
			wants(t, err, errdefs.IsConflict, "secret s2 already exists")
			_, err = e.API.ConfigCreate(ctx, dswarm.ConfigSpec{Annotations: dswarm.Annotations{Name: "c2"}, Data: []byte("x")})
			wants(t, err, errdefs.IsConflict, "config c2 already exists")
			_, err = e.API.SecretCreate(ctx, dswarm.SecretSpec{Annotations: dswarm.Annotations{Name: "s3"}})
			wants(t, err, errdefs.IsInvalidArgument, "secret data must be larger than 0 and less than 512000 bytes")
			_, err = e.API.ConfigCreate(ctx, dswarm.ConfigSpec{Annotations: dswarm.Annotations{Name: "c3"}})
			wants(t, err, errdefs.IsInvalidArgument, "config data must be larger than 0 and less than")

			for name, err := range map[string]error{"secret": e.API.SecretRemove(ctx, secret.ID), "config": e.API.ConfigRemove(ctx, config.ID)} {
				if err != nil {
					t.Errorf("remove %s: %v", name, err)
				}
			}
		},
	},
	{
		Name:   "MissingReferencesAreRefused",
		Reason: "A service that refers to what is not there is refused at once, not when its tasks start.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("dangling")
			spec.TaskTemplate.ContainerSpec.Secrets = []*dswarm.SecretReference{{
				SecretID: "none", SecretName: "none", File: &dswarm.SecretReferenceFileTarget{Name: "/s", UID: "0", GID: "0", Mode: 0o444},
			}}
			_, err := e.API.ServiceCreate(t.Context(), spec, dswarm.ServiceCreateOptions{})
			wants(t, err, errdefs.IsInvalidArgument, "secret not found: none")

			spec = e.spec("dangling")
			spec.TaskTemplate.ContainerSpec.Configs = []*dswarm.ConfigReference{{
				ConfigID: "none", ConfigName: "none", File: &dswarm.ConfigReferenceFileTarget{Name: "/s", UID: "0", GID: "0", Mode: 0o444},
			}}
			_, err = e.API.ServiceCreate(t.Context(), spec, dswarm.ServiceCreateOptions{})
			wants(t, err, errdefs.IsInvalidArgument, "config not found: none")

			spec = e.spec("dangling")
			spec.TaskTemplate.Networks = []dswarm.NetworkAttachmentConfig{{Target: "nothing-here"}}
			_, err = e.API.ServiceCreate(t.Context(), spec, dswarm.ServiceCreateOptions{})
			wants(t, err, errdefs.IsInternal, "network nothing-here not found")
		},
	},
	{
		Name:   "OverlappingNetworksGetNoAddresses",
		Reason: "Two owners of one subnet are told apart by whose network has it: the engine takes the second network all the same.",
		Run: func(t *testing.T, e Engine) {
			subnets := func(name, subnet string) []network.IPAMConfig {
				t.Helper()

				made, err := e.API.NetworkCreate(t.Context(), name, network.CreateOptions{
					Driver: "overlay", IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet, Gateway: "10.99.0.1"}}},
				})
				if err != nil {
					t.Fatal(err)
				}

				t.Cleanup(func() { _ = e.API.NetworkRemove(context.WithoutCancel(t.Context()), made.ID) })
				time.Sleep(time.Second)

				got, err := e.API.NetworkInspect(t.Context(), made.ID, network.InspectOptions{})
				if err != nil {
					t.Fatal(err)
				}

				return got.IPAM.Config
			}

			if got := subnets("overlap1", "10.99.0.0/24"); len(got) != 1 || got[0].Subnet != "10.99.0.0/24" || got[0].Gateway != "10.99.0.1" {
				t.Errorf("a network with a subnet of its own has %+v", got)
			}

			if got := subnets("overlap2", "10.99.0.0/25"); len(got) != 0 {
				t.Errorf("a network whose subnet is taken has %+v", got)
			}
		},
	},
	{
		Name:   "NetworkIsHeldByServicesOnly",
		Reason: "It can be removed while containers on it are still stopping, which loses addresses for good.",
		Run: func(t *testing.T, e Engine) {
			ctx := t.Context()
			options := network.CreateOptions{Driver: "overlay", Labels: map[string]string{"contract": "net"}}

			made, err := e.API.NetworkCreate(ctx, "net1", options)
			if err != nil {
				t.Fatal(err)
			}

			_, err = e.API.NetworkCreate(ctx, "net1", options)
			wants(t, err, errdefs.IsConflict, "network with name net1 already exists")

			if listed, err := e.API.NetworkList(ctx, network.ListOptions{Filters: label("contract", "net")}); err != nil || len(listed) != 1 || listed[0].ID != made.ID {
				t.Errorf("by label: %+v, %v", listed, err)
			}

			spec := e.spec("netuser", "APP_IGNORE_TERM=true")
			spec.TaskTemplate.Networks = []dswarm.NetworkAttachmentConfig{{Target: "net1", Aliases: []string{"me"}}}
			id := e.create(t, spec)

			if got := e.inspect(t, id).Spec.TaskTemplate.Networks; len(got) != 1 || got[0].Target != made.ID {
				t.Errorf("the network's name was not turned into its ID: %+v", got)
			}

			e.awaitRunning(t, id, 1)
			wants(t, e.API.NetworkRemove(ctx, made.ID), errdefs.IsInvalidArgument, "network "+made.ID+" is in use by service "+id)

			if err := e.API.ServiceRemove(ctx, id); err != nil {
				t.Fatal(err)
			}

			if err := e.API.NetworkRemove(ctx, made.ID); err != nil {
				t.Errorf("a stopping container holds its network: %v", err)
			}

			if err := e.API.NetworkRemove(ctx, made.ID); err == nil || errdefs.IsNotFound(err) || !errdefs.IsInternal(err) {
				t.Errorf("right after: %v, want an internal error", err)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "SpecComesBackFilledIn",
		Reason: "A difference between what was sent and what comes back must not look like drift.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("filled")
			*spec.Mode.Replicated.Replicas = 0
			spec.Labels = nil
			spec.TaskTemplate.RestartPolicy = &dswarm.RestartPolicy{}
			spec.UpdateConfig = &dswarm.UpdateConfig{Parallelism: 2}
			spec.EndpointSpec = &dswarm.EndpointSpec{Ports: []dswarm.PortConfig{{TargetPort: 80, PublishedPort: 30095}}}
			id := e.create(t, spec)
			got := e.inspect(t, id).Spec

			switch {
			case got.Labels == nil:
				t.Error("labels are nil")
			case got.TaskTemplate.Runtime != dswarm.RuntimeContainer, got.TaskTemplate.ContainerSpec.Isolation != "default":
				t.Errorf("runtime %q, isolation %q", got.TaskTemplate.Runtime, got.TaskTemplate.ContainerSpec.Isolation)
			case got.TaskTemplate.RestartPolicy.Condition != dswarm.RestartPolicyConditionAny, got.TaskTemplate.RestartPolicy.MaxAttempts == nil:
				t.Errorf("restart policy %+v", got.TaskTemplate.RestartPolicy)
			case got.UpdateConfig.FailureAction != dswarm.UpdateFailureActionPause, got.UpdateConfig.Order != dswarm.UpdateOrderStopFirst:
				t.Errorf("update config %+v", got.UpdateConfig)
			case got.EndpointSpec.Mode != dswarm.ResolutionModeVIP, got.EndpointSpec.Ports[0].Protocol != "tcp", got.EndpointSpec.Ports[0].PublishMode != "ingress":
				t.Errorf("endpoint spec %+v", got.EndpointSpec)
			}

			e.cleanUp(t, id)
		},
	},
}

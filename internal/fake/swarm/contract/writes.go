package contract

import (
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
	dswarm "github.com/docker/docker/api/types/swarm"
)

var writes = []Case{
	{
		Name:   "NameOfServiceIsUnique",
		Reason: "Creation is made idempotent by names.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("unique")
			spec.Mode.Replicated.Replicas = new(uint64)
			id := e.create(t, spec)
			_, err := e.API.ServiceCreate(t.Context(), spec, dswarm.ServiceCreateOptions{})
			wants(t, err, errdefs.IsConflict, "name conflicts with an existing object")
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "StaleVersionIsAnInternalError",
		Reason: "The engine answers HTTP 500 to a lost race; whoever takes that for an outage sends the same again.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("stale")
			spec.Mode.Replicated.Replicas = new(uint64)
			id := e.create(t, spec)
			s := e.inspect(t, id)
			s.Version.Index--
			_, err := e.API.ServiceUpdate(t.Context(), id, s.Version, s.Spec, dswarm.ServiceUpdateOptions{})
			wants(t, err, errdefs.IsInternal, "update out of sequence")
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "RenameAndModeChangeAreNotImplemented",
		Reason: "They need a new service.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("fixed")
			spec.Mode.Replicated.Replicas = new(uint64)
			id := e.create(t, spec)
			s := e.inspect(t, id)

			renamed := s.Spec
			renamed.Name = "fixed-2"
			_, err := e.API.ServiceUpdate(t.Context(), id, s.Version, renamed, dswarm.ServiceUpdateOptions{})
			wants(t, err, errdefs.IsNotImplemented, "renaming services is not supported")

			global := s.Spec
			global.Mode = dswarm.ServiceMode{Global: &dswarm.GlobalService{}}
			_, err = e.API.ServiceUpdate(t.Context(), id, s.Version, global, dswarm.ServiceUpdateOptions{})
			wants(t, err, errdefs.IsNotImplemented, "service mode change is not allowed")
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "WhatIsNotThereIsNotFound",
		Reason: "Not found must not be mistaken for not reachable, and the reverse.",
		Run: func(t *testing.T, e Engine) {
			ctx := t.Context()
			_, _, err := e.API.ServiceInspectWithRaw(ctx, "nothing", dswarm.ServiceInspectOptions{})
			wants(t, err, errdefs.IsNotFound, "service nothing not found")
			wants(t, e.API.ServiceRemove(ctx, "nothing"), errdefs.IsNotFound, "service nothing not found")
			_, err = e.API.ServiceUpdate(ctx, "nothing", dswarm.Version{}, e.spec("nothing"), dswarm.ServiceUpdateOptions{})
			wants(t, err, errdefs.IsNotFound, "service nothing not found")
			_, err = e.API.NetworkInspect(ctx, "nothing", network.InspectOptions{})
			wants(t, err, errdefs.IsNotFound, "network nothing not found")
			wants(t, e.API.NetworkRemove(ctx, "nothing"), errdefs.IsNotFound, "network nothing not found")
			_, _, err = e.API.SecretInspectWithRaw(ctx, "nothing")
			wants(t, err, errdefs.IsNotFound, "secret nothing not found")
			wants(t, e.API.SecretRemove(ctx, "nothing"), errdefs.IsNotFound, "secret nothing not found")
			_, _, err = e.API.ConfigInspectWithRaw(ctx, "nothing")
			wants(t, err, errdefs.IsNotFound, "config nothing not found")
			wants(t, e.API.ConfigRemove(ctx, "nothing"), errdefs.IsNotFound, "config nothing not found")
			_, err = e.API.ImageInspect(ctx, e.Missing)
			wants(t, err, errdefs.IsNotFound, "No such image: "+e.Missing)
		},
	},
	{
		Name:   "RoutingMeshPortsAreRefusedWhenTaken",
		Reason: "The text names the other service, so it must never reach a tenant.",
		Run: func(t *testing.T, e Engine) {
			publish := func(name string, mode dswarm.PortConfigPublishMode, endpoint dswarm.ResolutionMode) dswarm.ServiceSpec {
				spec := e.spec(name)
				spec.Mode.Replicated.Replicas = new(uint64)
				spec.EndpointSpec = &dswarm.EndpointSpec{Mode: endpoint, Ports: []dswarm.PortConfig{{
					Protocol: dswarm.PortConfigProtocolTCP, TargetPort: 80, PublishedPort: 30080, PublishMode: mode,
				}}}

				return spec
			}

			id := e.create(t, publish("mesh", dswarm.PortConfigPublishModeIngress, dswarm.ResolutionModeVIP))

			for name, mode := range map[string]dswarm.PortConfigPublishMode{
				"mesh-2": dswarm.PortConfigPublishModeIngress, "mesh-3": dswarm.PortConfigPublishModeHost,
			} {
				_, err := e.API.ServiceCreate(t.Context(), publish(name, mode, dswarm.ResolutionModeVIP), dswarm.ServiceCreateOptions{})
				wants(t, err, errdefs.IsInvalidArgument, "port '30080' is already in use by service 'mesh' ("+id+") as an ingress port")
			}

			spec := publish("mesh-4", dswarm.PortConfigPublishModeIngress, dswarm.ResolutionModeDNSRR)
			spec.EndpointSpec.Ports[0].PublishedPort = 30081
			_, err := e.API.ServiceCreate(t.Context(), spec, dswarm.ServiceCreateOptions{})
			wants(t, err, errdefs.IsInvalidArgument, "port published with ingress mode can't be used with dnsrr mode")
			e.cleanUp(t, id)
		},
	},
	{
		Name:   "BadNamesAreRefused",
		Reason: "Names are made from the tenant's, so the limits must be known.",
		Run: func(t *testing.T, e Engine) {
			_, err := e.API.ServiceCreate(t.Context(), e.spec("bad.name"), dswarm.ServiceCreateOptions{})
			wants(t, err, errdefs.IsInvalidArgument, "name must be valid as a DNS name component")
			_, err = e.API.ServiceCreate(t.Context(), e.spec(strings.Repeat("x", 64)), dswarm.ServiceCreateOptions{})
			wants(t, err, errdefs.IsInvalidArgument, "name must be 63 characters or fewer")
		},
	},
}

// wants fails unless the error is of the class and has the text.
func wants(t *testing.T, err error, class func(error) bool, text string) {
	t.Helper()

	if err == nil {
		t.Errorf("no error, want one with %q", text)

		return
	}

	if !class(err) {
		t.Errorf("the error is of another class: %v", err)
	}

	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q, want one with %q", err, text)
	}
}

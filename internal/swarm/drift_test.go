package swarm_test

import (
	"errors"
	"testing"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// drifts are things that somebody does by hand, on an engine in memory or a real one, and how one sees that the cache
// knows.
var drifts = map[string]struct {
	do   func(t *testing.T, api swarm.API, o swarmobj.Owner, id string) error
	seen func(w swarmobj.World) bool
}{
	"ServiceScaled": {
		do: func(t *testing.T, api swarm.API, _ swarmobj.Owner, id string) error {
			return edit(t, api, id, scaledTo(4))
		},
		seen: func(w swarmobj.World) bool { return replicas(w) == 4 },
	},
	"ImageChanged": {
		do: func(t *testing.T, api swarm.API, _ swarmobj.Owner, id string) error {
			return edit(t, api, id, func(s *dockerswarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Image = "dogker.test/other:v1" })
		},
		seen: func(w swarmobj.World) bool {
			return w.Service != nil && w.Service.Spec.TaskTemplate.ContainerSpec.Image == "dogker.test/other:v1"
		},
	},
	"ServiceRemoved": {
		do: func(t *testing.T, api swarm.API, _ swarmobj.Owner, id string) error {
			return api.ServiceRemove(t.Context(), id)
		},
		seen: func(w swarmobj.World) bool { return w.Service == nil },
	},
	"LabelsStripped": {
		do: func(t *testing.T, api swarm.API, _ swarmobj.Owner, id string) error {
			return edit(t, api, id, func(s *dockerswarm.ServiceSpec) { s.Labels = nil })
		},
		seen: func(w swarmobj.World) bool { return w.Service == nil && w.Squatter != nil },
	},
	"NetworkRemoved": {
		do: func(t *testing.T, api swarm.API, o swarmobj.Owner, _ string) error {
			return api.NetworkRemove(t.Context(), swarmobj.NetworkName(o.Tenant))
		},
		seen: func(w swarmobj.World) bool { return w.Network == nil },
	},
	"SecretRemoved": {
		do: func(t *testing.T, api swarm.API, o swarmobj.Owner, _ string) error {
			return api.SecretRemove(t.Context(), o.Tenant+"_s")
		},
		seen: func(w swarmobj.World) bool { return len(w.Secrets) == 0 },
	},
	"ConfigRemoved": {
		do: func(t *testing.T, api swarm.API, o swarmobj.Owner, _ string) error {
			return api.ConfigRemove(t.Context(), o.Tenant+"_c")
		},
		seen: func(w swarmobj.World) bool { return len(w.Configs) == 0 },
	},
}

// edit changes a service by hand.
func edit(t *testing.T, api swarm.API, id string, change func(*dockerswarm.ServiceSpec)) error {
	live, _, err := api.ServiceInspectWithRaw(t.Context(), id, dockerswarm.ServiceInspectOptions{})
	if err != nil {
		return err
	}
	change(&live.Spec)
	_, err = api.ServiceUpdate(t.Context(), id, live.Version, live.Spec, dockerswarm.ServiceUpdateOptions{})

	return err
}

func scaledTo(n uint64) func(*dockerswarm.ServiceSpec) {
	return func(s *dockerswarm.ServiceSpec) { s.Mode.Replicated.Replicas = &n }
}

func replicas(w swarmobj.World) uint64 {
	if w.Service == nil {
		return 1 << 60
	}

	return *w.Service.Spec.Mode.Replicated.Replicas
}

// withEverything gives the owner a service that is on no network, and a network, a secret and a config.
func withEverything(t *testing.T, e *swarm.Engine, o swarmobj.Owner) string {
	t.Helper()

	_, err1 := e.CreateNetwork(t.Context(), o.Tenant)
	_, err2 := e.CreateSecret(t.Context(), dockerswarm.SecretSpec{
		Annotations: dockerswarm.Annotations{Name: o.Tenant + "_s", Labels: o.Labels()}, Data: []byte("x"),
	})
	_, err3 := e.CreateConfig(t.Context(), dockerswarm.ConfigSpec{
		Annotations: dockerswarm.Annotations{Name: o.Tenant + "_c", Labels: o.Labels()}, Data: []byte("x"),
	})
	id, err4 := e.CreateService(t.Context(), spec(o, "", 0), "")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}

	w, err := e.Look(t.Context(), o)
	if err != nil || w.Service == nil || w.Network == nil || len(w.Secrets) != 1 || len(w.Configs) != 1 {
		t.Fatalf("own writes are not shown: %+v, error %v", w, err)
	}

	return id
}

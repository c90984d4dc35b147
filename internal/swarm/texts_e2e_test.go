//go:build e2e

package swarm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// provocations make a real engine fail in every way that the adapter tells apart, so that an engine with other texts is
// noticed.
var provocations = map[string]struct {
	reason string
	do     func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error
	want   error
	hides  string
}{
	"NameTaken": {
		reason: "Services have unique names.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			must(t, e, spec(o, "", 0))
			_, err := e.CreateService(t.Context(), spec(o, "", 0), "")
			return err
		},
		want: swarmobj.ErrExists,
	},
	"StaleVersion": {
		reason: "S7: an old version is answered with HTTP 500.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			id := must(t, e, spec(o, "", 0))
			w := eventually(t, e, o, 5*time.Second, "version", func(w swarmobj.World) bool { return !w.Uncertain })
			seen := *w.Service
			foreign := spec(o, "", 0)
			foreign.Labels["x"] = "y"
			if _, err := engine.Docker.ServiceUpdate(t.Context(), id, seen.Version, foreign, dockerswarm.ServiceUpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			return e.UpdateService(t.Context(), seen, spec(o, "", 1), "")
		},
		want: swarmobj.ErrStale,
	},
	"ModeChange": {
		reason: "Swarm cannot change the mode of a service.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			must(t, e, spec(o, "", 0))
			global := spec(o, "", 0)
			global.Mode = dockerswarm.ServiceMode{Global: &dockerswarm.GlobalService{}}
			return e.UpdateService(t.Context(), look(t, e, o), global, "")
		},
		want: swarmobj.ErrRefused,
	},
	"PortTaken": {
		reason: "The text names the other service, which may be another tenant's.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			rival := newOwner(t)
			rival.Name = "rival"
			must(t, e, published(rival, 17017))
			_, err := e.CreateService(t.Context(), published(o, 17017), "")
			return err
		},
		want: swarmobj.ErrPortInUse, hides: "rival",
	},
	"DNSRRWithIngress": {
		reason: "What Swarm refuses as it is, it refuses again.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			s := published(o, 17018)
			s.EndpointSpec.Mode = dockerswarm.ResolutionModeDNSRR
			_, err := e.CreateService(t.Context(), s, "")
			return err
		},
		want: swarmobj.ErrRefused, hides: "rpc error",
	},
	"BadImage": {
		reason: "A reference that is none is refused.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			s := spec(o, "", 0)
			s.TaskTemplate.ContainerSpec.Image = "UPPER/:x"
			_, err := e.CreateService(t.Context(), s, "")
			return err
		},
		want: swarmobj.ErrRefused,
	},
	"TooLarge": {
		reason: "The store has a limit of 1.5 MB.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			s := spec(o, "", 0)
			s.TaskTemplate.ContainerSpec.Env = []string{"A=" + strings.Repeat("x", 1_600_000)}
			_, err := e.CreateService(t.Context(), s, "")
			return err
		},
		want: swarmobj.ErrRefused,
	},
	"NetworkGone": {
		reason: "A reference to a network that does not exist.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			_, err := e.CreateService(t.Context(), spec(o, "nosuchnetwork", 0), "")
			return err
		},
		want: swarmobj.ErrNotFound,
	},
	"SecretGone": {
		reason: "A reference to a secret that does not exist.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			s := spec(o, "", 0)
			s.TaskTemplate.ContainerSpec.Secrets = []*dockerswarm.SecretReference{{
				SecretID: "nosuch", SecretName: "nosuch", File: &dockerswarm.SecretReferenceFileTarget{Name: "x", UID: "0", GID: "0", Mode: 0o444},
			}}
			_, err := e.CreateService(t.Context(), s, "")
			return err
		},
		want: swarmobj.ErrNotFound,
	},
	"SecretUsed": {
		reason: "A secret that a service refers to is not let go.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			id, err := e.CreateSecret(t.Context(), dockerswarm.SecretSpec{
				Annotations: dockerswarm.Annotations{Name: o.Tenant + "_s", Labels: o.Labels()}, Data: []byte("x"),
			})
			if err != nil {
				t.Fatal(err)
			}
			s := spec(o, "", 0)
			s.TaskTemplate.ContainerSpec.Secrets = []*dockerswarm.SecretReference{{
				SecretID: id, SecretName: o.Tenant + "_s", File: &dockerswarm.SecretReferenceFileTarget{Name: "x", UID: "0", GID: "0", Mode: 0o444},
			}}
			must(t, e, s)
			return e.RemoveSecret(t.Context(), id)
		},
		want: swarmobj.ErrInUse,
	},
	"SecretNameTaken": {
		reason: "Secrets have unique names.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			s := dockerswarm.SecretSpec{Annotations: dockerswarm.Annotations{Name: o.Tenant + "_s", Labels: o.Labels()}, Data: []byte("x")}
			if _, err := e.CreateSecret(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			_, err := e.CreateSecret(t.Context(), s)
			return err
		},
		want: swarmobj.ErrExists,
	},
	"ConfigNameTaken": {
		reason: "Configs have unique names.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			s := dockerswarm.ConfigSpec{Annotations: dockerswarm.Annotations{Name: o.Tenant + "_c", Labels: o.Labels()}, Data: []byte("x")}
			if _, err := e.CreateConfig(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			_, err := e.CreateConfig(t.Context(), s)
			return err
		},
		want: swarmobj.ErrExists,
	},
	"NetworkNameTaken": {
		reason: "Networks of the swarm have unique names.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			if _, err := e.CreateNetwork(t.Context(), o.Tenant); err != nil {
				t.Fatal(err)
			}
			_, err := e.CreateNetwork(t.Context(), o.Tenant)
			return err
		},
		want: swarmobj.ErrExists,
	},
	"NetworkUsed": {
		reason: "A network that a service refers to is not let go.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			id, err := e.CreateNetwork(t.Context(), o.Tenant)
			if err != nil {
				t.Fatal(err)
			}
			must(t, e, spec(o, id, 0))
			return e.RemoveNetwork(t.Context(), o.Tenant)
		},
		want: swarmobj.ErrInUse,
	},
	"ImageNotHeld": {
		reason: "An image that the engine does not hold.",
		do: func(t *testing.T, e *swarm.Engine, _ swarmobj.Owner) error {
			_, err := e.LocalImage(t.Context(), "dogker.test/none:v1")
			return err
		},
		want: swarmobj.ErrNotFound,
	},
	"ClientGivesUp": {
		reason: "S6: a client that gives up early cannot know.",
		do: func(t *testing.T, e *swarm.Engine, o swarmobj.Owner) error {
			if err := engine.Pause(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = engine.Resume() }()

			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := e.CreateService(ctx, spec(o, "", 0), "")

			return err
		},
		want: swarmobj.ErrUnknownOutcome,
	},
}

func TestLiveEngineTexts(t *testing.T) {
	e := start(t, engine.Docker, swarm.Options{})

	for name, tc := range provocations {
		t.Run(name, func(t *testing.T) {
			err := tc.do(t, e, newOwner(t))
			if !errors.Is(err, tc.want) {
				t.Errorf("%s\ngot %v, want class %v", tc.reason, err, tc.want)
			}
			if tc.hides != "" && strings.Contains(err.Error(), tc.hides) {
				t.Errorf("%s\n%q shows %q", tc.reason, err, tc.hides)
			}
			t.Log(err)
		})
	}
}

func TestLiveEnginesThatCannotBeUsed(t *testing.T) {
	l := lab.Start(t, lab.Options{Nodes: 2, Managers: 1})
	alone := lab.Start(t, lab.Options{NoSwarm: true})

	for name, tc := range map[string]struct {
		node *lab.Node
		want error
	}{
		"Worker":  {l.Nodes[1], swarmobj.ErrNotManager},
		"NoSwarm": {alone.Nodes[0], swarmobj.ErrInactive},
	} {
		t.Run(name, func(t *testing.T) {
			e := swarm.New(tc.node.Docker, swarm.Options{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { _ = e.Run(ctx) }()

			for deadline := time.Now().Add(10 * time.Second); !errors.Is(e.State(), tc.want); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("state: got %v, want %v", e.State(), tc.want)
				}
			}

			// The calls themselves say the same as the engine's own account of itself.
			if _, err := e.CreateNetwork(ctx, "acme"); !errors.Is(err, tc.want) {
				t.Errorf("create network: got %v, want %v", err, tc.want)
			}
			if _, err := e.CreateService(ctx, spec(newOwner(t), "", 0), ""); !errors.Is(err, tc.want) {
				t.Errorf("create service: got %v, want %v", err, tc.want)
			}
		})
	}
}

func must(t *testing.T, e *swarm.Engine, s dockerswarm.ServiceSpec) string {
	t.Helper()

	id, err := e.CreateService(t.Context(), s, "")
	if err != nil {
		t.Fatal(err)
	}

	return id
}

func look(t *testing.T, e *swarm.Engine, o swarmobj.Owner) dockerswarm.Service {
	t.Helper()

	w, err := e.Look(t.Context(), o)
	if err != nil || w.Service == nil {
		t.Fatalf("look: got %+v, error %v", w, err)
	}

	return *w.Service
}

// published is a service with a port on the routing mesh.
func published(o swarmobj.Owner, port uint32) dockerswarm.ServiceSpec {
	s := spec(o, "", 0)
	s.EndpointSpec = &dockerswarm.EndpointSpec{Ports: []dockerswarm.PortConfig{{TargetPort: 80, PublishedPort: port}}}

	return s
}

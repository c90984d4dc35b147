//go:build e2e

package e2e

import (
	"errors"
	"maps"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// foreign is a service that somebody else made.
func foreign(name string, labels map[string]string) swarm.ServiceSpec {
	return swarm.ServiceSpec{
		Annotations:  swarm.Annotations{Name: name, Labels: labels},
		TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: "dogker.test/app:v1"}},
		Mode:         swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: new(uint64)}},
	}
}

func (n *tenant) createForeign(spec swarm.ServiceSpec) swarm.Service {
	n.t.Helper()

	made, err := n.docker().ServiceCreate(n.t.Context(), spec, swarm.ServiceCreateOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		ctx, cancel := contextFor(instant)
		defer cancel()
		_ = n.docker().ServiceRemove(ctx, made.ID)
	})
	s, _, err := n.docker().ServiceInspectWithRaw(n.t.Context(), made.ID, swarm.ServiceInspectOptions{})
	if err != nil {
		n.t.Fatal(err)
	}

	return s
}

// TestOrphansAreCollected leaves things in Swarm that carry our labels and have no owner, as a lost write or a restored
// backup would, beside things of others that must not be touched.
func TestOrphansAreCollected(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	gone := swarmobj.Owner{Tenant: n.name + "-gone", Kind: "TenantContainer", Name: "web", UID: "00000000-0000-0000-0000-000000000000"}
	orphan := n.createForeign(foreign(swarmobj.ServiceName(gone.Tenant, gone.Name), gone.Labels()))
	secret, err := n.docker().SecretCreate(t.Context(), swarm.SecretSpec{
		Annotations: swarm.Annotations{Name: gone.Tenant + "_s", Labels: gone.Labels()}, Data: []byte("x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	made, err := n.docker().NetworkCreate(t.Context(), swarmobj.NetworkName(gone.Tenant),
		network.CreateOptions{Driver: "overlay", Scope: "swarm", Labels: gone.Labels()})
	if err != nil {
		t.Fatal(err)
	}

	almost := maps.Clone(gone.Labels())
	delete(almost, v1alpha1.SwarmLabelManaged)
	other := n.createForeign(foreign(n.name+"-other", nil))
	alike := n.createForeign(foreign(n.name+"-alike", almost))

	await(t, 4*time.Minute, "everything without an owner is gone", func() error {
		_, _, err1 := n.docker().ServiceInspectWithRaw(t.Context(), orphan.ID, swarm.ServiceInspectOptions{})
		_, _, err2 := n.docker().SecretInspectWithRaw(t.Context(), secret.ID)
		_, err3 := n.docker().NetworkInspect(t.Context(), made.ID, network.InspectOptions{})
		if cerrdefs.IsNotFound(err1) && cerrdefs.IsNotFound(err2) && cerrdefs.IsNotFound(err3) {
			return nil
		}

		return errors.New("something is still there")
	})
	if err := errors.Join(n.unmoved(other), n.unmoved(alike)); err != nil {
		t.Errorf("services of others: %v", err)
	}
}

// TestForeignServiceOfOurNameIsNotTouched declares a container whose service's name somebody else has taken.
func TestForeignServiceOfOurNameIsNotTouched(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	squatter := n.createForeign(foreign(swarmobj.ServiceName(n.name, "web"), map[string]string{"team": "red"}))

	n.create(app("web", "v1"))
	n.unready(soon, "web", v1alpha1.ReasonNameConflict)
	n.edit("web", version("v2"), replicas(3))
	n.unready(soon, "web", v1alpha1.ReasonNameConflict)
	n.remove(app("web", "v1"))
	if err := n.unmoved(squatter); err != nil {
		t.Errorf("the other's service: %v", err)
	}

	n.create(app("web", "v1"))
	n.unready(soon, "web", v1alpha1.ReasonNameConflict)
	if err := n.docker().ServiceRemove(t.Context(), squatter.ID); err != nil {
		t.Fatal(err)
	}
	n.ready("web")
}

// TestStrippedLabels takes our labels off our service: it is somebody else's now, and is left alone.
func TestStrippedLabels(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.run(app("web", "v1"))
	old := n.taskIDs("web")

	labels := n.service("web").Spec.Labels
	n.tamper("web", tampering{name: "LabelsStripped", does: func(s *swarm.ServiceSpec) { s.Labels = nil }})
	n.unready(soon, "web", v1alpha1.ReasonNameConflict)
	was := n.settled("web")
	n.edit("web", replicas(2))
	stays(t, 3*time.Second, "not ours, not touched", func() error { return n.unmoved(was) })

	n.tamper("web", tampering{name: "LabelsPutBack", does: func(s *swarm.ServiceSpec) { s.Labels = labels }})
	n.ready("web")
	for id := range old {
		if !n.taskIDs("web")[id] {
			t.Errorf("task %s was replaced on the way", id)
		}
	}
}

//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// tampering is something that somebody does to a service by hand.
type tampering struct {
	name string
	// says is what the event about the repair holds.
	says string
	// does changes the spec that is written to the engine. It is nil for what is no update.
	does func(*swarm.ServiceSpec)
	// other is what is no update.
	other func(n *tenant, s swarm.Service) error
	// after is what must have been done and repaired before.
	after *tampering
}

// intruder is a variable that nobody has declared.
const intruder = "INTRUDER=1"

var envAdded = tampering{name: "EnvAdded", says: "INTRUDER", does: func(s *swarm.ServiceSpec) {
	s.TaskTemplate.ContainerSpec.Env = append(s.TaskTemplate.ContainerSpec.Env, intruder)
}}

var tamperings = []tampering{
	{name: "Scaled", says: "replicas", does: func(s *swarm.ServiceSpec) { s.Mode.Replicated.Replicas = new(*s.Mode.Replicated.Replicas + 1) }},
	{name: "OtherImage", says: "image", does: func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Image = "dogker.test/app:v3" }},
	envAdded,
	{name: "EnvRemoved", says: "KEEP", does: func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Env = nil }},
	{name: "LabelAdded", says: "intruder", does: func(s *swarm.ServiceSpec) { s.Labels["intruder"] = "1" }},
	{name: "LabelChanged", says: "name", does: func(s *swarm.ServiceSpec) { s.Labels[v1alpha1.SwarmLabelName] = "other" }},
	{name: "ContainerLabelAdded", says: "intruder", does: func(s *swarm.ServiceSpec) {
		s.TaskTemplate.ContainerSpec.Labels = map[string]string{"intruder": "1"}
	}},
	{name: "NetworkTakenAway", says: "network", does: func(s *swarm.ServiceSpec) { s.TaskTemplate.Networks = nil }},
	{name: "SecretTakenAway", says: "secret", does: func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Secrets = nil }},
	{name: "UpdateConfigChanged", says: "update", does: func(s *swarm.ServiceSpec) { s.UpdateConfig.Parallelism = 7 }},
	{name: "LimitTakenAway", says: "limit", does: func(s *swarm.ServiceSpec) { s.TaskTemplate.Resources.Limits = nil }},
	{name: "PlacedElsewhere", says: "placement", does: func(s *swarm.ServiceSpec) {
		s.TaskTemplate.Placement = &swarm.Placement{Constraints: []string{"node.labels.nowhere==true"}}
	}},
	{name: "RolledBack", says: "INTRUDER", other: rollBackByHand, after: &envAdded},
	{name: "Removed", other: func(n *tenant, s swarm.Service) error { return n.docker().ServiceRemove(n.t.Context(), s.ID) }},
}

// rollBackByHand does what `docker service rollback` does. What Swarm goes back to is the spec before the last repair.
func rollBackByHand(n *tenant, s swarm.Service) error {
	if s.PreviousSpec == nil || !slices.Contains(s.PreviousSpec.TaskTemplate.ContainerSpec.Env, intruder) {
		return errors.New("there is nothing to go back to")
	}
	_, err := n.docker().ServiceUpdate(n.t.Context(), s.ID, s.Version, s.Spec, swarm.ServiceUpdateOptions{Rollback: "previous"})

	return err
}

// ignoreStale passes over an update that came second: Dogker was faster, and there is nothing to repair.
func ignoreStale(err error) error {
	if err != nil && strings.Contains(err.Error(), "update out of sequence") {
		return nil
	}

	return err
}

// TestDrift lets somebody do two hundred random things to services by hand, and measures how long each takes to be put
// right. The services are many because Dogker slows down for one that it has to repair for the seventh time in a minute,
// and one action can take two repairs.
func TestDrift(t *testing.T) {
	const actions, services = 200, 100

	n := sharedCell(t).tenant(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	n.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}, StringData: map[string]string{"token": "s3cr3t"}})
	declared := n.drifters(services)

	var took []time.Duration
	done := map[string][]string{}
	drift := func(name string, what tampering) {
		n.tamper(name, what)
		took = append(took, await(t, soon, fmt.Sprintf("%s of %q is repaired", what.name, name), func() error {
			return n.asDeclared(name, declared[name])
		}))
		if what.says != "" {
			done[name] = append(done[name], what.says)
		}
	}
	for i := 0; len(took) < actions; i++ {
		name := fmt.Sprintf("d%d", i%services)
		what := tamperings[random.IntN(len(tamperings))]
		if what.after != nil {
			drift(name, *what.after)
		}
		drift(name, what)
	}

	n.reportRepair(took)
	for name := range declared {
		n.ready(name)
	}
	n.wantRepairEvents(done)
}

// drifters makes services, one of ten with a task, and returns their specs as they are at rest. All of them could run
// tasks, but starting those is the engine's work and takes it long.
func (n *tenant) drifters(count int) map[string]swarm.ServiceSpec {
	n.t.Helper()

	for i := range count {
		tasks := int32(0)
		if i%10 == 0 {
			tasks = 1
		}
		n.create(app(fmt.Sprintf("d%d", i), "v1", replicas(tasks), env("KEEP", "1"), func(tc *v1alpha1.TenantContainer) {
			tc.Spec.Files = []v1alpha1.File{{Path: "/token", SecretKeyRef: &v1alpha1.KeySelector{Name: "keys", Key: "token"}}}
			tc.Spec.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{Pids: new(int64(64))}}
		}))
	}

	declared := map[string]swarm.ServiceSpec{}
	for i := range count {
		name := fmt.Sprintf("d%d", i)
		n.ready(name)
		declared[name] = n.service(name).Spec
	}

	return declared
}

func (n *tenant) tamper(name string, what tampering) {
	n.t.Helper()

	for {
		s := n.service(name)
		var err error
		if what.other != nil {
			err = what.other(n, s)
		} else {
			what.does(&s.Spec)
			_, err = n.docker().ServiceUpdate(n.t.Context(), s.ID, s.Version, s.Spec, swarm.ServiceUpdateOptions{})
		}
		if err == nil {
			return
		}
		// The service is still moving from the last repair.
		if ignoreStale(err) != nil {
			n.t.Fatalf("%s of %q: %v", what.name, name, err)
		}
	}
}

// asDeclared is an error while the live spec is not what it was at rest.
func (n *tenant) asDeclared(name string, declared swarm.ServiceSpec) error {
	live, err := n.inspect(name)
	if err != nil {
		return err
	}
	// A recreate begins to count restarts anew, and a repair tells Swarm's counter nothing.
	live.Spec.TaskTemplate.ForceUpdate = declared.TaskTemplate.ForceUpdate
	if diff := cmp.Diff(declared, live.Spec); diff != "" {
		return fmt.Errorf("the live spec differs (-declared +live):\n%s", diff)
	}

	return nil
}

// wantRepairEvents wants an event for each thing that was put back. Several repairs may share one.
func (n *tenant) wantRepairEvents(done map[string][]string) {
	n.t.Helper()

	for name, words := range done {
		for _, w := range words {
			n.event(name, "DriftRepaired", w)
		}
	}
}

func (n *tenant) reportRepair(took []time.Duration) {
	n.t.Helper()

	slices.Sort(took)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	n.t.Logf("%d of %d repaired: p50 %v, p99 %v, max %v", len(took), len(took), p50, p99, took[len(took)-1])
}

// TestDriftFight keeps changing one service. Dogker goes on repairing at a pace that hurts nobody, says so, and wins.
func TestDriftFight(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.run(app("web", "v1", replicas(0)))
	declared := n.service("web").Spec

	intrude := tampering{name: "LabelAdded", does: func(s *swarm.ServiceSpec) { s.Labels["intruder"] = "1" }}
	repaired := 0
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(2 * glance) {
		if n.asDeclared("web", declared) == nil {
			repaired++
			n.tamper("web", intrude)
		}
	}

	// Six at once, and then one every five seconds.
	if repaired < 6 || repaired > 10 {
		t.Errorf("repairs in 15 s: got %d, want 6 to 10", repaired)
	}
	n.condition(soon, "web", v1alpha1.ConditionContested, metav1.ConditionTrue, v1alpha1.ReasonContested)
	await(t, soon, "the last change is repaired", func() error { return n.asDeclared("web", declared) })
	await(t, atLast, "the fight is forgotten", func() error {
		if conditions.Get(n.get("web"), v1alpha1.ConditionContested) != nil {
			return fmt.Errorf("the condition Contested is still there")
		}

		return nil
	})
}

// TestEverythingRemovedByHand takes away all that a container has in Swarm.
func TestEverythingRemovedByHand(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"a": "1"}})
	n.run(app("web", "v1", func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Files = []v1alpha1.File{{Path: "/a", ConfigMapKeyRef: &v1alpha1.KeySelector{Name: "conf", Key: "a"}}}
	}))

	// All at once, as `docker service rm`, `docker config rm` and `docker network rm` in a script.
	s := n.service("web")
	if err := n.docker().ServiceRemove(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	_ = n.docker().ConfigRemove(t.Context(), s.Spec.TaskTemplate.ContainerSpec.Configs[0].ConfigID)
	_ = n.docker().NetworkRemove(t.Context(), s.Spec.TaskTemplate.Networks[0].Target)

	await(t, soon, "the service is back", func() error { _, err := n.inspect("web"); return err })
	n.ready("web")
	if got, err := n.neighbour().ask("web", "/file?path=/a"); err != nil || got != "1" {
		t.Errorf("the file in the new container: got %q, error %v, want 1", got, err)
	}
}

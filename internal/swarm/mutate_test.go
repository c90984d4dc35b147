package swarm_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	dockerswarm "github.com/docker/docker/api/types/swarm"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// vandal changes things in a swarm by hand, at random. It works on engines in memory and on real ones.
type vandal struct {
	t      *testing.T
	api    swarm.API
	rng    *rand.Rand
	owners []swarmobj.Owner
	serial int
}

func newVandal(t *testing.T, api swarm.API, seed uint64, tenants int) *vandal {
	v := &vandal{t: t, api: api, rng: rand.New(rand.NewPCG(seed, 1))}
	for range tenants {
		v.owners = append(v.owners, newOwner(t))
	}

	return v
}

// strike does one thing. That the engine refuses it is as good: then nothing has changed.
func (v *vandal) strike() string {
	ctx := context.Background()
	o := v.owners[v.rng.IntN(len(v.owners))]
	v.serial++

	actions := []struct {
		name string
		do   func() error
	}{
		{"create service", func() error {
			_, err := v.api.ServiceCreate(ctx, spec(o, "", uint64(v.rng.IntN(2))), dockerswarm.ServiceCreateOptions{})
			return err
		}},
		{"change service", func() error { return v.change(ctx, o) }},
		{"change service", func() error { return v.change(ctx, o) }},
		{"remove service", func() error { return v.api.ServiceRemove(ctx, swarmobj.ServiceName(o.Tenant, o.Name)) }},
		{"create network", func() error {
			_, err := v.api.NetworkCreate(ctx, swarmobj.NetworkName(o.Tenant), network.CreateOptions{
				Driver: "overlay", Scope: "swarm", Labels: o.Labels(),
			})
			return err
		}},
		{"remove network", func() error { return v.api.NetworkRemove(ctx, swarmobj.NetworkName(o.Tenant)) }},
		{"create secret", func() error {
			_, err := v.api.SecretCreate(ctx, dockerswarm.SecretSpec{Annotations: v.annotations(o), Data: []byte("x")})
			return err
		}},
		{"create config", func() error {
			_, err := v.api.ConfigCreate(ctx, dockerswarm.ConfigSpec{Annotations: v.annotations(o), Data: []byte("x")})
			return err
		}},
		{"remove secret", func() error { return v.removeOne(ctx, o, true) }},
		{"remove config", func() error { return v.removeOne(ctx, o, false) }},
	}

	a := actions[v.rng.IntN(len(actions))]

	return fmt.Sprintf("%s of %s: %v", a.name, o.Tenant, a.do())
}

func (v *vandal) annotations(o swarmobj.Owner) dockerswarm.Annotations {
	return dockerswarm.Annotations{Name: fmt.Sprintf("%s_%d", o.Tenant, v.serial), Labels: o.Labels()}
}

func (v *vandal) change(ctx context.Context, o swarmobj.Owner) error {
	live, _, err := v.api.ServiceInspectWithRaw(ctx, swarmobj.ServiceName(o.Tenant, o.Name), dockerswarm.ServiceInspectOptions{})
	if err != nil {
		return err
	}

	next := live.Spec
	next.Labels = maps.Clone(next.Labels)
	switch v.rng.IntN(3) {
	case 0:
		replicas := uint64(v.rng.IntN(3))
		next.Mode = dockerswarm.ServiceMode{Replicated: &dockerswarm.ReplicatedService{Replicas: &replicas}}
	case 1:
		next.Labels["touched"] = fmt.Sprint(v.serial)
	case 2:
		container := *next.TaskTemplate.ContainerSpec
		container.Env = []string{fmt.Sprintf("N=%d", v.serial)}
		next.TaskTemplate.ContainerSpec = &container
	}
	_, err = v.api.ServiceUpdate(ctx, live.ID, live.Version, next, dockerswarm.ServiceUpdateOptions{})

	return err
}

func (v *vandal) removeOne(ctx context.Context, o swarmobj.Owner, secret bool) error {
	label := filters.NewArgs(filters.Arg("label", "io.dogker.tenant="+o.Tenant))
	if secret {
		list, err := v.api.SecretList(ctx, dockerswarm.SecretListOptions{Filters: label})
		if err != nil || len(list) == 0 {
			return err
		}
		return v.api.SecretRemove(ctx, list[0].ID)
	}

	list, err := v.api.ConfigList(ctx, dockerswarm.ConfigListOptions{Filters: label})
	if err != nil || len(list) == 0 {
		return err
	}

	return v.api.ConfigRemove(ctx, list[0].ID)
}

// account is what there is, in a form that two accounts of the same thing are equal in.
type account struct {
	Services map[string]string // "version spec status" by ID
	Networks []string
	Secrets  []string
	Configs  []string
	Tasks    map[string]string // "service state desired" by ID
}

// truth is what the engine says.
func (v *vandal) truth() account {
	v.t.Helper()

	ctx := context.Background()
	a := account{Services: map[string]string{}, Tasks: map[string]string{}}
	mine := map[string]bool{}
	for _, o := range v.owners {
		mine[o.Tenant] = true
	}
	ours := func(labels map[string]string) bool { return mine[labels["io.dogker.tenant"]] }

	services, err1 := v.api.ServiceList(ctx, dockerswarm.ServiceListOptions{Status: true})
	networks, err2 := v.api.NetworkList(ctx, network.ListOptions{})
	secrets, err3 := v.api.SecretList(ctx, dockerswarm.SecretListOptions{})
	configs, err4 := v.api.ConfigList(ctx, dockerswarm.ConfigListOptions{})
	tasks, err5 := v.api.TaskList(ctx, dockerswarm.TaskListOptions{})
	if err := cmp.Or(err1, err2, err3, err4, err5); err != nil {
		v.t.Fatal(err)
	}

	for _, s := range services {
		if ours(s.Spec.Labels) {
			a.Services[s.ID] = describe(s)
		}
	}
	for _, n := range networks {
		if ours(n.Labels) {
			a.Networks = append(a.Networks, n.ID)
		}
	}
	for _, s := range secrets {
		if ours(s.Spec.Labels) {
			a.Secrets = append(a.Secrets, s.ID+" "+s.Spec.Name)
		}
	}
	for _, c := range configs {
		if ours(c.Spec.Labels) {
			a.Configs = append(a.Configs, c.ID+" "+c.Spec.Name)
		}
	}
	for _, t := range tasks {
		if _, known := a.Services[t.ServiceID]; known {
			a.Tasks[t.ID] = fmt.Sprint(t.ServiceID, t.Status.State, t.DesiredState)
		}
	}

	return a.sorted()
}

// belief is what the adapter says.
func (v *vandal) belief(e *swarm.Engine) account {
	a := account{Services: map[string]string{}, Tasks: map[string]string{}}

	for _, o := range v.owners {
		w, err := e.Look(context.Background(), o)
		if err != nil {
			return account{Networks: []string{err.Error()}}
		}

		if w.Network != nil {
			a.Networks = append(a.Networks, w.Network.ID)
		}
		for _, c := range w.Secrets {
			a.Secrets = append(a.Secrets, c.ID+" "+c.Name)
		}
		for _, c := range w.Configs {
			a.Configs = append(a.Configs, c.ID+" "+c.Name)
		}
		if w.Service == nil {
			continue
		}
		a.Services[w.Service.ID] = describe(*w.Service)
		for _, t := range w.Tasks {
			a.Tasks[t.ID] = fmt.Sprint(w.Service.ID, t.State, t.Desired)
		}
	}

	return a.sorted()
}

func (a account) sorted() account {
	slices.Sort(a.Networks)
	slices.Sort(a.Secrets)
	slices.Sort(a.Configs)

	return a
}

func describe(s dockerswarm.Service) string {
	state := ""
	if s.UpdateStatus != nil {
		state = string(s.UpdateStatus.State)
	}
	status := dockerswarm.ServiceStatus{}
	if s.ServiceStatus != nil {
		status = *s.ServiceStatus
	}

	return fmt.Sprintf("%s replicas %d env %v labels %v %s %+v",
		s.Spec.Name, *s.Spec.Mode.Replicated.Replicas, s.Spec.TaskTemplate.ContainerSpec.Env, s.Spec.Labels, state, status)
}

// agree waits until the adapter believes what is true, and both have stopped moving.
func (v *vandal) agree(e *swarm.Engine, within time.Duration, pause func(time.Duration)) {
	v.t.Helper()

	var diff string
	for start := time.Now(); time.Since(start) < within; pause(20 * time.Millisecond) {
		before := v.truth()
		if diff = gocmp.Diff(before, v.belief(e)); diff == "" && gocmp.Equal(before, v.truth()) {
			return
		}
	}

	v.t.Fatalf("not within %s: truth and belief differ (-truth +belief):\n%s", within, diff)
}

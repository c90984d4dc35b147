package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// The arms of the benchmark: what the noisy tenant does while the quiet one is watched.
const (
	nobodyElse  = "nobody else"
	itsPrograms = "fork bomb and memory hog"
	itsDisk     = "disk writer"
	itsCalls    = "flood of calls"
)

const (
	noisyTenant, quietTenant = "noisy", "quiet"
	// asking is how often the quiet tenant asks something of the API in a second, at most.
	asking = 10
	// hostileTime is what the noisy tenant's containers get to do their worst.
	hostileTime = 5 * time.Second
)

const (
	applyToReady = "apply to Ready"
	apiLatency   = "API"
)

var neighbour = benchmark{
	name:  "neighbour",
	title: "A noisy neighbour",
	about: "What a tenant feels of another one. It applies containers of one task, one after the other (5 in a turn in profile quick, 20 in full), " +
		"each until it is Ready, and beside that one client of it asks the API for one of its objects or patches it, at most 10 times a second. The " +
		"other one has a fork bomb and a program that takes more memory than its limit; or a program that writes 64 MiB to the disk and syncs, again " +
		"and again, on the disk that everything is on; each with 0.3 CPUs; or 64 clients that call the API as fast as it answers: creates beyond the " +
		"quota, lists, patches, and looks into the first one's namespace. The arm Dogker has all of it at once. At the end of a turn every call of the " +
		"first tenant has succeeded at the first attempt, its standing container has the task that it had, and the other one has no more objects " +
		"than its quota allows.",
	goals: []measure.Goal{
		{Figure: applyToReady + ", p50", Against: nobodyElse, AtMost: 3},
		{Figure: apiLatency + ", p99", Against: nobodyElse, AtMost: 5},
	},
	run: func(ctx context.Context, s *session) error {
		n, err := s.neighbours(ctx)
		if err != nil {
			return err
		}
		turn := func(calls bool, programs ...string) func(context.Context, adder) error {
			return func(ctx context.Context, add adder) error { return n.turn(ctx, programs, calls, add) }
		}

		return s.take(ctx, s.rounds,
			arm{nobodyElse, turn(false)},
			arm{itsPrograms, turn(false, "bomb", "hog")},
			arm{itsDisk, turn(false, "writer")},
			arm{itsCalls, turn(true)},
			arm{measure.Ours, turn(true, "bomb", "hog", "writer")},
		)
	},
}

// neighbours are two tenants of one cluster.
type neighbours struct {
	*office

	noisy, quiet rig.Member
	asQuiet      client.Client
	quietRaw     rest.Interface
	watch        *rig.Watch
	steady       string
	turns        int
}

// neighbours brings both in, and lets the quiet one run something that stays.
func (s *session) neighbours(ctx context.Context) (*neighbours, error) {
	o, err := s.office(ctx)
	if err != nil {
		return nil, err
	}
	n := &neighbours{office: o}
	for name, member := range map[string]*rig.Member{noisyTenant: &n.noisy, quietTenant: &n.quiet} {
		t := o.tenant(name)
		t.Spec.Members = []v1alpha1.Member{{Kind: v1alpha1.MemberServiceAccount, Name: "someone", Roles: []v1alpha1.TenantRole{v1alpha1.RoleDeveloper}}}
		if err := o.server.CreateTenants(ctx, []*v1alpha1.Tenant{t}); err != nil {
			return nil, err
		}
		if *member, err = o.server.Member(ctx, name, "someone"); err != nil {
			return nil, err
		}
	}

	var err1, err2 error
	n.asQuiet, err1 = o.server.As(n.quiet)
	n.quietRaw, err2 = o.server.RawAs(n.quiet)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if n.watch, err = o.server.WatchReady(ctx); err != nil {
		return nil, err
	}
	s.stops = append(s.stops, func() error { n.watch.Stop(); return nil })
	if err := n.asQuiet.Create(ctx, rig.Container(quietTenant, "steady", 1)); err != nil {
		return nil, err
	}
	if _, err := n.watch.Await(ctx, 1); err != nil {
		return nil, err
	}
	n.steady, err = n.task(ctx)

	return n, err
}

// task is the ID of the task that stays.
func (n *neighbours) task(ctx context.Context) (string, error) {
	services, err := n.engine.AwaitServices(ctx, swarmobj.ServiceName(quietTenant, "steady"), 1)
	if err != nil {
		return "", err
	}
	running, err := n.engine.Running(ctx, services)

	return running[services[0].ID].ID, err
}

// turn lets the noisy tenant loose, watches the quiet one, and clears up.
func (n *neighbours) turn(ctx context.Context, programs []string, calls bool, add adder) (err error) {
	n.turns++
	if len(programs) > 0 {
		if err := n.harm(ctx, programs); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, n.repair(ctx, programs)) }()
	}
	if calls {
		f, ferr := n.flood(ctx)
		if ferr != nil {
			return ferr
		}
		defer func() { err = errors.Join(err, f.end(add)) }()
	}

	if err := n.live(ctx, add); err != nil {
		return err
	}
	now, err := n.task(ctx)
	if err != nil {
		return err
	}
	if now != n.steady {
		return fmt.Errorf("the quiet tenant's task was %q and is %q", n.steady, now)
	}

	return nil
}

// live is what the quiet tenant does in a turn.
func (n *neighbours) live(ctx context.Context, add adder) error {
	asks, stop := context.WithCancel(ctx)
	defer stop()
	asked := make(chan error, 1)
	var latency measure.Values
	go func() {
		var err error
		latency, err = n.ask(asks)
		asked <- err
	}()

	var took measure.Values
	for i := range n.applies {
		t, err := n.applyOne(ctx, fmt.Sprintf("t%d-%d", n.turns, i))
		if err != nil {
			return err
		}
		took = append(took, t.Seconds())
	}
	stop()
	if err := <-asked; err != nil {
		return fmt.Errorf("the quiet tenant asks: %w", err)
	}

	add(applyToReady+", p50", measure.Seconds, took.Median())
	add(applyToReady+", slowest", measure.Seconds, took.Percentile(100))
	add(apiLatency+", p50", measure.Seconds, latency.Median())
	add(apiLatency+", p99", measure.Seconds, latency.Percentile(99))

	return nil
}

// applyOne applies a container, waits until it is Ready, and deletes it.
func (n *neighbours) applyOne(ctx context.Context, name string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()

	key := client.ObjectKey{Namespace: quietTenant, Name: name}
	began, tc := time.Now(), rig.Container(quietTenant, name, 1)
	if err := n.asQuiet.Create(ctx, tc); err != nil {
		return 0, err
	}
	at, err := n.watch.AwaitOne(ctx, key)
	if err != nil {
		return 0, err
	}

	return at.Sub(began), n.server.Remove(ctx, []client.Object{tc})
}

// ask calls the API, one call after the other, until the context ends. Every call must succeed at the first attempt.
func (n *neighbours) ask(ctx context.Context) (took measure.Values, err error) {
	for i := 0; ctx.Err() == nil; i++ {
		began := time.Now()
		if err := n.call(context.WithoutCancel(ctx), i); err != nil {
			return took, err
		}
		took = append(took, time.Since(began).Seconds())
		_ = sleep(ctx, time.Second/asking-time.Since(began))
	}

	return took, nil
}

func (n *neighbours) call(ctx context.Context, i int) error {
	path := containersIn(quietTenant) + "/steady"
	if i%2 == 0 {
		return n.quietRaw.Get().AbsPath(path).MaxRetries(0).Do(ctx).Error()
	}
	body := fmt.Appendf(nil, `{"metadata":{"annotations":{"bench/patched":"%d"}}}`, i)

	return n.quietRaw.Patch(types.MergePatchType).AbsPath(path).MaxRetries(0).Body(body).Do(ctx).Error()
}

func containersIn(namespace string) string {
	return "/apis/" + v1alpha1.GroupVersion.String() + "/namespaces/" + namespace + "/tenantcontainers"
}

// harm starts the noisy tenant's containers, and gives them time to do their worst.
func (n *neighbours) harm(ctx context.Context, programs []string) error {
	as, err := n.server.As(n.noisy)
	if err != nil {
		return err
	}
	for _, name := range programs {
		tc := rig.Container(noisyTenant, name, 1)
		tc.Spec.Resources = &v1alpha1.Resources{Limits: &v1alpha1.ResourceLimits{CPU: new(resource.MustParse("300m"))}}
		tc.Spec.Env = []v1alpha1.EnvVar{hostile[name]}
		if err := as.Create(ctx, tc); err != nil {
			return fmt.Errorf("create %q: %w", name, err)
		}
	}

	return sleep(ctx, hostileTime)
}

// hostile are the noisy tenant's containers and what makes them so. The plan gives each 256 processes and 256 MiB.
var hostile = map[string]v1alpha1.EnvVar{
	"bomb":   {Name: "APP_FORK_BOMB", Value: new(v1alpha1.Text("true"))},
	"hog":    {Name: "APP_EAT", Value: new(v1alpha1.Text("1024"))},
	"writer": {Name: "APP_WRITE_DISK", Value: new(v1alpha1.Text("64"))},
}

// repair takes them away, and waits until nothing is left of them.
func (n *neighbours) repair(ctx context.Context, programs []string) error {
	var objects []client.Object
	for _, name := range programs {
		objects = append(objects, &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: noisyTenant, Name: name}})
	}
	if err := n.server.Remove(ctx, objects); err != nil {
		return err
	}
	_, err := n.engine.AwaitServices(ctx, noisyTenant+"_", 0)

	return err
}

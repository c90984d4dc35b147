//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/metrics/pkg/apis/metrics"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// long is true when tests may take as long as they like.
func long() bool { return os.Getenv("DOGKER_LONG") != "" }

const (
	// atATime is how many tenants are there at the same time, and subnets how many the pool has: far fewer than come and
	// go, so that the test ends only if subnets come back.
	atATime = 8
	pool    = "10.99.0.0/20"
	subnets = 16
	// firstPort is published by the first of them.
	firstPort = 20000
	// oneTenant bounds the life of one.
	oneTenant = 3 * time.Minute
)

// TestTenantsComeAndGo lets tenants come, use what they have, and go, several at a time. Afterwards the API and Swarm hold
// exactly what they held before, of every kind that there is.
func TestTenantsComeAndGo(t *testing.T) {
	t.Parallel()

	number := 30
	if long() {
		number = 200
	}
	c := newCell(t, lab.Options{Versions: []string{"v1"}}, "--tenant-address-pool", pool)
	if err := c.api.Create(t.Context(), &v1alpha1.Plan{
		ObjectMeta: metav1.ObjectMeta{Name: "churn"},
		Spec: v1alpha1.PlanSpec{SecurityProfile: v1alpha1.ProfilePrivileged, Quota: &v1alpha1.Quota{
			Containers: new(int64(5)), Replicas: new(int64(40)), PublishedPorts: new(int64(2)),
		}},
	}); err != nil {
		t.Fatal(err)
	}
	// What the first one makes the server remember for good, such as kinds that it has not served before, is no leftover.
	var times lives
	if err := c.live(t.Context(), &times, number); err != nil {
		t.Fatal(err)
	}
	before := c.settled(t)

	g, ctx := errgroup.WithContext(t.Context())
	g.SetLimit(atATime)
	for i := range number {
		g.Go(func() error { return c.live(ctx, &times, i) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}

	await(t, atLast, "everything is as it was before", func() error {
		now, err := c.everything(t.Context())
		if err != nil {
			return err
		}
		if diff := cmp.Diff(before, now); diff != "" {
			return fmt.Errorf("(-before +now):\n%s", diff)
		}

		return nil
	})
	t.Logf("%d tenants, %d at a time, with %d subnets: %s", number, atATime, subnets, &times)
}

// live is the life of one tenant: it comes, publishes a port, and goes. Every tenth runs something as well.
func (c *cell) live(ctx context.Context, times *lives, i int) error {
	ctx, cancel := context.WithTimeout(ctx, oneTenant)
	defer cancel()

	port := int32(firstPort + i) //nolint:gosec // a few hundred at most
	owner := &v1alpha1.Tenant{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("churn-%d", i)},
		Spec: v1alpha1.TenantSpec{
			PlanName: "churn", DeletionPolicy: v1alpha1.DeletionDelete, PortRange: &v1alpha1.PortRange{From: port, To: port},
			Members: []v1alpha1.Member{
				{Kind: v1alpha1.MemberUser, Name: "ada", Roles: []v1alpha1.TenantRole{v1alpha1.RoleOwner}},
				{Kind: v1alpha1.MemberServiceAccount, Name: "robot", Roles: []v1alpha1.TenantRole{v1alpha1.RoleDeveloper}},
			},
		},
	}

	began := time.Now()
	if err := c.api.Create(ctx, owner); err != nil {
		return fmt.Errorf("create tenant %q: %w", owner.Name, err)
	}
	if err := c.until(ctx, owner, isReady); err != nil {
		return err
	}
	came := time.Since(began)

	count := int32(0)
	if i%10 == 0 {
		count = 1
	}
	web := app("web", "v1", replicas(count), func(tc *v1alpha1.TenantContainer) {
		tc.Namespace = owner.Name
		tc.Spec.Ports = []v1alpha1.Port{{ContainerPort: 8080, Publish: &v1alpha1.PortPublication{Mode: v1alpha1.PublishHost, Port: port}}}
	})
	// The count of a new quota arrives a moment after the quota.
	if _, err := poll(soon, func() error { return client.IgnoreAlreadyExists(c.api.Create(ctx, web)) }); err != nil {
		return fmt.Errorf("create container in %q: %w", owner.Name, err)
	}
	if err := c.until(ctx, web, isReady); err != nil {
		return err
	}

	began = time.Now()
	if err := c.api.Delete(ctx, owner); err != nil {
		return fmt.Errorf("delete tenant %q: %w", owner.Name, err)
	}
	if err := c.until(ctx, owner, isGone); err != nil {
		return err
	}
	times.add(came, time.Since(began))

	return nil
}

// until reads the object until it is as it should be.
func (c *cell) until(ctx context.Context, o conditioned, is func(conditioned, error) error) error {
	for {
		err := is(o, c.api.Get(ctx, client.ObjectKeyFromObject(o), o))
		if err == nil {
			return nil
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("%T %s/%s: %w: %w", o, o.GetNamespace(), o.GetName(), ctx.Err(), err)
		case <-time.After(glance):
		}
	}
}

// conditioned is an object of ours.
type conditioned interface {
	client.Object
	conditions.Object
}

func isReady(o conditioned, err error) error {
	if err != nil {
		return err
	}
	if ready := conditions.Get(o, conditions.Ready); ready == nil || ready.Status != metav1.ConditionTrue || ready.ObservedGeneration != o.GetGeneration() {
		return fmt.Errorf("Ready is %+v", ready)
	}

	return nil
}

func isGone(o conditioned, err error) error {
	if err == nil {
		return fmt.Errorf("it is still there: %+v", conditions.Get(o, conditions.Ready))
	}

	return client.IgnoreNotFound(err)
}

// settled is everything that there is, once that does not change any more.
func (c *cell) settled(t *testing.T) (all []string) {
	t.Helper()

	await(t, atLast, "the first tenant has left nothing", func() error {
		now, err := c.everything(t.Context())
		if err != nil {
			return err
		}
		for _, what := range now {
			if strings.Contains(what, "churn-") || strings.Contains(what, " dogker-system/port-") {
				return fmt.Errorf("there is %s", what)
			}
		}
		all = now

		return nil
	})

	return all
}

// everything lists what there is, in the API of every kind but events, and in Swarm.
func (c *cell) everything(ctx context.Context) ([]string, error) {
	cfg, err := c.server.config()
	if err != nil {
		return nil, err
	}
	all, err := objectsOf(ctx, cfg)
	if err != nil {
		return nil, err
	}

	d := c.docker()
	services, err1 := d.ServiceList(ctx, swarm.ServiceListOptions{})
	secrets, err2 := d.SecretList(ctx, swarm.SecretListOptions{})
	configs, err3 := d.ConfigList(ctx, swarm.ConfigListOptions{})
	networks, err4 := d.NetworkList(ctx, network.ListOptions{})
	tasks, err5 := d.TaskList(ctx, swarm.TaskListOptions{})
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	for _, s := range services {
		all = append(all, "service "+s.Spec.Name)
	}
	for _, s := range secrets {
		all = append(all, "secret "+s.Spec.Name)
	}
	for _, s := range configs {
		all = append(all, "config "+s.Spec.Name)
	}
	for _, n := range networks {
		all = append(all, "network "+n.Name)
	}
	for _, task := range tasks {
		all = append(all, "task "+task.ID)
	}
	slices.Sort(all)

	return all, nil
}

// objectsOf lists the objects of all kinds that the API serves, but for events, which stay for an hour, and for measurements,
// which are there once something has been measured.
func objectsOf(ctx context.Context, cfg *rest.Config) ([]string, error) {
	disco, err1 := discovery.NewDiscoveryClientForConfig(cfg)
	meta, err2 := metadata.NewForConfig(cfg)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	kinds, err := disco.ServerPreferredResources()
	if err != nil {
		return nil, err
	}

	var out []string
	for _, group := range kinds {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return nil, err
		}
		if version.Group == metrics.GroupName {
			continue
		}
		for _, kind := range group.APIResources {
			if kind.Name == "events" || !slices.Contains(kind.Verbs, "list") {
				continue
			}
			list, err := meta.Resource(version.WithResource(kind.Name)).List(ctx, metav1.ListOptions{})
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("list %s: %w", kind.Name, err)
			}
			for i := range list.Items {
				out = append(out, kind.Name+" "+list.Items[i].Namespace+"/"+list.Items[i].Name)
			}
		}
	}

	return out, nil
}

// lives are how long tenants took to come and to go.
type lives struct {
	mu           sync.Mutex
	coming, gone []time.Duration
}

func (l *lives) add(coming, gone time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.coming, l.gone = append(l.coming, coming), append(l.gone, gone)
}

// String tells the median and the slowest.
func (l *lives) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()

	of := func(all []time.Duration) string {
		sorted := slices.Sorted(slices.Values(all))

		return fmt.Sprintf("half of them in %v, the slowest in %v",
			sorted[len(sorted)/2].Round(time.Millisecond), sorted[len(sorted)-1].Round(time.Millisecond))
	}

	return "came: " + of(l.coming) + "; gone: " + of(l.gone)
}

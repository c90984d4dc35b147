package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/alertmanager"
	"github.com/dogker/dogker/internal/controlplane"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/exposition"
	"github.com/dogker/dogker/internal/gitops/receiver"
	"github.com/dogker/dogker/internal/logship"
	"github.com/dogker/dogker/internal/promquery"
	"github.com/dogker/dogker/internal/registry"
	"github.com/dogker/dogker/internal/volumework"
	"github.com/dogker/dogker/internal/volumework/places"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

const (
	leaseName = "dogker-controllers"
	// stopGrace is how long a pass that has begun may take to end.
	stopGrace = 3 * time.Second
)

// leaseTimes say how the lease is held under which the controllers run.
type leaseTimes struct {
	duration, deadline, retry time.Duration
}

// Servers that share a store wait for the lease of one that died, so it is short, but long enough for a store that is
// busy. A server with a store of its own has no rival that could wait: the lock of its data directory proves that it is
// alone. There the lease tells who leads, and each renewal less is a write less by a server that has nothing to do.
var (
	sharedLease = leaseTimes{duration: 5 * time.Second, deadline: 4 * time.Second, retry: time.Second}
	aloneLease  = leaseTimes{duration: 30 * time.Second, deadline: 20 * time.Second, retry: 5 * time.Second}
)

// registerControllers is where every control loop of this process is added to the manager.
func registerControllers(_ context.Context, m manager.Manager, c *controllers) error {
	if err := m.Add(manager.RunnableFunc(c.server.RunKubernetesControllers)); err != nil {
		return fmt.Errorf("add Kubernetes' controllers: %w", err)
	}
	if err := m.Add(manager.RunnableFunc(c.server.TidyPeople)); err != nil {
		return fmt.Errorf("add tidying of people: %w", err)
	}

	if err := registerFleet(m, c); err != nil {
		return err
	}

	if err := registerVolumework(m, c); err != nil {
		return err
	}

	if err := registerExposition(m, c); err != nil {
		return err
	}

	if err := registerLogship(m, c); err != nil {
		return err
	}

	digests, err := swarmobj.NewDigestKey(c.server.DigestKey())
	if err != nil {
		return err
	}

	return registerWorkload(m, c, digests)
}

// controllers runs the control loops of this process under one lease.
type controllers struct {
	server  *controlplane.Server
	options serverOptions
	log     *slog.Logger
	docker  *docker
	lock    *lease
	// fleet reaches the containers of all nodes, and telemetry knows what they use.
	fleet     *fleetParts
	telemetry telemetry.Reader
	// pages are what Prometheus reads of what runs.
	pages *exposition.Server
	// hooks receives webhooks of Git servers, and alertmanager those of Alertmanager.
	hooks        *receiver.Handler
	alertmanager *alertmanager.Handler
	// prometheus answers queries; nil when there is none.
	prometheus *promquery.Client
	// logs is where logs of containers go; nil when they are not shipped.
	logs *logship.Endpoint
	// work is done with the data of volumes, and places are where their snapshots are kept.
	work   *volumework.Worker
	places *places.Places
	// registry answers for registries of images, from when the first loop that asks is registered.
	registry *registry.Client

	// synced is true once the caches are filled, and leading once the lease is ours.
	synced, leading atomic.Bool
	// standby is when the caches were filled; a server that is not leading some time later waits behind another.
	standby atomic.Int64
}

// run runs the loops, and blocks until the context ends. It fails when the lease is lost: another server leads then, and
// the only way to be sure that nothing here goes on is to end the process.
func (c *controllers) run(ctx context.Context) error {
	m, err := c.newManager()
	if err != nil {
		return err
	}
	if err := registerControllers(ctx, m, c); err != nil {
		return err
	}
	if err := m.Add(synced{m.GetCache(), c}); err != nil {
		return fmt.Errorf("add watch over caches: %w", err)
	}
	go func() {
		select {
		case <-m.Elected():
			c.leading.Store(true)
		case <-ctx.Done():
		}
	}()

	if err := m.Start(ctx); err != nil {
		return fmt.Errorf("run controllers: %w", err)
	}

	return nil
}

func (c *controllers) newManager() (manager.Manager, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), billingv1.AddToScheme(scheme), gitopsv1.AddToScheme(scheme), monitoringv1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("register kinds: %w", err)
	}
	cfg := c.server.LoopbackConfig()
	times := c.lease()
	lock, err := newLease(cfg, c.server.Identity().Server, times.deadline)
	if err != nil {
		return nil, err
	}
	c.lock = newHeldLease(lock, times.duration)
	c.docker.lease.Store(c.lock)

	grace := stopGrace
	m, err := ctrl.NewManager(cfg, manager.Options{
		Scheme: scheme,
		// Nothing here reads who has set which field, and it is the larger part of many objects.
		Cache: cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
		// The API server serves our metrics as well.
		Metrics:                             metricsserver.Options{BindAddress: "0"},
		LeaderElection:                      true,
		LeaderElectionResourceLockInterface: c.lock,
		LeaderElectionReleaseOnCancel:       true,
		LeaseDuration:                       &times.duration,
		RenewDeadline:                       &times.deadline,
		RetryPeriod:                         &times.retry,
		GracefulShutdownTimeout:             &grace,
	})
	if err != nil {
		return nil, fmt.Errorf("create manager of controllers: %w", err)
	}

	return m, nil
}

func (c *controllers) lease() leaseTimes {
	if len(c.options.EtcdEndpoints) > 0 {
		return sharedLease
	}

	return aloneLease
}

// newLease makes the lock. Its holder is named after the data directory and not after the process: whoever holds the
// directory's lock is the only one of that name, so that a server which was killed takes its own lease up again at once.
func newLease(cfg *rest.Config, server string, deadline time.Duration) (resourcelock.Interface, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name holder of lease: %w", err)
	}
	cfg = rest.CopyConfig(cfg)
	// One request that hangs must not cost the lease.
	cfg.Timeout = deadline / 2
	client, err := coordinationv1client.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("create client of leases: %w", err)
	}

	lock := &resourcelock.LeaseLock{Client: client, LockConfig: resourcelock.ResourceLockConfig{Identity: host + "_" + server}}
	lock.LeaseMeta.Namespace, lock.LeaseMeta.Name = bootstrap.Namespace, leaseName

	return lock, nil
}

// ready is a ready check. A server that waits behind a leader is ready: it serves the API like any other.
func (c *controllers) ready(*http.Request) error {
	switch {
	case !c.synced.Load():
		return errors.New("caches are not filled yet")
	case c.leading.Load():
		return nil
	case time.Since(time.Unix(0, c.standby.Load())) > 2*c.lease().duration:
		return nil
	default:
		return errors.New("it is not known yet who leads")
	}
}

// synced notes when the caches are filled, whoever leads.
type synced struct {
	cache cache.Cache
	c     *controllers
}

// Start implements manager.Runnable.
func (s synced) Start(ctx context.Context) error {
	if s.cache.WaitForCacheSync(ctx) {
		s.c.standby.Store(time.Now().UnixNano())
		s.c.synced.Store(true)
	}
	<-ctx.Done()

	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (synced) NeedLeaderElection() bool { return false }

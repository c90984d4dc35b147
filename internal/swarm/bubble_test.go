package swarm_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	fake "github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// bubble is an adapter on an engine in memory, in time that stands still unless everybody waits.
type bubble struct {
	*testing.T

	cluster *fake.Cluster
	client  *fake.Client // The adapter's connection.
	admin   *fake.Client // Somebody at the keyboard.
	engine  *swarm.Engine
	stop    func()

	mu    sync.Mutex
	hook  fake.Hook
	hints []swarmobj.Owner
}

// inBubble runs a test with an adapter that has read the swarm.
func inBubble(t *testing.T, test func(*bubble)) {
	t.Helper()

	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, cluster: fake.NewCluster(fake.Options{})}
		b.cluster.AddImage(fake.Image{Ref: testImage, ID: "sha256:1"})
		b.admin = b.cluster.Admin()
		b.client = b.cluster.Client(fake.ClientOptions{Latency: time.Millisecond, Hook: b.hooked})
		b.engine = swarm.New(b.client, swarm.Options{})
		b.engine.Subscribe(func(o swarmobj.Owner) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.hints = append(b.hints, o)
		})

		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = b.engine.Run(ctx)
		}()
		b.stop = func() { cancel(); <-done }
		defer func() { b.stop() }()

		<-b.engine.Synced()
		test(b)
	})
}

// hooked asks the hook of the moment.
func (b *bubble) hooked(ctx context.Context, call fake.Call, phase fake.Phase) error {
	b.mu.Lock()
	hook := b.hook
	b.mu.Unlock()

	if hook == nil {
		return nil
	}

	return hook(ctx, call, phase)
}

func (b *bubble) setHook(h fake.Hook) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hook = h
}

// hinted is true when the owner was told since the last time.
func (b *bubble) hinted(o swarmobj.Owner) bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	told := slices.Contains(b.hints, o)
	b.hints = nil

	return told
}

// after lets time pass.
func (b *bubble) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bubble) look(o swarmobj.Owner) swarmobj.World {
	b.Helper()

	w, err := b.engine.Look(b.Context(), o)
	if err != nil {
		b.Fatalf("look: %v", err)
	}

	return w
}

// create makes a service with the adapter and lets it settle.
func (b *bubble) create(o swarmobj.Owner, replicas uint64) string {
	b.Helper()

	id, err := b.engine.CreateService(b.Context(), spec(o, "", replicas), "")
	if err != nil {
		b.Fatal(err)
	}
	b.after(10 * time.Second)

	return id
}

// edit changes a service by hand.
func (b *bubble) edit(id string, change func(*dockerswarm.ServiceSpec)) {
	b.Helper()

	if err := edit(b.T, b.admin, id, change); err != nil {
		b.Fatal(err)
	}
}

// calls counts what the adapter asked the engine, by call.
func (b *bubble) calls() map[string]int {
	n := map[string]int{}
	for _, c := range b.client.Calls() {
		n[c.Op]++
	}

	return n
}

// during counts what the adapter asked while time passed.
func (b *bubble) during(d time.Duration) map[string]int {
	before := b.calls()
	b.after(d)
	after := b.calls()

	for op, n := range before {
		after[op] -= n
		if after[op] == 0 {
			delete(after, op)
		}
	}

	return after
}

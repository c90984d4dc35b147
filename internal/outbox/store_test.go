package outbox

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/internal/controlplane/etcd/etcdtest"
	"github.com/dogker/dogker/reconciler/alert"
)

func TestMain(m *testing.M) { etcdtest.Main(m) }

// openStore is the store with nothing of ours in it.
func openStore(t testing.TB) *clientv3.Client {
	t.Helper()
	c := etcdtest.Client(t)
	if _, err := c.Delete(t.Context(), prefix, clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}

	return c
}

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// note is a notice for the Receiver "chat" of a tenant.
func note(tenant, id string) alert.Notification {
	return alert.Notification{
		ID: id, Tenant: tenant, Receiver: alert.ReceiverRef{Namespace: tenant, Name: "chat"}, Topic: alert.TopicAlerts, Status: alert.StatusFiring,
		GroupKey: id, Title: "busy", Incidents: []alert.Incident{{Reason: alert.ReasonContainerDown, Status: alert.StatusFiring, StartsAt: start}},
	}
}

// house is where notices of a test are delivered: a Deliverer with a clock of its own, and targets that answer as they are told.
type house struct {
	t     *testing.T
	queue *Queue
	*Deliverer
	registry *prometheus.Registry

	mu  sync.Mutex
	now time.Time
	// answer is what a target says to a notice, and route where a Receiver leads; one target when nil.
	answer func(target, id string) error
	route  func(alert.Notification) (Route, error)
	sent   []string

	stop  func()
	group *sync.WaitGroup
}

// newHouse has a store that is empty.
func newHouse(t *testing.T, limits Limits) *house {
	t.Helper()
	h := &house{t: t, now: start, registry: prometheus.NewPedanticRegistry()}
	var err error
	h.queue, err = NewQueue(openStore(t), QueueOptions{Now: h.clock, Limits: limits, Registerer: h.registry})
	if err != nil {
		t.Fatal(err)
	}
	h.lead()
	t.Cleanup(func() { h.stop() })

	return h
}

// lead begins to deliver, as a server that was just elected.
func (h *house) lead() {
	ctx, cancel := context.WithCancel(context.Background())
	h.Deliverer = New(Options{Queue: h.queue, Directory: h})
	h.group = &sync.WaitGroup{}
	h.group.Go(func() { h.queue.follow(ctx, h.Deliverer) })
	group := h.group
	h.stop = func() {
		cancel()
		group.Wait()
	}
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()

	return h.now
}

// Targets implements Directory.
func (h *house) Targets(_ context.Context, n alert.Notification) (Route, error) {
	if h.route != nil {
		return h.route(n)
	}

	return Route{Targets: []Target{h.target(n.Receiver.Namespace)}}, nil
}

func (h *house) target(name string) Target { return &scripted{house: h, name: name} }

// scripted is a target.
type scripted struct {
	house *house
	name  string
	lane  string
}

func (s *scripted) Key() string { return s.name }

func (s *scripted) Lane() string {
	if s.lane != "" {
		return s.lane
	}

	return s.name
}

func (s *scripted) Send(_ context.Context, n alert.Notification) error {
	s.house.mu.Lock()
	s.house.sent = append(s.house.sent, s.name+" "+n.ID)
	answer := s.house.answer
	s.house.mu.Unlock()
	if answer == nil {
		return nil
	}

	return answer(s.name, n.ID)
}

// put puts notices in.
func (h *house) put(notices ...alert.Notification) {
	h.t.Helper()
	for _, n := range notices {
		if err := h.queue.Put(h.t.Context(), n); err != nil {
			h.t.Fatal(err)
		}
	}
}

// count is how many notices the store has.
func (h *house) count() int {
	h.t.Helper()
	got, err := h.queue.client.Get(h.t.Context(), waitPrefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		h.t.Fatal(err)
	}

	return int(got.Count)
}

// known waits until the Deliverer knows what the store has.
func (h *house) known() {
	h.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		want := h.count()
		h.Deliverer.mu.Lock()
		got, busy := len(h.waiting), h.total
		h.Deliverer.mu.Unlock()
		if got == want && busy == 0 {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("the store has %d notices, %d are known, %d on their way", want, got, busy)
		}
	}
}

// after delivers all that is due so much later, and returns what was sent, in order.
func (h *house) after(d time.Duration) []string {
	h.t.Helper()
	h.mu.Lock()
	h.now = h.now.Add(d)
	h.sent = nil
	h.mu.Unlock()
	h.known()
	for range 10_000 {
		h.pass(h.t.Context(), h.group)
		h.Deliverer.mu.Lock()
		began := h.total > 0
		h.Deliverer.mu.Unlock()
		if !began {
			break
		}
		h.known()
	}
	h.mu.Lock()
	defer h.mu.Unlock()

	return slices.Clone(h.sent)
}

// counted is how often something became of a try.
func (h *house) counted(outcome string) float64 {
	return testutil.ToFloat64(h.queue.metrics.deliveries.WithLabelValues(outcome))
}

func ids(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%03d", prefix, i)
	}

	return out
}

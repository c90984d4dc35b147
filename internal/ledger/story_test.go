package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/metering"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
)

// disk is what a volume of a GiB uses in a minute.
var disk = usage.Line{Workload: usage.Workload{Kind: "Volume", Name: "data", UID: "2"}, Meter: usage.MeterStorage, Amount: 1 << 30, Seconds: 60}

// charged stores a charge after a revision and returns the next.
func (m *Metering) charged(t *testing.T, tenant string, revision int64, c *usage.Charge) int64 {
	t.Helper()
	got := m.Commit(t.Context(), []usage.Change{{Tenant: tenant, Revision: revision, Data: []byte("x"), Charge: c}})
	if got[0].Err != nil {
		t.Fatal(got[0].Err)
	}

	return got[0].Revision
}

// ran is a task, and when it ran by our clock. One that has no end runs still.
type ran struct {
	id, tenant string
	from, to   time.Time
}

// town is a swarm of one node, a machine with a clock, and the leader of the moment.
type town struct {
	t       *testing.T
	etcd    *clientv3.Client
	objects client.Client
	now     time.Time
	tasks   []*ran
	volumes []usage.Volume

	ledger *Ledger
	meter  *metering.Meter
}

// elect begins with nothing but what is stored.
func (w *town) elect() {
	w.t.Helper()
	clock := func() time.Time { return w.now }
	w.ledger = New(w.etcd, clock)
	term, err := w.ledger.Claim(w.t.Context(), "story")
	if err != nil {
		w.t.Fatal(err)
	}
	tariffs := NewTariffs(billing.NewDesk(w.objects), w.ledger, clock)
	w.meter = metering.New(metering.Options{Swarm: w, Volumes: w, Clock: w, Store: NewMetering(w.ledger, tariffs, term)})
}

// Read implements metering.Clock.
func (w *town) Read() metering.Reading {
	return metering.Reading{Wall: w.now, Mono: w.now.Sub(start.Add(-time.Hour))}
}

// Volumes implements metering.Volumes.
func (w *town) Volumes(context.Context) ([]usage.Volume, error) {
	return slices.DeleteFunc(slices.Clone(w.volumes), func(v usage.Volume) bool { return w.now.Before(v.Created) }), nil
}

// Sample implements metering.Swarm.
func (w *town) Sample(context.Context) (usage.Sample, error) {
	s := usage.Sample{
		Clocks: []time.Time{w.now},
		Nodes:  map[string]usage.Node{"n1": {State: swarm.NodeStateReady, Updated: start.Add(-24 * time.Hour)}},
	}
	for _, r := range w.tasks {
		task := usage.Task{
			ID: r.id, NodeID: "n1", State: swarm.TaskStateRunning, Since: r.from, Created: r.from.Add(-time.Second), Updated: r.from, NanoCPUs: 1_000_000_000,
			Owner: swarmobj.Owner{Tenant: r.tenant, Kind: "TenantContainer", Name: r.id, UID: "uid-" + r.id},
		}
		if !r.to.IsZero() && !w.now.Before(r.to) {
			task.State, task.Since, task.Updated = swarm.TaskStateShutdown, r.to, r.to
		}
		if !w.now.Before(r.from) {
			s.Tasks = append(s.Tasks, task)
		}
	}

	return s, nil
}

// until lets time pass to so many minutes after the start; each tick looks at the swarm, and then calls.
func (w *town) until(minutes int, each func()) {
	w.t.Helper()
	for end := start.Add(time.Duration(minutes) * time.Minute); w.now.Before(end); {
		w.now = w.now.Add(15 * time.Second)
		if err := w.meter.Tick(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if each != nil {
			each()
		}
	}
}

func (w *town) head(tenant string) book.Head {
	w.t.Helper()
	h, err := w.ledger.Head(w.t.Context(), tenant)
	if err != nil {
		w.t.Fatal(err)
	}

	return h
}

func (w *town) terms(tenant string) billing.Terms {
	w.t.Helper()
	terms, err := billing.NewDesk(w.objects).TermsAt(w.t.Context(), tenant, w.now)
	if err != nil {
		w.t.Fatal(err)
	}

	return terms
}

// pay credits a payment, as whoever handles payments does.
func (w *town) pay(tenant, order string, whole int64) {
	w.t.Helper()
	decide := w.terms(tenant).Decide(func() time.Time { return w.now })
	if _, err := w.ledger.Do(w.t.Context(), book.Request{Tenant: tenant, Op: paid(order, whole), Decide: decide}); err != nil {
		w.t.Fatal(err)
	}
}

// TestStory (invariants 5, 10 and 13) lets metering, ledger and tariffs work together: an account runs out of money, is
// stopped and settled, and pays while nobody looks for more than an hour, in which prices change; one of its tasks cannot be
// stopped. What it is charged is worked out once more from what is true. Beside it lives a tenant that is not billed.
func TestStory(t *testing.T) {
	acme, free := newTenant(), newTenant()
	rules := &dogkerv1.BillingRules{GracePeriodSeconds: new(int64(600)), MinRunwaySeconds: 1800}
	w := &town{t: t, etcd: openStore(t), now: start, objects: objects(t,
		tenantWith(acme, "paid"), tenantWith(free, "free"), planOf("paid", "p1", rules), planOf("free", "", nil),
		priceList("p1", "", -1, "60", "6"), priceList("p2", "p1", 2, "120", "12"),
		&dogkerv1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Namespace: acme, Name: "web"}, Spec: dogkerv1.TenantContainerSpec{
			Replicas: new(int32(2)), Resources: &dogkerv1.Resources{Requests: &dogkerv1.ResourceRequests{CPU: new(resource.MustParse("1"))}},
		}})}
	at := func(minutes, seconds int) time.Time {
		return start.Add(time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second)
	}
	web := &ran{id: acme + "-web", tenant: acme, from: at(0, 20)}
	zombie := &ran{id: acme + "-zombie", tenant: acme, from: at(1, 40)}
	w.tasks = []*ran{web, zombie, {id: free + "-web", tenant: free, from: at(2, 0)}}
	w.volumes = []usage.Volume{{Owner: swarmobj.Owner{Tenant: acme, Kind: "Volume", Name: "data", UID: "2" + acme}, Bytes: 1 << 30, Created: at(3, 0)}}
	// Other tests have left a mark of theirs in the store that all share.
	if _, err := w.etcd.Delete(t.Context(), markKey); err != nil {
		t.Fatal(err)
	}
	w.elect()
	w.until(1, nil)
	w.pay(acme, "o1", 120)

	var cut int64
	w.until(40, nil)
	w.elect()
	w.until(75, func() {
		h := w.head(acme)
		if floor := w.terms(acme).Floor(h); h.Paid < floor {
			t.Errorf("%s is below the floor, %s", h.Paid, floor)
		}
		if h.Stopped && cut == 0 {
			cut, web.to = h.ChargedThrough, w.now.Add(9*time.Second)
			if h.AccruedTotal() != 0 || h.Phase != "Suspended" {
				t.Errorf("it is stopped and not settled: %+v", h)
			}
		}
	})
	if cut == 0 {
		t.Fatal("it is never stopped")
	}

	// Nobody looks from here on. It pays after a while, and its container is started again.
	w.now = at(140, 30)
	w.pay(acme, "o2", 2000)
	if h := w.head(acme); h.Stopped || h.Free(firstWindow+76, firstWindow+179) != firstWindow+140 {
		t.Errorf("it runs again in minute 140: %+v", h)
	}
	w.tasks = append(w.tasks, &ran{id: acme + "-web-2", tenant: acme, from: at(141, 10)})
	w.now = at(155, 0)
	w.elect()
	w.until(185, nil)

	w.compare(acme, cut, firstWindow+140)
	w.untouched(free)
}

// compare works out what a tenant has used, second by second, and holds its ledger against it. It was stopped behind one
// window, and runs again after another.
func (w *town) compare(tenant string, cut, resumed int64) {
	w.t.Helper()
	h := w.head(tenant)
	if behind := book.WindowAt(w.now) - h.ChargedThrough; behind > 2 {
		w.t.Errorf("it is charged %d windows ago", behind)
	}
	want := map[string]int64{}
	add := func(hour int64, meter money.Meter, name string) {
		want[fmt.Sprintf("p%d %s %s", min(max(1, hour-book.HourOf(firstWindow)), 2), meter, name)]++
	}
	for second := start.Unix(); second < book.WindowEnd(h.ChargedThrough); second++ {
		window := second / book.WindowSeconds
		hour := book.HourOf(window)
		for _, r := range w.tasks {
			runs := r.tenant == tenant && r.from.Unix() <= second && (r.to.IsZero() || second < r.to.Unix())
			if runs && (window <= cut || window > resumed) {
				add(hour, money.CPU, r.id)
			}
		}
		if second >= w.volumes[0].Created.Unix() {
			add(hour, money.Storage, "data")
		}
	}

	got := map[string]int64{}
	var charged, waived, total money.Micro
	count := func(r book.Record) {
		for _, l := range r.Lines {
			got[fmt.Sprintf("%s %s %s", r.PriceList, l.Meter, strings.Split(l.Workload, "/")[1])] += l.Seconds
			total += l.Charge
		}
	}
	for item, err := range w.ledger.Items(w.t.Context(), tenant, 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		waived += item.Entry.Waived
		if item.Record != nil {
			charged -= item.Entry.Amount
			count(*item.Record)
		}
	}
	record, err := w.ledger.Open(w.t.Context(), tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	count(record)
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("seconds by prices, meter and workload\n-used +charged\n%s", diff)
	}
	if charged+waived+h.AccruedTotal() != total || h.Used != charged {
		w.t.Errorf("%s charged, %s waived and %s accrued of %s", charged, waived, h.AccruedTotal(), total)
	}
	if _, err := w.ledger.Verify(w.t.Context(), tenant); err != nil {
		w.t.Error(err)
	}
}

// untouched demands that nothing is known of a tenant but how far it was looked at.
func (w *town) untouched(tenant string) {
	w.t.Helper()
	h := w.head(tenant)
	if h.Seq != 0 || h.ChargedThrough < book.WindowAt(w.now)-2 || h.Phase != "" {
		w.t.Errorf("%+v", h)
	}
	stored := dump(w.t, w.etcd, tenant)
	delete(stored, headKey(tenant))
	delete(stored, meterKey(tenant))
	if len(stored) > 0 {
		w.t.Errorf("%v are stored of a tenant that is not billed", maps.Keys(stored))
	}
}

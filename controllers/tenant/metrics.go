package tenant

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/tenant/addresses"
	"github.com/dogker/dogker/reconciler/conditions"
)

// Metrics counts the tenants in the cache whenever somebody asks. Nothing in it names a tenant.
type Metrics struct {
	cached client.Reader
	pool   addresses.Pool
}

// NewMetrics returns a collector over the tenants that the cache holds.
func NewMetrics(cached client.Reader, pool addresses.Pool) *Metrics { return &Metrics{cached, pool} }

var (
	tenantsDesc = prometheus.NewDesc("dogker_tenants",
		"Tenants, by how they stand.", []string{"state"}, nil)
	poolDesc = prometheus.NewDesc("dogker_tenant_pool_addresses",
		"Addresses of the pool that tenants' networks are cut from, by whether a tenant has them.", []string{"state"}, nil)
	lowDesc = prometheus.NewDesc("dogker_tenants_addresses_low",
		"Tenants of whose network most addresses are used.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- tenantsDesc
	ch <- poolDesc
	ch <- lowDesc
}

// Collect implements prometheus.Collector. A cache that cannot be read leaves a gap.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()

	var list v1alpha1.TenantList
	if err := m.cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return
	}

	states, held, low := map[string]int{"Ready": 0, "Suspended": 0, "NotReady": 0, "Deleting": 0}, 0, 0

	for i := range list.Items {
		t := &list.Items[i]
		states[stateOf(t)]++

		if p := claimOf(t); p.IsValid() && m.pool.Contains(p) {
			held += 1 << (32 - p.Bits())
		}
		if conditions.IsTrue(t, v1alpha1.ConditionAddressesLow) {
			low++
		}
	}

	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}

	for state, n := range states {
		gauge(tenantsDesc, n, state)
	}

	gauge(poolDesc, held, "held")
	gauge(poolDesc, m.pool.Size()-held, "free")
	gauge(lowDesc, low)
}

func stateOf(t *v1alpha1.Tenant) string {
	_, suspended := suspension(t)

	switch {
	case !t.DeletionTimestamp.IsZero():
		return "Deleting"
	case !conditions.IsTrue(t, conditions.Ready):
		return "NotReady"
	case suspended:
		return "Suspended"
	default:
		return "Ready"
	}
}

package autoscaler

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
)

// scrapers is how many tasks of one container are asked at once.
const scrapers = 8

// requests measures how fast a counter of the tasks grows since it was read last. before are the counters of the last round,
// now those of this one.
func (a *Autoscaler) requests(
	ctx context.Context, tc *v1alpha1.TenantContainer, m *v1alpha1.RequestsMetric, s sight, before, now map[string]reading,
) measured {
	c := counterOf(tc, m)
	out := measured{reading: autoscale.Reading{Name: c.Name, Asleep: s.asleep()}}
	if out.reading.Asleep {
		return out
	}
	if why := s.unseen(); why != "" {
		return out.missing("%s", why)
	}
	switch {
	case a.Counters == nil:
		return out.missing("the platform cannot reach metrics of containers")
	case c.Port == 0:
		return out.missing("spec.metrics names no port")
	}

	values, err := a.rates(ctx, c, s, before, now)
	if len(values) == 0 {
		if err == nil {
			return out.missing("the counter has not been read twice yet")
		}

		return out.missing("%v", err)
	}
	target := autoscale.Float(m.Target.AverageValue)
	out.reading.Metric = autoscale.PerTask{Values: values, Target: target, Full: target}
	out.shown.AverageValue = amount("", mean(values))
	out.partly(len(values), s)

	return out
}

// rates are how fast the counter grows in each task of which that is known. Its error is that of one of the others.
func (a *Autoscaler) rates(ctx context.Context, c Counter, s sight, before, now map[string]reading) ([]float64, error) {
	var (
		mu     sync.Mutex
		values []float64
		first  error
		group  errgroup.Group
	)
	group.SetLimit(scrapers)

	for _, t := range s.ready {
		group.Go(func() error {
			// The container of a task is known from its samples.
			sample, ok := a.Telemetry.Latest(t.ID)
			if !ok {
				return nil
			}
			value, err := a.Counters.Counter(ctx, Place{Node: t.NodeID, Task: t.ID, Container: sample.Container}, c)
			at := a.Now()

			mu.Lock()
			defer mu.Unlock()

			if err != nil {
				first = cmp.Or(first, err)

				return nil
			}
			key := sample.Container + " " + c.key()
			now[key] = reading{value, at}
			// A counter that has begun anew says nothing yet, and one that was read just now is no time to speak of.
			if was, ok := before[key]; ok && value >= was.value && at.Sub(was.at) >= interval/3 {
				values = append(values, (value-was.value)/at.Sub(was.at).Seconds())
			}

			return nil
		})
	}
	_ = group.Wait() // They return none.

	return values, first
}

func counterOf(tc *v1alpha1.TenantContainer, m *v1alpha1.RequestsMetric) Counter {
	c := Counter{Name: cmp.Or(m.Metric, "http_requests_total"), Path: v1alpha1.MetricsPath, Labels: map[string]string{}}
	if tc.Spec.Metrics != nil {
		c.Port = uint16(tc.Spec.MetricsPort()) //nolint:gosec // The schema has it from 1 to 65535.
		c.Path = cmp.Or(tc.Spec.Metrics.Path, c.Path)
	}
	for name, value := range m.MatchLabels {
		c.Labels[name] = string(value)
	}

	return c
}

// key tells counters of a container apart.
func (c Counter) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %q %s", c.Port, c.Path, c.Name)
	for _, name := range slices.Sorted(maps.Keys(c.Labels)) {
		fmt.Fprintf(&b, " %q=%q", name, c.Labels[name])
	}

	return b.String()
}

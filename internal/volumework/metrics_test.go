package volumework_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/internal/volumework"
)

// TestMetrics reads what is counted.
func TestMetrics(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		reg := prometheus.NewRegistry()
		w.start(func(o *volumework.Options) { o.Registerer, o.Limits.All = reg, 1 })
		expect := func(want ...string) {
			t.Helper()
			got := shown(t, reg)
			for _, line := range want {
				if !slices.Contains(got, line) {
					t.Errorf("there is no %s", line)
				}
			}
		}
		expect(`dogker_volume_job_failures_total{fault="Node",kind="Thaw"} 0`)

		w.fails("put", store.ErrDenied)
		w.do(save())
		release := make(chan struct{})
		w.script(func(_ int, call string) error {
			if call == "put" {
				<-release
			}

			return nil
		})
		w.worker.Order(*save())
		w.worker.Order(*copying())
		other := save()
		other.Owner = "o"
		w.worker.Order(*other)
		synctest.Wait()
		expect(
			`dogker_volume_jobs{kind="Save",state="running"} 1`, `dogker_volume_jobs{kind="Save",state="waiting"} 1`,
			`dogker_volume_jobs{kind="Copy",state="waiting"} 1`, `dogker_volume_jobs{kind="Erase",state="waiting"} 0`,
		)
		w.worker.Cancel("v")
		w.worker.Cancel("o")
		close(release)
		w.wait("s")
		expect(
			`dogker_volume_jobs{kind="Save",state="running"} 0`, `dogker_volume_jobs{kind="Save",state="waiting"} 0`,
			`dogker_volume_job_failures_total{fault="Store",kind="Save"} 1`, `dogker_volume_job_failures_total{fault="Other",kind="Copy"} 0`,
			`dogker_volume_job_duration_seconds{kind="Save",outcome="failed"} 1`, `dogker_volume_job_duration_seconds{kind="Save",outcome="done"} 1`,
		)
	})
}

// shown are all metrics with their values; of histograms how often they were observed.
func shown(t *testing.T, from prometheus.Gatherer) []string {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			value := m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			out = append(out, fmt.Sprintf("%s{%s} %v", f.GetName(), strings.Join(labels, ","), value))
		}
	}

	return out
}

package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// TestLiar: an agent that tells what none of ours does is said to, for as long as it does, and everything else of its node is
// as before.
func TestLiar(t *testing.T) {
	var round atomic.Int64
	var lies atomic.Bool
	w := newWorld(t, answering(agent.PathReports, func(rw http.ResponseWriter, _ *http.Request) {
		n, now := round.Add(1), time.Now()
		report := telemetry.Report{Node: other, Agent: "liar", Round: n, Began: now, Ended: now}
		// Containers that were just started may be looked at as often as that.
		report.Samples = []telemetry.Sample{{At: now, Container: fmt.Sprint(n), Task: taskOf(plain), Service: "web", Started: now}}
		if lies.Load() {
			report.Samples[0].Container = strings.Repeat("x", 1000)
		}
		_ = json.NewEncoder(rw).Encode(report)
	})).ready()

	lies.Store(true)
	s := w.problem("of containers whose IDs no engine gives, which is left out")
	if s.Connected.IsZero() {
		t.Error("the node cannot be used for anything else")
	}
	if log, err := w.Logs(t.Context(), at(other, plain), LogOptions{}); err != nil {
		t.Errorf("logs: %v", err)
	} else {
		log.Close()
	}
	lies.Store(false)
	w.problem("")
	for _, result := range []string{"ok", "odd"} {
		if n := testutil.ToFloat64(w.metrics.reports.WithLabelValues(result)); n == 0 {
			t.Errorf("reports of result %q: got none", result)
		}
	}
}

// TestReportsThatAreNone: what cannot be a report is not kept, is not read to its end, and is told of.
func TestReportsThatAreNone(t *testing.T) {
	endless := func(w io.Writer, text string) {
		for piece := strings.Repeat(text, 1<<16/len(text)+1); ; {
			if _, err := io.WriteString(w, piece); err != nil {
				return
			}
		}
	}
	for name, tc := range map[string]struct {
		answer  func(io.Writer)
		problem string
	}{
		"Garbage":        {func(w io.Writer) { fmt.Fprintln(w, `{"round": "one"}`) }, "a report that cannot be read"},
		"EndlessLine":    {func(w io.Writer) { endless(w, " ") }, "a report of more than 8 MiB"},
		"EndlessReports": {func(w io.Writer) { endless(w, `{"node":"another"}`+strings.Repeat(" ", 1<<15)+"\n") }, "more than 64 MiB of reports"},
		"TooManySamples": {func(w io.Writer) {
			fmt.Fprintln(w, `{"samples":[`+strings.Repeat("{},", telemetry.MaxSamples)+`{}]}`)
		}, "a report that cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, answering(agent.PathReports, func(rw http.ResponseWriter, _ *http.Request) { tc.answer(rw) })).run()
			if s := w.problem(tc.problem); s.Connected.IsZero() {
				t.Error("the node cannot be used for anything else")
			}
			w.await("it is counted", func() error {
				if testutil.ToFloat64(w.metrics.reports.WithLabelValues("unreadable")) == 0 {
					return errors.New("it is not")
				}

				return nil
			})
		})
	}
}

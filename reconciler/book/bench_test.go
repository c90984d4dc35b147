package book

import (
	"fmt"
	"testing"

	"github.com/dogker/dogker/reconciler/money"
)

// BenchmarkWindow charges one window of ten workloads and writes down what changed: what closing a window costs a tenant
// before anything is stored.
func BenchmarkWindow(b *testing.B) {
	var lines []Line
	for i := range 10 {
		name := fmt.Sprintf("workload-%02d", i)
		lines = append(lines, hours(name, money.CPU, 1, 150), hours(name, money.Memory, 1, 37))
	}
	s := newShelf().must(b, paid("o1", 1000), charge(0, 1, lines...))
	op := charge(1, 1, lines...)
	b.ReportAllocs()
	for b.Loop() {
		out, err := Apply(s.state, op, nil, s.now)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = out.State.Head.Encode(), out.State.Record.Encode()
	}
}

// BenchmarkReplay replays entries.
func BenchmarkReplay(b *testing.B) {
	stored := history(b).stored()
	for b.Loop() {
		if _, err := replayAll(stored); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(stored))/b.Elapsed().Seconds(), "entries/s")
}

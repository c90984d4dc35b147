package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/internal/controlplane/etcd"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// diskStore is an etcd on the disk that temporary files are on, as the one that money will be on.
func diskStore(b *testing.B) *clientv3.Client {
	b.Helper()
	s, err := etcd.Open(b.Context(), etcd.Config{Dir: filepath.Join(b.TempDir(), "etcd"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })

	return s.Client
}

// sizes keeps the sizes of the transactions that a ledger commits.
type sizes struct {
	KV
	mu  sync.Mutex
	ops [][2]int // bytes of key and value of each put of the last transaction
}

func (s *sizes) Txn(ctx context.Context) clientv3.Txn { return &sizedTxn{s.KV.Txn(ctx), s} }

type sizedTxn struct {
	clientv3.Txn
	s *sizes
}

func (x *sizedTxn) If(cmps ...clientv3.Cmp) clientv3.Txn { x.Txn = x.Txn.If(cmps...); return x }
func (x *sizedTxn) Else(ops ...clientv3.Op) clientv3.Txn { x.Txn = x.Txn.Else(ops...); return x }
func (x *sizedTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	x.Txn = x.Txn.Then(ops...)
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	var puts [][2]int
	for _, op := range ops {
		if op.IsPut() {
			puts = append(puts, [2]int{len(op.KeyBytes()), len(op.ValueBytes())})
		}
	}
	if len(puts) > 0 {
		x.s.ops = puts
	}

	return x
}

// tasks are lines of use for windows in which each of n workloads ran, with names as long as metering makes them.
func tasks(n int) []book.Line {
	var lines []book.Line
	for i := range n {
		name := fmt.Sprintf("TenantContainer/workload-%02d/00000000-0000-4000-8000-%012d", i, i)
		lines = append(lines, cpu(name, 60, 150), book.Line{Workload: name, Meter: money.Memory, Quantity: 1 << 29, Seconds: 60, Price: rupiah(37)})
	}

	return lines
}

// benchmarked are the operations that are measured, by what they stand for. Each is of another tenant, so that tenants and
// not one tenant's head are what there are many of.
var benchmarked = map[string]func(call int64) book.Op{
	"payment": func(call int64) book.Op { return paid("o"+strconv.FormatInt(call, 10), 10) },
	"window":  func(call int64) book.Op { return charge(call%3600, 1, tasks(10)...) },
}

// BenchmarkAgainstRaw measures operations of the ledger beside raw transactions: as many puts, of keys and values as long,
// guarded by one comparison. They take turns, a slice of time each, so that whatever else the machine does happens to
// both. The number that counts is the ratio.
func BenchmarkAgainstRaw(b *testing.B) {
	for name, op := range benchmarked {
		for _, callers := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) { againstRaw(b, op, callers) })
		}
	}
}

func againstRaw(b *testing.B, op func(int64) book.Op, callers int) {
	client := diskStore(b)
	measured := &sizes{KV: client}
	l, term := open(b, measured)
	one := func(caller int, call int64) error {
		_, err := l.Do(b.Context(), book.Request{Tenant: fmt.Sprintf("bench-%d", caller), Op: op(call), Term: term})
		return err
	}
	// Everybody's first operation reads; only the later ones are like those of a server that runs.
	calls := make([]int64, callers)
	for caller := range callers {
		if err := one(caller, 0); err != nil {
			b.Fatal(err)
		}
		calls[caller] = 1
	}
	shape, before := measured.ops, time.Duration(0)
	l.kv = client
	var written, raw atomic.Int64
	var rawTime time.Duration
	for b.Loop() {
		before += turn(b, callers, &written, func(caller int) error {
			calls[caller]++
			return one(caller, calls[caller]-1)
		})
		rawTime += turn(b, callers, &raw, func(caller int) error { return rawTxn(b.Context(), client, caller, shape) })
	}
	ours, theirs := float64(written.Load())/before.Seconds(), float64(raw.Load())/rawTime.Seconds()
	b.ReportMetric(ours, "ledger-txn/s")
	b.ReportMetric(theirs, "raw-txn/s")
	b.ReportMetric(ours/theirs, "ratio")
	b.ReportMetric(0, "ns/op")
}

// turn lets all callers work for a slice of time, and returns how long it took.
func turn(b *testing.B, callers int, count *atomic.Int64, call func(caller int) error) time.Duration {
	start := time.Now()
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for time.Since(start) < 250*time.Millisecond {
				if err := call(caller); err != nil {
					b.Error(err)
					return
				}
				count.Add(1)
			}
		})
	}
	group.Wait()

	return time.Since(start)
}

var rawCalls atomic.Int64

// rawTxn writes a head that is replaced, like that of a tenant, and other keys that are new.
func rawTxn(ctx context.Context, client *clientv3.Client, caller int, shape [][2]int) error {
	n := rawCalls.Add(1)
	ops := make([]clientv3.Op, len(shape))
	for i, size := range shape {
		key := fmt.Sprintf("/raw/%d/%d", caller, i)
		if i > 0 {
			key += fmt.Sprintf("/%020d", n)
		}
		key += strings.Repeat("x", max(0, size[0]-len(key)))
		ops[i] = clientv3.OpPut(key, strings.Repeat("v", size[1]))
	}
	got, err := client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision("/raw/none"), "=", 0)).Then(ops...).Commit()
	if err == nil && !got.Succeeded {
		err = fmt.Errorf("a raw transaction did not succeed")
	}

	return err
}

// BenchmarkVerify measures how many entries a second are verified, in a ledger of a month of hours.
func BenchmarkVerify(b *testing.B) {
	client := openStore(b)
	now := start
	l := New(client, func() time.Time { return now })
	term, err := l.Claim(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	tenant := newTenant()
	must(b, l, term, tenant, paid("o1", 1_000_000))
	for hour := range int64(30 * 24) {
		must(b, l, term, tenant, settled(charge(60*hour, 60, tasks(5)...), 0))
	}
	var entries int64
	for b.Loop() {
		report, err := l.Verify(b.Context(), tenant)
		if err != nil {
			b.Fatal(err)
		}
		entries += report.Entries
	}
	b.ReportMetric(float64(entries)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkTenantMonth reports what a tenant takes in the store who runs some workloads for 30 days, is charged by the hour
// and pays in once a week: all keys and values, without the history that etcd keeps until it is compacted.
func BenchmarkTenantMonth(b *testing.B) {
	for _, workloads := range []int{1, 3, 10} {
		b.Run(fmt.Sprintf("workloads=%d", workloads), func(b *testing.B) {
			client := openStore(b)
			for b.Loop() {
				l, term := open(b, client)
				tenant := newTenant()
				for hour := range int64(30 * 24) {
					if hour%(7*24) == 0 {
						must(b, l, term, tenant, paid(fmt.Sprintf("dk-abcdef-01JD0000000000000000000%03d", hour), 100_000))
					}
					must(b, l, term, tenant, settled(charge(60*hour, 60, tasks(workloads)...), 0))
				}
				var bytes int
				stored := dump(b, client, tenant)
				for key, value := range stored {
					bytes += len(key) + len(value)
				}
				b.ReportMetric(float64(bytes), "bytes/tenant-month")
				b.ReportMetric(float64(len(stored)), "keys/tenant-month")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

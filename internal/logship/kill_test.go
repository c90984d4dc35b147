package logship

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/internal/controlplane/etcd"
	"github.com/dogker/dogker/internal/fake/containers"
)

// store is one etcd for all tests, one after another. Its disk is memory where there is some.
var store = sync.OnceValues(func() (*etcd.Store, error) {
	dir, err := os.MkdirTemp("/dev/shm", "dogker-logship-")
	if err != nil {
		dir, err = os.MkdirTemp("", "dogker-logship-")
	}
	if err != nil {
		return nil, err
	}
	storeDir = dir
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	return etcd.Open(ctx, etcd.Config{Dir: filepath.Join(dir, "etcd"), Log: slog.New(slog.DiscardHandler)})
})

var storeDir string

func TestMain(m *testing.M) {
	code := m.Run()
	if storeDir != "" {
		if s, err := store(); err == nil {
			_ = s.Close()
		}
		_ = os.RemoveAll(storeDir)
	}
	os.Exit(code)
}

func openStore(t testing.TB) *clientv3.Client {
	t.Helper()
	s, err := store()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Client.Delete(t.Context(), prefix, clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}

	return s.Client
}

// mortal writes cursors until its server is killed.
type mortal struct {
	Cursors
	dead atomic.Bool
}

func (m *mortal) Save(ctx context.Context, cursors map[string]Cursor) error {
	if m.dead.Load() {
		return errors.New("it is dead")
	}

	return m.Cursors.Save(ctx, cursors)
}

// TestKilled: whenever servers are killed, each line arrives, in the order of its task, and no kill has more than a batch of a
// task sent again. Elasticsearch knows what it is sent again.
func TestKilled(t *testing.T) {
	logs, town := newLogStore(), newTown()
	server := httptest.NewServer(logs)
	defer server.Close()
	cursors := Etcd{openStore(t)}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // It is to be the same in every run.

	const tasks, lines, kills = 3, 600, 8
	var all [tasks]*containers.Container
	for i := range tasks {
		all[i] = town.run(fmt.Sprint("tenant", i), fmt.Sprint("task", i))
	}
	pad := fmt.Sprintf("%02000d", 0)
	writing := sync.WaitGroup{}
	writing.Go(func() {
		for n := range lines {
			for i, c := range all {
				c.Print(fmt.Sprintf("%d %04d %s\n", i, n, pad))
			}
			if n%20 == 0 {
				time.Sleep(10 * time.Millisecond)
			}
		}
	})
	for range kills {
		m := &mortal{Cursors: cursors}
		_, stop := ship(t, town, m, EndpointOptions{URL: "elasticsearch+" + server.URL + "/logs"})
		// It dies while a batch is on its way, or some time after that.
		for want, deadline := logs.asked()+1+r.IntN(3), time.Now().Add(10*time.Second); logs.asked() < want && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
		m.dead.Store(true)
		stop()
	}
	writing.Wait()
	_, stop := ship(t, town, cursors, EndpointOptions{URL: "elasticsearch+" + server.URL + "/logs"})
	defer stop()

	total := 0
	for i := range tasks {
		tenant := fmt.Sprint("tenant", i)
		var want []string
		for n := range lines {
			want = append(want, fmt.Sprintf("%d %04d %s", i, n, pad))
		}
		var got []string
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if got = logs.of(tenant); len(got) > 0 && got[len(got)-1] == want[lines-1] || time.Now().After(deadline) {
				break
			}
		}
		// What is sent again is sent from some line on, in order.
		again := len(got) - lines
		if most := kills * (maxBatch/(len(want[0])+entryCost) + 1); again > most {
			t.Errorf("%d lines were sent again, want at most %d", again, most)
		}
		total += again
		for n := 1; n < len(got); n++ {
			if got[n] > want[min(slices.Index(want, got[n-1])+1, lines-1)] {
				t.Errorf("after %.7q comes %.7q", got[n-1], got[n])
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if total == 0 {
		t.Error("no kill had anything sent again: it proves nothing")
	}
	if len(logs.ids) != tasks*lines {
		t.Errorf("there are %d documents, want %d", len(logs.ids), tasks*lines)
	}
}

// TestEtcd: cursors are kept as they were given, however many there are, and under a prefix of their own.
func TestEtcd(t *testing.T) {
	e := Etcd{openStore(t)}
	want := map[string]Cursor{}
	var tasks []string
	for i := range 2*maxOps + 1 {
		task := fmt.Sprintf("task%04d", i)
		tasks = append(tasks, task)
		want[task] = Cursor{Stdout: Position{Time: start.Add(time.Duration(i)), Lines: []uint64{1, 1 << 63}}, Ended: i%2 == 0}
	}
	if err := e.Save(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Client.Put(t.Context(), prefix+"broken", "{"); err != nil {
		t.Fatal(err)
	}
	want["broken"] = Cursor{}
	got, err := e.Load(t.Context())
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := e.Delete(t.Context(), append(tasks, "broken", "never")); err != nil {
		t.Fatal(err)
	}
	if got, err := e.Load(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("%d are left, %v", len(got), err)
	}
}

package logship

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

var start = time.Date(2026, 11, 23, 1, 2, 3, 4, time.UTC)

func numbered(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("line %04d", i))
	}

	return out
}

// bubble runs a test on a clock of its own, with a store that is reached without a network.
func bubble(t *testing.T, url string, test func(t *testing.T, town *town, store *logStore, m *memory, s *Shipper)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		town, store, m := newTown(), newLogStore(), newMemory()
		s, stop := ship(t, town, m, EndpointOptions{URL: url, Transport: store})
		defer stop()
		test(t, town, store, m, s)
	})
}

func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const (
	lokiURL    = "loki+http://logs.example.com/"
	elasticURL = "elasticsearch+http://logs.example.com/logs"
)

// TestDocuments: a line arrives with all that says whose it is, over a real connection.
func TestDocuments(t *testing.T) {
	for _, kind := range []string{"loki+", "elasticsearch+"} {
		t.Run(kind, func(t *testing.T) {
			store, town := newLogStore(), newTown()
			server := httptest.NewServer(store)
			defer server.Close()
			c := town.run("acme", "task1234567890")
			c.PrintAt(start, stdcopy.Stdout, "hello\n")
			c.PrintAt(start, stdcopy.Stderr, "bad \xff bytes\n")
			c.PrintAt(start, stdcopy.Stdout, strings.Repeat("é", maxLine)+"\n")
			_, stop := ship(t, town, newMemory(), EndpointOptions{URL: kind + server.URL + "/logs"})
			defer stop()
			for deadline := time.Now().Add(time.Minute); len(store.of("acme")) < 3; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("only %q arrived", store.of("acme"))
				}
			}
			of := func(stream, line string) stored {
				return stored{"acme", "web", "web-1-task123456", "alpha", stream, line, start}
			}
			got := map[string]stored{}
			for _, l := range store.lines {
				got[l.Line[:3]] = l
			}
			want := map[string]stored{
				"hel": of("stdout", "hello"), "bad": of("stderr", "bad \uFFFD bytes"),
				"éé"[:3]: of("stdout", strings.Repeat("é", maxLine/2)+cutMark),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDown: a store that is down for hours is asked now and then, no more is held than may be, and all arrives when it is back.
func TestDown(t *testing.T) {
	bubble(t, lokiURL, func(t *testing.T, town *town, store *logStore, m *memory, s *Shipper) {
		store.answer(func([]stored) (int, http.Header, []int) { return http.StatusBadGateway, nil, nil })
		c := town.run("acme", "t1")
		var want []string
		for i := range 400 {
			line := fmt.Sprintf("%04d ", i) + strings.Repeat("x", 8<<10)
			want = append(want, line)
			c.Print(line + "\n")
		}
		after(time.Hour)
		if n := store.asked(); n < 30 || n > 300 {
			t.Errorf("it was asked %d times in an hour", n)
		}
		if held := testutil.ToFloat64(s.metrics.buffered); held > maxPerTenant || held < maxBatch {
			t.Errorf("%v bytes are held", held)
		}
		if lag := s.lag(); lag < 3600 {
			t.Errorf("the lag is %v s", lag)
		}
		if len(m.all()) != 0 {
			t.Error("a cursor says what no store has")
		}
		store.answer(nil)
		after(2 * maxPause)
		if diff := cmp.Diff(want, store.of("acme")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if held, lag := testutil.ToFloat64(s.metrics.buffered), s.lag(); held != 0 || lag != 0 {
			t.Errorf("%v bytes are held, the lag is %v s", held, lag)
		}
	})
}

// TestChatty: who is over the limits of the store waits, with little in memory, and nobody else does.
func TestChatty(t *testing.T) {
	bubble(t, lokiURL, func(t *testing.T, town *town, store *logStore, _ *memory, s *Shipper) {
		store.answer(func(lines []stored) (int, http.Header, []int) {
			if lines[0].Tenant == "noisy" {
				return http.StatusTooManyRequests, http.Header{"Retry-After": {"60"}}, nil
			}
			return 0, nil, nil
		})
		noisy, quiet := town.run("noisy", "t1"), town.run("quiet", "t2")
		for range 1000 {
			noisy.Print(strings.Repeat("x", 8<<10) + "\n")
		}
		after(time.Minute)
		quiet.Print("hello\n")
		after(5 * time.Second)
		if diff := cmp.Diff([]string{"hello"}, store.of("quiet")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if held := testutil.ToFloat64(s.metrics.buffered); held > maxPerTenant {
			t.Errorf("%v bytes are held", held)
		}
		before := store.asked()
		after(10 * time.Minute)
		if n := store.asked() - before; n > 11 {
			t.Errorf("it was asked %d times in ten minutes, and wants a minute's peace", n)
		}
		store.answer(nil)
		after(5 * time.Minute)
		if n := len(store.of("noisy")); n != 1000 {
			t.Errorf("%d lines arrived", n)
		}
	})
}

// TestRefused: what a store will never take is lost, counted, and holds nothing up.
func TestRefused(t *testing.T) {
	tests := map[string]struct {
		reason string
		url    string
		answer func([]stored) (int, http.Header, []int)
		want   []string
		lost   float64
	}{
		"WholeBatch": {
			reason: "A batch that was refused once is refused again.", url: lokiURL,
			answer: func(lines []stored) (int, http.Header, []int) {
				if lines[0].Line == "line 0000" {
					return http.StatusBadRequest, nil, nil
				}
				return 0, nil, nil
			},
			want: numbered(10, 11), lost: 10,
		},
		"TooLarge": {
			reason: "A batch that is too large is sent in parts.", url: lokiURL,
			answer: func(lines []stored) (int, http.Header, []int) {
				if len(lines) > 2 {
					return http.StatusRequestEntityTooLarge, nil, nil
				}
				return 0, nil, nil
			},
			want: numbered(0, 11),
		},
		"OneOfABatch": {
			reason: "Elasticsearch says of each line what became of it.", url: elasticURL,
			answer: func(lines []stored) (int, http.Header, []int) {
				items := make([]int, len(lines))
				for i := range items {
					items[i] = http.StatusCreated
					if lines[i].Line == "line 0003" {
						items[i] = http.StatusBadRequest
					}
				}
				return 0, nil, items
			},
			want: append(numbered(0, 3), numbered(4, 11)...), lost: 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, tt.url, func(t *testing.T, town *town, store *logStore, _ *memory, s *Shipper) {
				store.answer(tt.answer)
				c := town.run("acme", "t1")
				c.Print(strings.Join(numbered(0, 10), "\n") + "\n")
				after(time.Minute)
				c.Print("line 0010\n")
				after(time.Minute)
				if diff := cmp.Diff(tt.want, store.of("acme")); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
				}
				if got := testutil.ToFloat64(s.metrics.dropped); got != tt.lost {
					t.Errorf("%v lines are counted as lost, want %v", got, tt.lost)
				}
			})
		})
	}
}

// TestBusy: lines that Elasticsearch has no time for come before those after them, however often it says so.
func TestBusy(t *testing.T) {
	bubble(t, elasticURL, func(t *testing.T, town *town, store *logStore, _ *memory, _ *Shipper) {
		tries := 0
		store.answer(func(lines []stored) (int, http.Header, []int) {
			items := make([]int, len(lines))
			for i := range items {
				if items[i] = http.StatusCreated; tries < 3 && i >= len(items)/2 {
					items[i] = http.StatusTooManyRequests
				}
			}
			tries++
			return 0, nil, items
		})
		town.run("acme", "t1").Print(strings.Join(numbered(0, 100), "\n") + "\n")
		after(time.Minute)
		if diff := cmp.Diff(numbered(0, 100), store.of("acme")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestLife: a task is read to its end, which is remembered until Swarm has forgotten the task.
func TestLife(t *testing.T) {
	bubble(t, lokiURL, func(t *testing.T, town *town, store *logStore, m *memory, s *Shipper) {
		c := town.run("acme", "t1")
		c.Print("first\n")
		after(10 * time.Second)
		if got := m.all()["t1"]; got.Ended || got.Stdout.Time.IsZero() {
			t.Errorf("its cursor is %+v", got)
		}
		c.Print("last, without an end")
		c.End()
		after(10 * time.Second)
		town.state("acme", swarm.TaskStateComplete)
		after(3 * time.Minute)
		if diff := cmp.Diff([]string{"first", "last, without an end"}, store.of("acme")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := m.all()["t1"]; !got.Ended || s.following() != 0 || len(s.lanes) != 0 {
			t.Errorf("its cursor is %+v, and %v are followed", got, s.following())
		}
		town.change("acme", func([]swarmobj.TaskDetail) []swarmobj.TaskDetail { return nil })
		after(2 * lookEvery)
		if got := m.all(); len(got) != 0 {
			t.Errorf("cursors are left: %v", got)
		}
	})
}

// TestLostNode: the log of a node whose agent is lost comes through a manager, and goes on where it was.
func TestLostNode(t *testing.T) {
	bubble(t, lokiURL, func(t *testing.T, town *town, store *logStore, _ *memory, _ *Shipper) {
		c := town.run("acme", "t1")
		c.Print("first\n")
		after(10 * time.Second)
		at := time.Now()
		town.through = func(string) io.ReadCloser {
			var log bytes.Buffer
			_, _ = fmt.Fprintf(stdcopy.NewStdWriter(&log, stdcopy.Stdout), "%s second\n", at.UTC().Format(time.RFC3339Nano))
			return io.NopCloser(&log)
		}
		town.Lose("n1", "it has no agent")
		c.End()
		after(time.Minute)
		town.state("acme", swarm.TaskStateComplete)
		after(time.Minute)
		if diff := cmp.Diff([]string{"first", "second"}, store.of("acme")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestCursorsAreSparse: what is written into etcd does not grow with the lines.
func TestCursorsAreSparse(t *testing.T) {
	bubble(t, lokiURL, func(t *testing.T, town *town, _ *logStore, m *memory, _ *Shipper) {
		c := town.run("acme", "t1")
		for i := range 600 {
			c.Print(fmt.Sprintln(i))
			after(100 * time.Millisecond)
		}
		if m.writes < 5 || m.writes > 13 {
			t.Errorf("cursors were written %d times in a minute", m.writes)
		}
	})
}

// TestNoIndex: a store that takes no line, and says so of each, is told of, is not asked all the time, and loses nothing.
func TestNoIndex(t *testing.T) {
	bubble(t, elasticURL, func(t *testing.T, town *town, store *logStore, _ *memory, s *Shipper) {
		var there atomic.Bool
		var asked atomic.Int32
		store.answer(func(lines []stored) (int, http.Header, []int) {
			if asked.Add(1); there.Load() {
				return 0, nil, nil
			}
			items := make([]int, len(lines))
			for i := range items {
				items[i] = http.StatusNotFound
			}
			return 0, nil, items
		})
		town.run("acme", "t1").Print("first\n")
		after(10 * time.Minute)
		if n := asked.Load(); n > 40 {
			t.Errorf("it was asked %d times in ten minutes", n)
		}
		s.troubles.mu.Lock()
		what := s.troubles.now[[2]string{troubleStore, ""}]
		s.troubles.mu.Unlock()
		if !strings.Contains(what, "takes no line for now: 404") {
			t.Errorf("what is said of it: %q", what)
		}
		if got := testutil.ToFloat64(s.metrics.batches.WithLabelValues(outcomeAccepted)); got != 0 {
			t.Errorf("%v batches are counted as accepted", got)
		}
		there.Store(true)
		after(2 * time.Minute)
		if diff := cmp.Diff([]string{"first"}, store.of("acme")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

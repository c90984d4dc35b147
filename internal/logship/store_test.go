package logship

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/internal/fake/containers"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// stored is a line as a store has it.
type stored struct {
	Tenant, Container, Pod, Node, Stream, Line string
	Time                                       time.Time
}

// logStore is a Loki and an Elasticsearch over HTTP, which answers as it is told.
type logStore struct {
	mu sync.Mutex
	// script answers a request in its place, given its lines; it accepts when the status is 0. items are the statuses of lines.
	script func(lines []stored) (status int, header http.Header, items []int)
	// lines that were accepted, as often as they were sent, and ids of documents.
	lines    []stored
	ids      map[string]int
	requests int
	auth     string
}

func newLogStore() *logStore { return &logStore{ids: map[string]int{}} }

func (s *logStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	packed, err := gzip.NewReader(r.Body)
	if err != nil {
		http.Error(w, "it is not packed", http.StatusTeapot)
		return
	}
	var lines []stored
	var ids []string
	switch {
	case strings.HasSuffix(r.URL.Path, "/loki/api/v1/push"):
		lines, err = readLoki(packed)
	case r.URL.Path == "/logs/_bulk":
		lines, ids, err = readBulk(packed)
	default:
		err = fmt.Errorf("nothing is at %s", r.URL.Path)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	s.mu.Lock()
	s.requests++
	s.auth = r.Header.Get("Authorization")
	script := s.script
	s.mu.Unlock()
	status, items := 0, []int(nil)
	if script != nil {
		var header http.Header
		status, header, items = script(lines)
		for name, values := range header {
			w.Header()[name] = values
		}
	}
	if status != 0 {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "cannot take %q", lines[0].Line)
		return
	}
	s.accept(lines, ids, items)
	if ids == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer := map[string]any{"errors": items != nil}
	var said []any
	for i := range items {
		said = append(said, map[string]any{"create": map[string]any{"status": items[i]}})
	}
	answer["items"] = said
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *logStore) accept(lines []stored, ids []string, items []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, line := range lines {
		if items == nil || items[i]/100 == 2 {
			s.lines = append(s.lines, line)
			if ids != nil {
				s.ids[ids[i]]++
			}
		}
	}
}

func readLoki(r io.Reader) ([]stored, error) {
	var got struct {
		Streams []struct {
			Stream map[string]string
			Values [][2]string
		}
	}
	if err := json.NewDecoder(r).Decode(&got); err != nil {
		return nil, err
	}
	var out []stored
	for _, s := range got.Streams {
		for _, v := range s.Values {
			var line stored
			if err := json.Unmarshal([]byte(v[1]), &line); err != nil {
				return nil, err
			}
			labels := map[string]string{"namespace": line.Tenant, "container": line.Container, "node": line.Node, "stream": line.Stream}
			if fmt.Sprint(labels) != fmt.Sprint(s.Stream) || v[0] != strconv.FormatInt(line.Time.UnixNano(), 10) {
				return nil, fmt.Errorf("labels %v and time %s are not those of the line", s.Stream, v[0])
			}
			out = append(out, line)
		}
	}

	return out, nil
}

func readBulk(r io.Reader) (out []stored, ids []string, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var a action
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil || a.Create.ID == "" || !lines.Scan() {
			return nil, nil, fmt.Errorf("no action, or no document: %w", err)
		}
		var d document
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, nil, err
		}
		ids = append(ids, a.Create.ID)
		out = append(out, stored{d.Tenant, d.Container, d.Pod, d.Node, d.Stream, d.Message, d.Time})
	}

	return out, ids, lines.Err()
}

func (s *logStore) answer(script func([]stored) (int, http.Header, []int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script
}

// of are the lines of a tenant, in the order in which they were accepted.
func (s *logStore) of(tenant string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, l := range s.lines {
		if l.Tenant == tenant {
			out = append(out, l.Line)
		}
	}

	return out
}

func (s *logStore) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.requests
}

// RoundTrip answers without a network, for clocks that are not real.
func (s *logStore) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)

	return w.Result(), nil
}

// town is a swarm with tasks, whose containers write logs.
type town struct {
	*containers.Runtime
	synced chan struct{}

	mu    sync.Mutex
	tasks map[swarmobj.Owner][]swarmobj.TaskDetail
	tell  []func(swarmobj.Owner)
	// through reads logs in a manager's place; there is none when nil.
	through func(task string) io.ReadCloser
}

func newTown() *town {
	t := &town{Runtime: containers.New(), synced: make(chan struct{}), tasks: map[swarmobj.Owner][]swarmobj.TaskDetail{}}
	close(t.synced)

	return t
}

func ownerOf(tenant string) swarmobj.Owner {
	return swarmobj.Owner{Tenant: tenant, Kind: "TenantContainer", Name: "web", UID: "uid-" + tenant}
}

// run adds a task that runs.
func (t *town) run(tenant, id string) *containers.Container {
	c := t.Add("c-" + id)
	t.change(tenant, func(tasks []swarmobj.TaskDetail) []swarmobj.TaskDetail {
		return append(tasks, swarmobj.TaskDetail{
			Task: swarmobj.Task{ID: id, Slot: 1, NodeID: "n1", State: swarm.TaskStateRunning}, Container: "c-" + id,
		})
	})

	return c
}

// state changes the state of a tenant's tasks.
func (t *town) state(tenant string, s swarm.TaskState) {
	t.change(tenant, func(tasks []swarmobj.TaskDetail) []swarmobj.TaskDetail {
		for i := range tasks {
			tasks[i].State = s
		}
		return tasks
	})
}

func (t *town) change(tenant string, by func([]swarmobj.TaskDetail) []swarmobj.TaskDetail) {
	t.mu.Lock()
	o := ownerOf(tenant)
	t.tasks[o] = by(append([]swarmobj.TaskDetail(nil), t.tasks[o]...))
	if len(t.tasks[o]) == 0 {
		delete(t.tasks, o)
	}
	tell := t.tell
	t.mu.Unlock()
	for _, f := range tell {
		f(o)
	}
}

func (t *town) Synced() <-chan struct{} { return t.synced }
func (t *town) State() error            { return nil }

func (t *town) Owners() []swarmobj.Owner {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []swarmobj.Owner
	for o := range t.tasks {
		out = append(out, o)
	}

	return out
}

func (t *town) ServicesOf(o swarmobj.Owner) []swarmobj.ServiceTasks {
	t.mu.Lock()
	defer t.mu.Unlock()

	return []swarmobj.ServiceTasks{{Owner: o, Tasks: t.tasks[o]}}
}

func (t *town) Nodes() []swarm.Node {
	n := swarm.Node{ID: "n1"}
	n.Description.Hostname = "alpha"

	return []swarm.Node{n}
}

func (t *town) SubscribeTasks(tell func(swarmobj.Owner)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tell = append(t.tell, tell)
}

func (t *town) TaskLogs(_ context.Context, task string, _ container.LogsOptions) (io.ReadCloser, error) {
	if t.through == nil {
		return nil, fmt.Errorf("%w: there is no manager", swarmobj.ErrUnavailable)
	}

	return t.through(task), nil
}

// memory keeps cursors without an etcd.
type memory struct {
	mu      sync.Mutex
	cursors map[string]Cursor
	writes  int
}

func newMemory() *memory { return &memory{cursors: map[string]Cursor{}} }

func (m *memory) Load(context.Context) (map[string]Cursor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]Cursor{}
	for task, c := range m.cursors {
		out[task] = c.clone()
	}

	return out, nil
}

func (m *memory) Save(_ context.Context, cursors map[string]Cursor) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	for task, c := range cursors {
		m.cursors[task] = c
	}

	return nil
}

func (m *memory) Delete(_ context.Context, tasks []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, task := range tasks {
		delete(m.cursors, task)
	}

	return nil
}

func (m *memory) all() map[string]Cursor {
	out, _ := m.Load(context.Background())
	return out
}

// ship starts a Shipper, and returns it with what stops it.
func ship(t testing.TB, town *town, cursors Cursors, o EndpointOptions) (*Shipper, func()) {
	t.Helper()
	e, err := NewEndpoint(o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Endpoint: e, Swarm: town, Runtime: town, Cursors: cursors, Registerer: prometheus.NewPedanticRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Start(ctx); err != nil {
			t.Error(err)
		}
	}()

	return s, sync.OnceFunc(func() {
		cancel()
		<-ended
	})
}

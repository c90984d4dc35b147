package fleet

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/dogker/dogker/internal/agent"
)

// Containers that the engines of tests have: one as most are, one with a terminal, and one that Swarm did not start.
var (
	plain    = strings.Repeat("a", 64)
	terminal = strings.Repeat("b", 64)
	strange  = strings.Repeat("c", 64)
)

// taskOf is the task of a container.
func taskOf(container string) string { return "task-" + container[:1] }

// engine is as much of Docker's as the fleet asks for, on a socket.
type engine struct {
	*testing.T

	socket string
	client *client.Client

	cellar *cellar
	yard   *yard

	mu     sync.Mutex
	events chan events.Message
	// sizes, stops and execs are what was asked for.
	sizes, stops []string
	execs        map[string]container.ExecOptions
	// states are of the commands that were started.
	states map[string]container.ExecInspect
	// open counts streams that last.
	open sync.WaitGroup
}

func newEngine(t *testing.T) *engine {
	e := &engine{T: t, cellar: newCellar(), yard: &yard{states: map[string]*container.Summary{}}, socket: filepath.Join(t.TempDir(), "docker.sock"), events: make(chan events.Message, 10), execs: map[string]container.ExecOptions{}, states: map[string]container.ExecInspect{}}

	mux := http.NewServeMux()
	e.cellar.serve(mux)
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("API-Version", "1.41") })
	e.yard.serve(e, mux)
	mux.HandleFunc("GET /v1.41/containers/{id}/json", e.inspect)
	mux.HandleFunc("GET /v1.41/containers/{id}/logs", e.logs)
	mux.HandleFunc("POST /v1.41/containers/{id}/attach", e.attach)
	mux.HandleFunc("POST /v1.41/containers/{id}/resize", e.resize)
	mux.HandleFunc("POST /v1.41/containers/{id}/stop", e.stop)
	mux.HandleFunc("POST /v1.41/containers/{id}/exec", e.createExec)
	mux.HandleFunc("POST /v1.41/exec/{id}/start", e.startExec)
	mux.HandleFunc("POST /v1.41/exec/{id}/resize", e.resize)
	mux.HandleFunc("GET /v1.41/exec/{id}/json", e.inspectExec)
	mux.HandleFunc("GET /v1.41/events", e.tell)
	mux.HandleFunc("GET /v1.41/networks/docker_gwbridge", func(w http.ResponseWriter, _ *http.Request) {
		e.answer(w, http.StatusOK, network.Inspect{Containers: map[string]network.EndpointResource{plain: {IPv4Address: "127.0.0.1/8"}}})
	})

	l, err := net.Listen("unix", e.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	if e.client, err = client.NewClientWithOpts(client.WithHost("unix://"+e.socket), client.WithAPIVersionNegotiation()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.client.Close()
		server.Close()
	})

	return e
}

func (e *engine) answer(w http.ResponseWriter, code int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(what)
}

func (e *engine) inspect(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if id != plain && id != terminal && id != strange && id != late {
		e.answer(w, http.StatusNotFound, map[string]string{"message": "No such container: " + id})
		return
	}
	labels := map[string]string{agent.TaskLabel: taskOf(id)}
	if id == strange {
		labels = nil
	}
	status := e.yard.state(id)
	e.answer(w, http.StatusOK, container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{
			ID: id, State: &container.State{Status: container.ContainerState(status), Running: status != "exited", Paused: status == "paused"},
		},
		Config: &container.Config{Tty: id == terminal, Labels: labels},
		Mounts: []container.MountPoint{{Type: "volume", Name: "ours"}},
	})
}

// logs writes a line to each output, and goes on until the caller goes away if that is wanted.
func (e *engine) logs(w http.ResponseWriter, r *http.Request) {
	e.open.Add(1)
	defer e.open.Done()

	if r.PathValue("id") == terminal {
		_, _ = io.WriteString(w, "from a terminal\r\n")
	} else {
		fmt.Fprintf(stdcopy.NewStdWriter(w, stdcopy.Stdout), "out tail=%s since=%s\n", r.FormValue("tail"), r.FormValue("since"))
		fmt.Fprintln(stdcopy.NewStdWriter(w, stdcopy.Stderr), "err")
	}
	_ = http.NewResponseController(w).Flush()
	if r.FormValue("follow") == "1" {
		<-r.Context().Done()
	}
}

// hijack makes a request a stream of bytes, and calls f with it.
func (e *engine) hijack(w http.ResponseWriter, f func(io.Reader, net.Conn)) {
	e.open.Add(1)
	defer e.open.Done()

	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		e.Error(err)
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	f(buffered, conn)
}

// attach says what comes in, until nothing more does.
func (e *engine) attach(w http.ResponseWriter, _ *http.Request) {
	e.hijack(w, func(in io.Reader, out net.Conn) {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			fmt.Fprintln(stdcopy.NewStdWriter(out, stdcopy.Stdout), "heard", lines.Text())
		}
	})
}

func (e *engine) createExec(w http.ResponseWriter, r *http.Request) {
	var o container.ExecOptions
	_ = json.NewDecoder(r.Body).Decode(&o)
	e.mu.Lock()
	defer e.mu.Unlock()
	id := fmt.Sprintf("%064d", len(e.execs))
	e.execs[id] = o
	e.answer(w, http.StatusCreated, container.ExecCreateResponse{ID: id})
}

// startExec runs one of six commands: cat, late, fail, long, broken and sleep. As the real one does, it says that a command runs
// before there is a process of it; broken never gets one.
func (e *engine) startExec(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	e.mu.Lock()
	o := e.execs[id]
	e.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body)

	e.hijack(w, func(in io.Reader, out net.Conn) {
		stdout, stderr := io.Writer(stdcopy.NewStdWriter(out, stdcopy.Stdout)), io.Writer(stdcopy.NewStdWriter(out, stdcopy.Stderr))
		if o.Tty {
			stdout, stderr = out, out
		}
		e.note(id, container.ExecInspect{Running: true})
		if o.Cmd[0] == "late" {
			e.startLate(id, in, stdout)
			return
		}
		if o.Cmd[0] == "broken" {
			fmt.Fprintln(stdout, "no such file")
			e.note(id, container.ExecInspect{ExitCode: 126})
			return
		}
		e.note(id, container.ExecInspect{Running: true, Pid: 7})
		code := 0
		switch o.Cmd[0] {
		case "cat":
			_, _ = io.Copy(stdout, in)
		case "fail":
			fmt.Fprintln(stderr, "no")
			code = 3
		case "long":
			fmt.Fprintln(stdout, strings.Repeat("x", 3*maxTail))
			fmt.Fprintln(stderr, "the end")
		case "sleep":
			_, _ = io.Copy(io.Discard, in)
		}
		e.note(id, container.ExecInspect{Pid: 7, ExitCode: code})
	})
}

// startLate is cat with a process that takes its time to start. An end of input that comes before is lost, and cat reads
// until the test ends; input is kept.
func (e *engine) startLate(id string, in io.Reader, out io.Writer) {
	type read struct {
		all []byte
		at  time.Time
	}
	ended := make(chan read, 1)
	go func() {
		all, _ := io.ReadAll(in)
		ended <- read{all, time.Now()}
	}()

	time.Sleep(300 * time.Millisecond)
	starts := time.Now()
	e.note(id, container.ExecInspect{Running: true, Pid: 7})
	got := <-ended
	if got.at.Before(starts) {
		<-e.Context().Done()
	}
	_, _ = out.Write(got.all)
	e.note(id, container.ExecInspect{Pid: 7})
}

func (e *engine) note(id string, state container.ExecInspect) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.states[id] = state
}

func (e *engine) inspectExec(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer(w, http.StatusOK, e.states[r.PathValue("id")])
}

func (e *engine) resize(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sizes = append(e.sizes, r.FormValue("w")+"x"+r.FormValue("h"))
	w.WriteHeader(http.StatusOK)
}

func (e *engine) stop(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stops = append(e.stops, r.PathValue("id")[:1]+" t="+r.FormValue("t"))
	w.WriteHeader(http.StatusNoContent)
}

// asked is a copy of what was asked for.
func (e *engine) asked(what *[]string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()

	return append([]string(nil), *what...)
}

// tell passes events on.
func (e *engine) tell(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case m := <-e.events:
			_ = json.NewEncoder(w).Encode(m)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// happens makes something happen to a container, by a clock that is ahead.
func (e *engine) happens(action events.Action, ahead time.Duration) {
	now := time.Now().Add(ahead)
	e.events <- events.Message{
		Type: events.ContainerEventType, Action: action, Time: now.Unix(), TimeNano: now.UnixNano(),
		Actor: events.Actor{ID: plain, Attributes: map[string]string{agent.TaskLabel: taskOf(plain), agent.ServiceLabel: "web"}},
	}
}

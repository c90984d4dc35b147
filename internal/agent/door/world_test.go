package door

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/telemetry"
)

var (
	taskID  = strings.Repeat("a", 64) // A container of a task,
	plainID = strings.Repeat("b", 64) // one of no task,
	ownID   = strings.Repeat("c", 64) // and the agent's own.
	dryID   = strings.Repeat("d", 64) // One of a task that mounts no volume of ours.
	execID  = strings.Repeat("e", 64)
)

// engine is what is behind the door. It notes what it is asked.
type engine struct {
	mu    sync.Mutex
	asked []string
	// address is where the container of the task is reached.
	address string
	// listed are the containers that run.
	listed []container.Summary
	// much is how many bytes are in a volume. got counts what was written, and cut what broke off.
	much     int64
	got, cut atomic.Int64
	// full is after how many bytes there is no room; 0 for never.
	full int64
}

func (e *engine) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()

	e.asked = append(e.asked, what)
}

func (e *engine) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()

	asked := e.asked
	e.asked = nil

	return asked
}

func (e *engine) ContainerInspect(_ context.Context, id string) (container.InspectResponse, error) {
	if c, known := mountContainers[id]; known {
		return c, nil
	}
	labels := map[string]map[string]string{taskID: {agent.TaskLabel: "task"}, dryID: {agent.TaskLabel: "dry"}, plainID: {}, ownID: {agent.TaskLabel: "own"}, endedID: {agent.TaskLabel: "ended"}, driedID: {agent.TaskLabel: "dried"}}[id]
	if labels == nil {
		return container.InspectResponse{}, errdefs.ErrNotFound
	}

	c := container.InspectResponse{Config: &container.Config{Labels: labels}}
	if id == endedID || id == driedID {
		c.ContainerJSONBase = &container.ContainerJSONBase{ID: id, State: &container.State{Status: container.StateExited}}
	}
	if id == taskID || id == endedID {
		c.Mounts = []container.MountPoint{{Type: "bind", Source: "/x"}, {Type: "volume", Name: otherVolume}, {Type: "volume", Name: ourVolume}}
	}

	return c, nil
}

func (e *engine) NetworkInspect(context.Context, string, network.InspectOptions) (network.Inspect, error) {
	return network.Inspect{Containers: map[string]network.EndpointResource{taskID: {IPv4Address: e.address + "/16"}}}, nil
}

// ServeHTTP is the engine's socket.
func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/archive") && e.much > 0 {
		e.archive(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	e.note(strings.TrimSpace(r.Method + " " + r.URL.String() + " " + string(body)))

	switch {
	case len(r.Header["X-Registry-Auth"]) > 0:
		e.note("a header that nobody needs")
	case strings.HasSuffix(r.URL.Path, "/exec"):
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"Id":%q}`, execID)
	case r.Header.Get("Upgrade") == "tcp":
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		// It echoes until the other end is done, and then says so.
		_, _ = io.Copy(conn, buffered)
		fmt.Fprint(conn, "bye")
	default:
		_, _ = io.WriteString(w, "{}")
	}
}

// archive sends a volume, or takes one.
func (e *engine) archive(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		w.Header().Set("X-Docker-Container-Path-Stat", "e30=")
		_, _ = io.Copy(w, &zeros{left: e.much})
		return
	}
	if e.full > 0 {
		_, _ = io.CopyN(io.Discard, r.Body, e.full)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"message":"write /volume/a: no space left on device"}`)
		return
	}
	n, err := io.Copy(io.Discard, r.Body)
	e.got.Store(n)
	if err != nil {
		e.cut.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// world is a door with an engine behind it and a server before it.
type world struct {
	engine  *engine
	address string
	bundle  []byte
	client  *agent.Client
	config  *tls.Config
	ring    *agent.Ring
	door    *Door
}

func newWorld(t *testing.T) *world {
	t.Helper()

	w := &world{engine: &engine{address: "127.0.0.1"}, ring: agent.NewRing()}
	socket := filepath.Join(t.TempDir(), "engine.sock")
	behind, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: w.engine, ReadHeaderTimeout: time.Second}
	go func() { _ = s.Serve(behind) }()
	t.Cleanup(func() { _ = s.Close() })

	authority, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.bundle = authority.Bundle()
	node, err := pki.NewNode(w.bundle, "node1", ownID)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = l.Addr().String()
	d := New(Options{
		Engine: w.engine, Socket: socket, Node: node, Ring: w.ring, Log: slog.New(slog.DiscardHandler),
		About: agent.About{Version: "test", Protocol: agent.Protocol, Node: "node1", Container: ownID, Agent: "me"},
	})
	w.door = d
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- d.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})

	i := pki.NewIdentity()
	i.Use(authority)
	if w.client, _, err = i.Connect(t.Context(), pki.Candidate{Node: "node1", Address: w.address, Container: ownID}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	w.config = i.ClientConfig("node1")

	return w
}

// reports are all that a server is told at once.
func (w *world) reports(t *testing.T, after int64, name string) (all []telemetry.Report, err error) {
	err = w.client.Reports(t.Context(), after, name, func(r telemetry.Report) { all = append(all, r) })

	return all, err
}

// ask asks as a server would, and returns the code and the message.
func (w *world) ask(t *testing.T, method, path, body string) (int, string) {
	t.Helper()

	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+w.address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = path
	req.Header.Set("X-Registry-Auth", "secret")
	c := http.Client{Transport: &http.Transport{TLSClientConfig: w.config, DisableKeepAlives: true}}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	var said struct{ Message string }
	_ = json.Unmarshal(data, &said)

	return resp.StatusCode, said.Message
}

package door

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/logkey"
)

// Engine is what the door itself asks the engine for. *client.Client is one.
type Engine interface {
	ContainerInspect(ctx context.Context, id string) (container.InspectResponse, error)
	NetworkInspect(ctx context.Context, id string, o network.InspectOptions) (network.Inspect, error)
	VolumeInspect(ctx context.Context, name string) (volume.Volume, error)
	ImageInspect(ctx context.Context, ref string, o ...client.ImageInspectOption) (image.InspectResponse, error)
	ContainerList(ctx context.Context, o container.ListOptions) ([]container.Summary, error)
	ContainerUnpause(ctx context.Context, id string) error
}

// Options are what a door needs.
type Options struct {
	// Engine, and the socket to which requests go that may pass.
	Engine Engine
	Socket string
	// Node is who the agent is.
	Node *pki.Node
	// Ring of its reports, and About what it says of itself; what changes is filled in.
	Ring  *agent.Ring
	About agent.About
	// Log is where it says what it refuses.
	Log *slog.Logger
}

const (
	// maxStreams bounds what lasts: logs that are followed, sessions, connections to ports.
	maxStreams = 512
	// maxOwn bounds what servers themselves wait for, reports and events. Tenants who take all streams take none of these:
	// a server that is not told of a node takes it for one that cannot be used.
	maxOwn = 64
	// maxKnown bounds the containers that are known to be of tasks. What is forgotten is asked for again.
	maxKnown = 4096
	// inspectPatience bounds a question of our own.
	inspectPatience = 10 * time.Second
)

// Door serves servers.
type Door struct {
	o       Options
	proxy   *httputil.ReverseProxy
	streams room
	own     room
	data    room
	leases  leases
	execs   execs
	mux     *http.ServeMux
	// strangers have not shown who they are.
	strangers *strangers

	mu    sync.Mutex
	known map[string]bool
}

// New returns a door to an engine.
func New(o Options) *Door {
	d := &Door{
		o: o, streams: make(room, maxStreams), own: make(room, maxOwn), data: make(room, maxData), known: map[string]bool{},
		execs: execs{of: map[string]string{}}, mux: http.NewServeMux(), strangers: newStrangers(),
		leases: leases{length: agent.FreezeLease, until: map[string]time.Time{}},
	}
	d.proxy = d.newProxy()
	d.mux.HandleFunc("GET "+agent.PathAbout, d.about)
	d.mux.HandleFunc("GET "+agent.PathReports, d.reports)
	d.mux.HandleFunc("POST "+agent.PathRequest, d.request)
	d.mux.HandleFunc("POST "+agent.PathCertificate, d.certificate)
	d.mux.HandleFunc("POST "+agent.PathDial+"{container}/{port}", d.dial)
	d.mux.HandleFunc("/dogker/", func(w http.ResponseWriter, r *http.Request) {
		d.refuse(w, r, http.StatusForbidden, fmt.Errorf("%s %s is not among what agents serve", r.Method, printable(r.URL.Path)))
	})

	return d
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isServer := r.TLS != nil && pki.IsServer(*r.TLS)
	if isServer {
		d.strangers.meet(r.RemoteAddr)
	} else {
		w.Header().Set("Connection", "close") // One question is enough for who has no name, and a connection is not theirs to keep.
	}
	if r.URL.Path == agent.PathHealth && r.Method == http.MethodGet {
		_, _ = io.WriteString(w, "ok\n")
		return
	}
	if !isServer {
		d.refuse(w, r, http.StatusForbidden, errors.New("only servers are served"))
		return
	}
	if r.URL.RawPath != "" || path.Clean(r.URL.Path) != r.URL.Path {
		d.refuse(w, r, http.StatusForbidden, fmt.Errorf("path %s is not written plainly", printable(r.URL.Path)))
		return
	}
	if strings.HasPrefix(r.URL.Path, "/dogker/") {
		d.mux.ServeHTTP(w, r)
		return
	}

	c, code, err := d.judge(r)
	if err != nil {
		d.refuse(w, r, code, err)
		return
	}
	if s := c.target.rule.streams; s != nil && s(c.query) {
		at := d.streams
		switch {
		case c.target.rule.own:
			at = d.own
		case c.target.rule.data:
			at = d.data
		}
		if !at.enter() {
			d.refuse(w, r, http.StatusTooManyRequests, at.full())
			return
		}
		defer at.leave()
	}
	if c.target.rule.freezes {
		done, err := d.leases.begin(c.target.container)
		if err != nil {
			d.refuse(w, r, http.StatusServiceUnavailable, err)
			return
		}
		defer done()
	}
	d.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
}

// judge says how a request is to be sent on, or why it is not, and by which code.
func (d *Door) judge(r *http.Request) (*call, int, error) {
	var c call
	var err error

	if c.target, err = find(r.Method, r.URL.Path); err != nil {
		return nil, http.StatusForbidden, err
	}
	if c.query, err = c.target.rule.ask(r.URL.RawQuery); err != nil {
		return nil, http.StatusForbidden, err
	}
	if c.body, err = bodyOf(r, c.target.rule); err != nil {
		return nil, http.StatusForbidden, err
	}
	if c.target.rule.upgrades && !strings.EqualFold(r.Header.Get("Upgrade"), "tcp") {
		return nil, http.StatusForbidden, errors.New("it must be upgraded to tcp")
	}

	if c.target.volume != "" {
		if code, err := d.admitVolume(r.Context(), c.target.volume); err != nil {
			return nil, code, err
		}
	}

	if c.target.mount != "" {
		if code, err := d.admitMount(r.Context(), &c); err != nil {
			return nil, code, err
		}
	}
	if code, err := d.admitContainer(r.Context(), &c); err != nil {
		return nil, code, err
	}
	if c.target.rule.admits != nil {
		if code, err := c.target.rule.admits(d, r.Context(), &c); err != nil {
			return nil, code, err
		}
	}

	return &c, 0, nil
}

// admitContainer is an error for a request about a container of others, or about a command that others have started.
func (d *Door) admitContainer(ctx context.Context, c *call) (int, error) {
	id := c.target.container
	if c.target.exec != "" {
		var known bool
		if id, known = d.execs.container(c.target.exec); !known {
			return http.StatusNotFound, errors.New("no command of that ID was started through this agent")
		}
	}
	if id == "" {
		return 0, nil
	}

	return d.admit(ctx, id)
}

func bodyOf(r *http.Request, rule *rule) ([]byte, error) {
	if rule.takes {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, errors.New("the body cannot be read")
	case len(data) > maxBody:
		return nil, fmt.Errorf("the body has more than %d bytes", maxBody)
	case rule.body != nil:
		return rule.body(data)
	case len(data) > 0:
		return nil, errors.New("a body is not allowed")
	}

	return nil, nil
}

// admit is an error for a container that is none of a task, or that is our own.
func (d *Door) admit(ctx context.Context, id string) (int, error) {
	if id == d.o.About.Container {
		return http.StatusForbidden, errors.New("it is the container of the agent itself")
	}
	if d.isKnown(id) {
		return 0, nil
	}

	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()

	c, err := d.o.Engine.ContainerInspect(ctx, id)
	switch {
	case errdefs.IsNotFound(err):
		return http.StatusNotFound, errors.New("there is no such container on this node")
	case err != nil:
		return http.StatusBadGateway, fmt.Errorf("the engine does not answer: %w", err)
	case c.Config == nil || c.Config.Labels[agent.TaskLabel] == "":
		return http.StatusForbidden, errors.New("it is not a container of one of Swarm's tasks")
	}
	d.learn(id)

	return 0, nil
}

// isKnown: labels of a container never change, and no ID is given twice.
func (d *Door) isKnown(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()

	return d.known[id]
}

func (d *Door) learn(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()

	if len(d.known) >= maxKnown {
		clear(d.known)
	}
	d.known[id] = true
}

// room has so many places for what lasts.
type room chan struct{}

func (r room) enter() bool {
	select {
	case r <- struct{}{}:
		return true
	default:
		return false
	}
}

func (r room) leave() { <-r }

func (r room) full() error { return fmt.Errorf("there are %d streams already", cap(r)) }

// refuse answers in the form of the engine's own errors, which Docker's client reads.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, code int, err error) {
	if code == http.StatusForbidden {
		d.o.Log.WarnContext(r.Context(), "Refused a request", "remote", r.RemoteAddr, logkey.Err, err)
	}
	answer(w, code, map[string]string{"message": "agent: " + err.Error()})
}

func answer(w http.ResponseWriter, code int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(what) // Who went away does not want to know.
}

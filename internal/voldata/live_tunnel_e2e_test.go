//go:build e2e

package voldata_test

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/door"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

var web = swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "u"}

// ownLabels are those of a volume of web's tenant.
var ownLabels = swarmobj.Owner{Tenant: "acme", Kind: "Volume", Name: "data", UID: "v"}.Labels()

// tunnels are two engines that a fleet reaches through the door of an agent each, and in no other way.
type tunnels struct {
	*live
	fleet *fleet.Fleet
	// stops end the agents, and cables lead to them.
	stops  []func()
	cables []*cable
}

func newTunnels(t *testing.T) *tunnels {
	t.Helper()
	w := &tunnels{live: newLive(t)}
	authority, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	identity := pki.NewIdentity()
	identity.Use(authority)

	nodes := &twoNodes{}
	for _, n := range w.lab.Nodes {
		w.serve(n, authority.Bundle())
		s := swarm.Node{ID: n.Name}
		s.Status.State, s.Status.Addr = swarm.NodeStateReady, "127.0.0.1"
		nodes.all = append(nodes.all, s)
	}
	w.fleet = fleet.New(fleet.Options{
		Swarm: nodes, Store: telemetry.NewStore(nodes.Subject, nil), Version: "live",
		AgentOn: func(string) (string, bool) { return "agent", true },
		Connect: func(ctx context.Context, c pki.Candidate) (*agent.Client, agent.About, error) {
			for i, n := range w.lab.Nodes {
				if n.Name == c.Node {
					c.Address = w.cables[i].address
				}
			}

			return identity.Connect(ctx, c)
		},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.fleet.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })

	w.a, w.b = w.reach(0), w.reach(1)

	return w
}

// serve runs what an agent is made of, for one engine.
func (w *tunnels) serve(n *lab.Node, bundle []byte) {
	w.t.Helper()
	node, err := pki.NewNode(bundle, n.Name, "agent")
	if err != nil {
		w.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	d := door.New(door.Options{
		Engine: n.Docker, Socket: strings.TrimPrefix(n.Host, "unix://"), Node: node, Ring: agent.NewRing(), Log: slog.New(slog.DiscardHandler),
		About: agent.About{Version: "live", Protocol: agent.Protocol, Node: n.Name, Container: "agent", Agent: "first"},
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = d.Serve(ctx, l) })
	running.Go(func() { _ = d.Guard(ctx) })
	stop := sync.OnceFunc(func() { cancel(); running.Wait() })
	w.t.Cleanup(stop)
	w.stops = append(w.stops, stop)
	w.cables = append(w.cables, newCable(w.t, l.Addr().String()))
}

// reach waits until a node can be used.
func (w *tunnels) reach(node int) *voldata.Volumes {
	w.t.Helper()
	name := w.lab.Nodes[node].Name
	var e voldata.Engine
	w.await("node "+name+" is reached", func() (err error) {
		e, err = w.fleet.DataEngine(name)

		return err
	})

	return voldata.New(e, voldata.Options{Holder: "server-1"})
}

func (w *tunnels) await(what string, ok func() error) {
	w.t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
	}
	w.t.Fatalf("%s: not in time: %v", what, err)
}

// makeOurs makes a volume as a task of ours would, and returns its directory.
func (w *tunnels) makeOurs(node int, name string) string {
	w.t.Helper()
	v, err := w.lab.Nodes[node].Docker.VolumeCreate(w.t.Context(), volume.CreateOptions{Name: name, Labels: ownLabels})
	if err != nil {
		w.t.Fatal(err)
	}

	return v.Mountpoint
}

// TestLiveTunnels takes a volume with everything in it from one node to another through the agents of both.
func TestLiveTunnels(t *testing.T) {
	w := newTunnels(t)
	populate(t, w.makeOurs(0, "acme_data"))
	want := tree(t, w.dirOf(0, "acme_data"))

	before, err := w.a.Digest(t.Context(), "acme_data", content.Options{})
	if err != nil {
		t.Fatalf("digest: %v (%v)", err, cause(err))
	}
	began := time.Now()
	target := voldata.Target{Name: "acme_data", Labels: ownLabels, Operation: "move/1/1/1"}
	sum, err := w.a.Copy(t.Context(), "acme_data", w.b, target, content.Options{})
	if err != nil {
		t.Fatalf("copy: %v (%v)", err, cause(err))
	}
	t.Logf("%d bytes were copied, and read back, in %v", sum.Bytes, time.Since(began).Round(time.Millisecond))
	if after, err := w.b.Digest(t.Context(), "acme_data", content.Options{}); err != nil || sum != before || after != before {
		t.Errorf("the copy is %+v and %+v (%v), want %+v", sum, after, err, before)
	}
	same(t, "copied", want, tree(t, w.dirOf(1, "acme_data")))
	same(t, "the source", want, tree(t, w.dirOf(0, "acme_data")))
	if there, operation, err := w.fleet.VolumeOperation(t.Context(), w.lab.Nodes[1].Name, "acme_data"); err != nil || !there || operation != target.Operation {
		t.Errorf("got %t, %q and %v, want what the copy has made", there, operation, err)
	}

	// A second one leaves alone what the first has made. Only who has made it removes it, only while it is the same.
	if _, err := w.a.Copy(t.Context(), "acme_data", w.b, target, content.Options{}); !errors.Is(err, swarmobj.ErrExists) {
		t.Errorf("once more: got %v, want ErrExists", err)
	}
	if gone, err := w.a.RemoveSame(t.Context(), "acme_data", "", before.Digest); err != nil || !gone {
		t.Errorf("remove the source: got %t and %v (%v)", gone, err, cause(err))
	}
	if _, err := w.a.Read(t.Context(), "acme_data"); !errors.Is(err, swarmobj.ErrNotFound) {
		t.Errorf("what is gone: got %v, want ErrNotFound", err)
	}
	w.clean()
}

// TestLiveDoor asks for what a stolen key of a server would be good for.
func TestLiveDoor(t *testing.T) {
	w := newTunnels(t)
	ctx := t.Context()
	if err := os.WriteFile(filepath.Join(w.make(0, "operators"), "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.makeOurs(0, "acme_data")
	engine, err := w.fleet.DataEngine(w.lab.Nodes[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{voldata.LabelOperation: "x", "io.dogker.managed": "true"}

	for name, try := range map[string]func() error{
		"ReadOthers":   func() error { return second(w.a.Read(ctx, "operators")) },
		"RemoveOthers": func() error { return engine.VolumeRemove(ctx, "operators", false) },
		"MakeUnowned":  func() error { return second(w.a.Write(ctx, voldata.Target{Name: "nobodys", Operation: "x"}, plain(t))) },
		"MakeDirectory": func() error {
			return second(w.a.Write(ctx, voldata.Target{
				Name: "acme_root", Operation: "x", Labels: ownLabels, Options: map[string]string{"type": "none", "o": "bind", "device": "/"},
			}, plain(t)))
		},
		"MountRoot": func() error {
			return second(engine.ContainerCreate(ctx, &container.Config{Image: lab.Image("v1"), Labels: labels}, &container.HostConfig{Binds: []string{"/:/volume"}}, nil, nil, "x"))
		},
		"MountWritable": func() error {
			return second(engine.ContainerCreate(ctx, &container.Config{Image: lab.Image("v1"), Labels: labels}, &container.HostConfig{
				Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: "acme_data", Target: "/volume"}},
			}, nil, nil, "x"))
		},
		"OtherImage": func() error { return second(engine.ImageInspect(ctx, lab.Image("v1"))) },
	} {
		if err := try(); err == nil || !strings.Contains(allOf(err), "agent: ") {
			t.Errorf("%s: got %v (%v), want a refusal of the agent", name, err, cause(err))
		}
	}
	list, err := w.lab.Nodes[0].Docker.VolumeList(ctx, volume.ListOptions{})
	if err != nil || len(list.Volumes) != 2 {
		t.Errorf("there are %d volumes (%v), want the two that were there", len(list.Volumes), err)
	}
	w.clean()
}

// allOf is all that an error says, also for the log only.
func allOf(err error) string {
	text := err.Error()
	if c := cause(err); c != nil {
		text += ": " + c.Error()
	}

	return text
}

// TestLiveCut cuts the way to a node while a volume is read and while one is written.
func TestLiveCut(t *testing.T) {
	w := newTunnels(t)
	dir := w.makeOurs(0, "acme_data")
	for _, name := range []string{"a", "b", "c"} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 24<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	target := voldata.Target{Name: "acme_data", Labels: ownLabels, Operation: "move/1/1/1"}

	r, err := w.a.Read(t.Context(), "acme_data")
	if err != nil {
		t.Fatalf("read: %v (%v)", err, cause(err))
	}
	if _, err := io.CopyN(io.Discard, r, 1<<20); err != nil {
		t.Fatal(err)
	}
	w.cables[0].pull()
	if n, err := io.Copy(io.Discard, r); err == nil {
		t.Errorf("%d bytes came after the cut, and then an end without an error", n)
	}
	_ = r.Close() // The node cannot be asked to remove the container.
	w.cables[0].plug()
	w.reach(0)

	// Writing is cut once half of it has gone through.
	_, err = w.b.Write(t.Context(), target, func(out io.Writer) (content.Summary, error) {
		in := tar.NewWriter(out)
		err := errors.Join(
			in.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "volume/", Mode: 0o755}),
			in.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "volume/a", Mode: 0o644, Size: 64 << 20}),
			second(in.Write(make([]byte, 32<<20))),
		)
		w.cables[1].pull()

		return content.Summary{}, errors.Join(err, second(in.Write(make([]byte, 32<<20))), in.Close())
	})
	if err == nil {
		t.Fatal("half a volume was taken for a whole one")
	}
	w.cables[1].plug()
	w.reach(1)

	// What is left of both is taken away by who comes next, and then it goes through.
	w.await("it is swept", func() error {
		for _, v := range []*voldata.Volumes{w.a, w.b} {
			if _, err := v.Sweep(t.Context()); err != nil {
				return errors.Join(err, cause(err))
			}
		}

		return nil
	})
	w.await("it is discarded", func() error { return w.b.Discard(t.Context(), "acme_data", target.Operation) })
	target.Operation = "move/1/1/2"
	if _, err := w.a.Copy(t.Context(), "acme_data", w.b, target, content.Options{}); err != nil {
		t.Errorf("copy afterwards: %v (%v)", err, cause(err))
	}
	same(t, "copied", tree(t, dir), tree(t, w.dirOf(1, "acme_data")))
	w.clean()
}

// TestLivePause pauses a task, runs a command in it before and after, and lets it go on when the agent stops.
func TestLivePause(t *testing.T) {
	w := newTunnels(t)
	w.makeOurs(0, "acme_data")
	docker, node := w.lab.Nodes[0].Docker, w.lab.Nodes[0].Name
	made, err := docker.ContainerCreate(t.Context(), &container.Config{
		Image:  lab.Image("v1"),
		Labels: map[string]string{agent.TaskLabel: "task-1", agent.ServiceLabel: "web"},
	}, &container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: "acme_data", Target: "/data"}}}, nil, nil, "web.1")
	if err != nil {
		t.Fatal(err)
	}
	if err := docker.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	paused := func(want bool) error {
		c, err := docker.ContainerInspect(t.Context(), made.ID)
		if err == nil && c.State.Paused != want {
			err = errors.New("it is " + c.State.Status)
		}

		return err
	}
	hook := func() {
		t.Helper()
		w.await("the server in it answers", func() error {
			code, tail, err := w.fleet.RunInTask(t.Context(), "acme", "web", "acme_data", node, []string{"/app", "-check"})
			if err == nil && (code != 0 || !strings.Contains(tail, "200 OK")) {
				err = errors.New(tail)
			}

			return err
		})
	}

	hook()
	for range 2 {
		if ids, err := w.fleet.PauseMounting(t.Context(), node, "acme_data"); err != nil || len(ids) != 1 || ids[0] != made.ID {
			t.Fatalf("paused %v and %v, want the container", ids, err)
		}
	}
	if err := errors.Join(paused(true), w.fleet.StillPaused(t.Context(), node, "acme_data")); err != nil {
		t.Error(err)
	}
	if _, err := w.a.Digest(t.Context(), "acme_data", content.Options{}); err != nil {
		t.Errorf("read what is paused: %v (%v)", err, cause(err))
	}
	if _, _, err := w.fleet.RunInTask(t.Context(), "acme", "web", "acme_data", node, []string{"/app"}); !errors.Is(err, swarmobj.ErrNotFound) {
		t.Errorf("a command in what is paused: got %v, want ErrNotFound", err)
	}
	for range 2 {
		if err := errors.Join(w.fleet.UnpauseMounting(t.Context(), node, "acme_data"), paused(false)); err != nil {
			t.Error(err)
		}
	}
	hook()

	if _, err := w.fleet.PauseMounting(t.Context(), node, "acme_data"); err != nil {
		t.Fatal(err)
	}
	w.stops[0]()
	if err := paused(false); err != nil {
		t.Errorf("the agent has stopped: %v", err)
	}
	if err := w.fleet.StillPaused(t.Context(), node, "acme_data"); err == nil {
		t.Error("it is said to be paused still")
	}
	if err := docker.ContainerRemove(t.Context(), made.ID, container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
}

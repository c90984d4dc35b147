package volumework_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/api/types/swarm"

	fake "github.com/dogker/dogker/internal/fake/volumes"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/internal/voldata/store/storetest"
	"github.com/dogker/dogker/internal/volumework"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volumejob"
)

const (
	volume  = "acme_data"
	restUID = "5a1c"
)

var began = time.Unix(1_700_000_000, 0).UTC()

// world is two nodes, a store, and a process that works with them. Every call of it, and every piece that is read, goes through at.
type world struct {
	t     *testing.T
	nodes map[string]*fake.Engine
	dir   store.Store
	key   *archive.Key

	mu sync.Mutex
	// calls are what was asked for, with its node.
	calls []string
	// on is asked about each call by its number, from 1; an error fails it.
	on func(n int, call string) error
	// frozen are volumes by node whose containers are, and went those that have gone on meanwhile.
	frozen, went map[string]bool
	// exit is what commands in tasks end with; none runs where there is none.
	exit map[string]int
	tail string

	worker *volumework.Worker
	stop   func()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	text, err := archive.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := archive.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}

	w := &world{
		t: t, dir: newMemory(), key: key, nodes: map[string]*fake.Engine{}, frozen: map[string]bool{}, went: map[string]bool{},
		exit: map[string]int{"freeze": 0, "thaw": 0},
	}
	for _, id := range []string{"a", "b"} {
		e := fake.New()
		e.Before = func(_ *fake.Engine, op, _ string) error { return w.at(op + " " + id) }
		e.Alter = func(data []byte) io.Reader { return &pieces{w, id, bytes.NewReader(data)} }
		w.nodes[id] = e
	}
	w.fill("a", volume, storetest.Bytes(1, 300_000))

	return w
}

// pieces are read one at a time, each as a call.
type pieces struct {
	w  *world
	id string
	r  io.Reader
}

func (p *pieces) Read(b []byte) (int, error) {
	if err := p.w.at("read " + p.id); err != nil {
		return 0, err
	}

	return p.r.Read(b[:min(len(b), 128<<10)])
}

// at is a call.
func (w *world) at(call string) error {
	w.mu.Lock()
	w.calls = append(w.calls, call)
	n, on := len(w.calls), w.on
	w.mu.Unlock()
	if on == nil {
		return nil
	}

	return on(n, call)
}

// script sets what becomes of calls, which are counted anew.
func (w *world) script(on func(n int, call string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls, w.on = nil, on
}

// did are the calls that begin so.
func (w *world) did(prefix string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, c := range w.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}

	return n
}

// fill makes a volume with one file.
func (w *world) fill(node, name string, data []byte) {
	w.t.Helper()
	var b bytes.Buffer
	out := tar.NewWriter(&b)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "volume/", Mode: 0o755, ModTime: began},
		{Typeflag: tar.TypeReg, Name: "volume/a", Mode: 0o644, Size: int64(len(data)), ModTime: began},
	} {
		if err := out.WriteHeader(h); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := out.Write(data); err != nil {
		w.t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.nodes[node].Put(name, nil)
	w.nodes[node].Data[name] = b.Bytes()
}

// DataEngine implements volumework.Engines, as do those that follow.
func (w *world) DataEngine(node string) (voldata.Engine, error) {
	e := w.nodes[node]
	if e == nil {
		return nil, fmt.Errorf("reach %q at 10.0.0.1: %w", node, swarmobj.ErrUnavailable)
	}

	return e, nil
}

func (w *world) VolumeOperation(ctx context.Context, node, name string) (bool, string, error) {
	e, err := w.DataEngine(node)
	if err != nil {
		return false, "", err
	}
	v, err := e.VolumeInspect(ctx, name)
	if err != nil {
		return false, "", nil //nolint:nilerr // There is none.
	}

	return true, v.Labels[voldata.LabelOperation], nil
}

func (w *world) PauseMounting(_ context.Context, node, name string) ([]string, error) {
	if err := w.at("pause " + node); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen[node+"/"+name] = true

	return []string{"c1"}, nil
}

func (w *world) StillPaused(_ context.Context, node, name string) error {
	if err := w.at("still " + node); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.went[node+"/"+name] {
		return errors.New("c1 has run meanwhile")
	}

	return nil
}

func (w *world) UnpauseMounting(_ context.Context, node, name string) error {
	if err := w.at("unpause " + node); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.frozen, node+"/"+name)

	return nil
}

func (w *world) RunInTask(ctx context.Context, _, _, name, node string, command []string) (int, string, error) {
	if err := w.at("hook " + command[0]); err != nil {
		return 0, "", err
	}
	if command[0] == "sleep" {
		<-ctx.Done()

		return 0, "", ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	exit, runs := w.exit[command[0]]
	if !runs {
		return 0, "", fmt.Errorf("no task of %s runs on %s: %w", name, node, swarmobj.ErrNotFound)
	}

	return exit, w.tail, nil
}

// State and Nodes implement volumework.Nodes.
func (w *world) State() error { return nil }

func (w *world) Nodes() []swarm.Node {
	var out []swarm.Node
	for id := range w.nodes {
		out = append(out, swarm.Node{ID: id, Status: swarm.NodeStatus{State: swarm.NodeStateReady}})
	}

	return out
}

// Place implements volumework.Places, as do those that follow.
func (w *world) Place(ctx context.Context, class string) (store.Store, *archive.Key, error) {
	s, err := w.Store(ctx, class)

	return s, w.key, err
}

func (w *world) Store(_ context.Context, class string) (store.Store, error) {
	if class != "nightly" {
		return nil, placeError("there is no VolumeSnapshotClass " + class)
	}

	return &asked{w.dir, w}, nil
}

func (w *world) Classes(context.Context) ([]string, error) { return []string{"nightly"}, nil }

type placeError string

func (p placeError) Error() string        { return string(p) }
func (placeError) Fault() volumejob.Fault { return volumejob.FaultKey }

// asked is a store whose calls are.
type asked struct {
	store.Store
	w *world
}

func (s *asked) Put(ctx context.Context, name string, content io.Reader) (int64, error) {
	if err := s.w.at("put"); err != nil {
		return 0, err
	}

	return s.Store.Put(ctx, name, content)
}

func (s *asked) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := s.w.at("get"); err != nil {
		return nil, err
	}
	r, err := s.Store.Get(ctx, name)
	if err != nil {
		return nil, err
	}

	return struct {
		io.Reader
		io.Closer
	}{&pieces{s.w, "store", r}, r}, nil
}

func (s *asked) Stat(ctx context.Context, name string) (store.Object, error) {
	if err := s.w.at("stat"); err != nil {
		return store.Object{}, err
	}

	return s.Store.Stat(ctx, name)
}

func (s *asked) Delete(ctx context.Context, name string) error {
	if err := s.w.at("delete"); err != nil {
		return err
	}

	return s.Store.Delete(ctx, name)
}

// start begins a process; there is one at a time.
func (w *world) start(change ...func(*volumework.Options)) {
	o := volumework.Options{
		Engines: w, Nodes: w, Places: w, Holder: "server-1", Version: "v1",
		Hold: func(context.Context) error { return w.at("hold") },
	}
	for _, f := range change {
		f(&o)
	}
	w.worker = volumework.New(o)
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.worker.Run(ctx)
	}()
	w.stop = func() {
		cancel()
		<-done
	}
	synctest.Wait()
}

// wait waits for the end of a job.
func (w *world) wait(owner string) volumejob.Job {
	w.t.Helper()
	for range 100_000 {
		if j, is := w.worker.Job(owner); !is || j.Ended {
			return j
		}
		time.Sleep(time.Second)
	}
	w.t.Fatalf("the job of %s has not ended", owner)

	return volumejob.Job{}
}

// do orders a job, waits for its end, and dismisses it.
func (w *world) do(o *volumejob.Order) volumejob.Job {
	w.t.Helper()
	w.worker.Order(*o)
	j := w.wait(o.Owner)
	w.worker.Dismiss(o.Owner)

	return j
}

// left is all that there is but archives: volumes, containers, and what is frozen.
func (w *world) left() string {
	var out []string
	for id, e := range w.nodes {
		for thing := range strings.SplitSeq(e.Left(), ", ") {
			if thing != "" {
				out = append(out, id+": "+thing)
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for at := range w.frozen {
		out = append(out, "frozen "+at)
	}
	slices.Sort(out)

	return strings.Join(out, ", ")
}

func (w *world) archives() []string { return storetest.Names(w.t, w.dir, "") }

// digestOf reads a volume as it is.
func (w *world) digestOf(node, name string) string {
	w.t.Helper()
	w.script(nil)
	sum, err := voldata.New(w.nodes[node], voldata.Options{Holder: "test"}).Digest(w.t.Context(), name, noOptions)
	if err != nil {
		w.t.Fatal(err)
	}

	return sum.Digest
}

func save() *volumejob.Order {
	return &volumejob.Order{
		Owner: "s", Kind: volumejob.Save, Operation: "snapshot/s/1", Source: volumejob.Place{Node: "a", Name: volume},
		Archive: volumejob.Archive{Class: "nightly", Name: "acme/data/s.age", Namespace: "acme", Volume: "data", UID: restUID, Time: began},
		Quiet: volumejob.Quiet{
			Pause: true, Namespace: "acme", Container: "db",
			Pre:  &volumejob.Hook{Command: []string{"freeze"}, Timeout: time.Minute},
			Post: &volumejob.Hook{Command: []string{"thaw"}, Timeout: time.Minute},
		},
	}
}

func thaw() *volumejob.Order {
	o := save()
	o.Kind, o.Operation = volumejob.Thaw, "snapshot/s/1/undo"

	return o
}

func restore() *volumejob.Order {
	o := save()
	o.Kind, o.Operation, o.Source = volumejob.Restore, "restore/v/1/1", volumejob.Place{}
	o.Target, o.Make.Labels = volumejob.Place{Node: "b", Name: volume + "-r1"}, map[string]string{"io.dogker.managed": "true"}

	return o
}

func copying() *volumejob.Order {
	return &volumejob.Order{
		Owner: "v", Kind: volumejob.Copy, Operation: "move/v/1/1",
		Source: volumejob.Place{Node: "a", Name: volume}, Target: volumejob.Place{Node: "b", Name: volume},
	}
}

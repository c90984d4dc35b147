//go:build e2e

package e2e

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// shipped is a line as a store of logs has it. Elasticsearch calls it message.
type shipped struct {
	Tenant, Container, Pod, Node, Stream, Line, Message string
}

// logStores are a Loki and an Elasticsearch, each of which keeps what it is sent, by the text of the line.
type logStores struct {
	mu   sync.Mutex
	loki map[string][]shipped
	// bulk has the documents of a line by their IDs.
	bulk  map[string]map[string]shipped
	wrong []string
}

func (s *logStores) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()

	body, err := gzip.NewReader(r.Body)
	if err == nil {
		switch r.URL.Path {
		case "/loki/api/v1/push":
			err = s.push(body)
		case "/dogker/_bulk":
			err = s.create(body)
		default:
			err = fmt.Errorf("nothing is at %s", r.URL.Path)
		}
	}
	if err != nil {
		s.wrong = append(s.wrong, err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprint(w, `{"errors":false}`)
}

func (s *logStores) push(body io.Reader) error {
	var got struct {
		Streams []struct {
			Stream map[string]string
			Values [][2]string
		}
	}
	if err := json.NewDecoder(body).Decode(&got); err != nil {
		return err
	}
	for _, stream := range got.Streams {
		for _, v := range stream.Values {
			var l shipped
			if err := json.Unmarshal([]byte(v[1]), &l); err != nil {
				return err
			}
			labels := map[string]string{"namespace": l.Tenant, "container": l.Container, "node": l.Node, "stream": l.Stream}
			if fmt.Sprint(labels) != fmt.Sprint(stream.Stream) {
				return fmt.Errorf("labels of the stream are %v, and the line is of %v", stream.Stream, labels)
			}
			s.loki[l.Line] = append(s.loki[l.Line], l)
		}
	}

	return nil
}

func (s *logStores) create(body io.Reader) error {
	for in := bufio.NewScanner(body); in.Scan(); {
		var action struct {
			Create struct {
				ID string `json:"_id"`
			}
		}
		var l shipped
		if err := json.Unmarshal(in.Bytes(), &action); err != nil || !in.Scan() {
			return fmt.Errorf("read an action: %w", err)
		}
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return err
		}
		if s.bulk[l.Message] == nil {
			s.bulk[l.Message] = map[string]shipped{}
		}
		s.bulk[l.Message][action.Create.ID] = l
	}

	return nil
}

// have is an error while one of the lines is in neither store.
func (s *logStores) have(lines []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	for _, line := range lines {
		if len(s.loki[line]) == 0 && len(s.bulk[line]) == 0 {
			return fmt.Errorf("%q is missing of %d lines; %d are in Loki, and %d in Elasticsearch", line, len(lines), len(s.loki), len(s.bulk))
		}
	}

	return nil
}

// writer is a container of a test that writes lines: numbered ones, with the name of the tenant.
type writer struct {
	*tenant
	id    string
	want  shipped
	lines []string
}

func (n *tenant) writes(name string) *writer {
	n.t.Helper()

	tc := n.run(app(name, "v1"))
	task := n.running(name)[0]
	owner := swarmobj.Owner{Tenant: n.name, Kind: "TenantContainer", Name: name, UID: string(tc.UID)}

	return &writer{tenant: n, id: task.Status.ContainerStatus.ContainerID, want: shipped{
		Tenant: n.name, Container: name, Pod: swarmobj.PodName(owner, task.Slot, task.NodeID, task.ID), Node: n.lab.Nodes[0].Name, Stream: "stdout",
	}}
}

// write has the container write so many more lines, past the server, and waits until it has.
func (w *writer) write(count int) {
	w.t.Helper()

	from := len(w.lines)
	for i := range count {
		w.lines = append(w.lines, fmt.Sprintf("%s says %04d", w.name, from+i))
	}
	made, err := w.docker().ContainerExecCreate(w.t.Context(), w.id, container.ExecOptions{
		Cmd: []string{"/app", "log", strings.Join(w.lines[from:], "\n")}, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	conn, err := w.docker().ContainerExecAttach(w.t.Context(), made.ID, container.ExecAttachOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if said, err := io.ReadAll(conn.Reader); err != nil || len(said) > 0 {
		w.t.Fatalf("write lines: %q, %v", said, err)
	}
}

// TestLogsAreShipped: what containers write arrives at a Loki, and at an Elasticsearch when that is taken instead, with the names
// of its tenant, container and node: each line at least once, though the server is killed twice.
func TestLogsAreShipped(t *testing.T) {
	t.Parallel()

	stores := &logStores{loki: map[string][]shipped{}, bulk: map[string]map[string]shipped{}}
	front := httptest.NewServer(stores)
	t.Cleanup(front.Close)
	c := newCell(t, lab.Options{}, "--log-ship-url", "loki+"+front.URL)
	writers := []*writer{c.namespace(t, "acme").writes("web"), c.namespace(t, "globex").writes("db")}
	arrived := func(what string) {
		t.Helper()
		await(t, atLast, what, func() error {
			for _, w := range writers {
				if err := stores.have(w.lines); err != nil {
					return err
				}
			}

			return nil
		})
	}
	write := func(count int) {
		for _, w := range writers {
			w.write(count)
		}
	}

	write(50)
	arrived("the first lines arrive")
	for _, args := range [][]string{c.server.args, {"--log-ship-url", "elasticsearch+" + front.URL + "/dogker"}} {
		write(200) // Some of them are on their way.
		if err := c.server.kill(); err != nil {
			t.Fatal(err)
		}
		write(100)
		c.server.args = args
		if err := c.server.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		write(50)
		arrived("what was written before, while and after the server was killed arrives")
	}

	for _, w := range writers {
		w.shippedAs(stores, w.want)
	}
	if len(stores.wrong) > 0 {
		t.Errorf("what was sent cannot be read: %v", stores.wrong)
	}
}

// shippedAs wants each line of the container to be of it in every store, the last ones in Elasticsearch, and none there twice.
func (w *writer) shippedAs(stores *logStores, want shipped) {
	w.t.Helper()
	stores.mu.Lock()
	defer stores.mu.Unlock()

	again := 0
	for _, line := range w.lines {
		want.Line, want.Message = line, ""
		for _, got := range stores.loki[line] {
			if got != want {
				w.t.Fatalf("Loki has %+v, want %+v", got, want)
			}
		}
		want.Line, want.Message = "", line
		for _, got := range stores.bulk[line] {
			if got != want {
				w.t.Fatalf("Elasticsearch has %+v, want %+v", got, want)
			}
		}
		if n := len(stores.bulk[line]); n > 1 {
			w.t.Errorf("Elasticsearch has %d documents of %q", n, line)
		}
		again += max(0, len(stores.loki[line])-1)
	}
	if last := w.lines[len(w.lines)-1]; len(stores.bulk[last]) != 1 {
		w.t.Errorf("%q is not in Elasticsearch, which is where logs go now", last)
	}
	w.t.Logf("%s: %d lines were written, and %d were sent to Loki again", w.name, len(w.lines), again)
}

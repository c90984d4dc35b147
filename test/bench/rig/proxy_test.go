package rig

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/client"
	"github.com/google/go-cmp/cmp"
)

func TestShape(t *testing.T) {
	cases := map[string]struct {
		reason string
		path   string
		want   string
	}{
		"List":          {reason: "A collection has no names in it.", path: "/v1.41/services", want: "/services"},
		"Inspect":       {reason: "A name is left out.", path: "/v1.41/services/acme_web", want: "/services/{id}"},
		"Create":        {reason: "create is no name.", path: "/v1.41/services/create", want: "/services/create"},
		"Update":        {reason: "What is done to an object is kept.", path: "/v1.41/services/x1/update", want: "/services/{id}/update"},
		"ContainerList": {reason: "json alone is a list.", path: "/v1.41/containers/json", want: "/containers/json"},
		"ImageOfPath":   {reason: "References have slashes in them.", path: "/v1.41/images/dogker.test/app:v1/json", want: "/images/{id}/json"},
		"Unversioned":   {reason: "The first ping has no version.", path: "/_ping", want: "/_ping"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, shape(tc.path)); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestProxySwallowsEvents stands a toy engine behind the proxy: it sends an event whenever it is told to.
func TestProxySwallowsEvents(t *testing.T) {
	dir := t.TempDir()
	say := make(chan string)

	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		for {
			select {
			case s := <-say:
				fmt.Fprintln(w, s)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	})

	l, err := net.Listen("unix", filepath.Join(dir, "engine.sock"))
	if err != nil {
		t.Fatal(err)
	}
	engine := &http.Server{Handler: mux}
	go func() { _ = engine.Serve(l) }()
	defer engine.Close()

	p, err := StartProxy(filepath.Join(dir, "proxy.sock"), "unix://"+l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()

	docker, err := client.NewClientWithOpts(client.WithHost(p.Host))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := docker.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}

	resp, err := docker.HTTPClient().Get("http://docker/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)

	say <- "first"
	if !lines.Scan() || lines.Text() != "first" {
		t.Fatalf("an event must pass: got %q", lines.Text())
	}

	p.SetSilent(true)
	say <- "second"
	// The event has left the engine, and has to reach the valve.
	for deadline := time.Now().Add(time.Minute); p.swallowed.Load() == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	p.SetSilent(false)
	say <- "third"
	if !lines.Scan() || lines.Text() != "third" {
		t.Fatalf("an event must be swallowed, and the stream go on: got %q", lines.Text())
	}

	var got []string
	for _, c := range p.Take() {
		got = append(got, c.What)
	}
	if diff := cmp.Diff([]string{"HEAD /_ping", "GET /events"}, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

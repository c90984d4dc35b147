//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// neighbour is a container from whose network a test asks others for pages, by their names: the view that a tenant's
// own containers have.
type neighbour struct {
	client *http.Client
}

// neighbour runs an idle container in the namespace.
func (n *tenant) neighbour() *neighbour {
	n.t.Helper()

	n.run(app("neighbour", "v1", func(tc *v1alpha1.TenantContainer) { tc.Spec.Args = []v1alpha1.Text{"-idle"} }))
	pid := n.process("neighbour")

	// Names are looked up and connections made anew for each request, as by a client that starts now.
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return lab.DialContainer(ctx, pid, network, "127.0.0.11:53")
	}}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		addresses, err := resolver.LookupHost(ctx, host+".")
		if err != nil {
			return nil, err
		}
		one := addresses[rand.IntN(len(addresses))]

		return lab.DialContainer(ctx, pid, network, net.JoinHostPort(one, port))
	}

	return &neighbour{client: &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
	}}
}

// ask gets a page of a container's app.
func (b *neighbour) ask(name, path string) (string, error) {
	resp, err := b.client.Get("http://" + name + ":8080" + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()

	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(body)))
	}

	return string(body), nil
}

// probe asks a container for its page again and again, and remembers what went wrong.
type probe struct {
	stop func()

	mu       sync.Mutex
	asked    int
	failures []string
	versions map[string]int
}

// pace of a probe.
const pace = 20 * time.Millisecond

// probe starts asking. finish ends it.
func (b *neighbour) probe(name string) *probe {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	p := &probe{versions: map[string]int{}, stop: func() { cancel(); <-done }}

	go func() {
		defer close(done)
		for ctx.Err() == nil {
			body, err := b.ask(name, "/")
			p.note(body, err)
			time.Sleep(pace)
		}
	}()

	return p
}

func (p *probe) note(body string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.asked++
	if err != nil {
		p.failures = append(p.failures, time.Now().Format("15:04:05.000 ")+err.Error())
		return
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(body, "version="), " ")
	p.versions[version]++
}

// finish ends the probe. Every answer must have been a good one.
func (p *probe) finish(n *tenant) {
	n.t.Helper()
	p.stop()

	n.t.Logf("asked %d times, answered by %v", p.asked, p.versions)
	if len(p.failures) > 0 {
		n.t.Errorf("%d of %d requests failed, such as %s", len(p.failures), p.asked, p.failures[0])
	}
	if p.asked < 10 {
		n.t.Errorf("asked only %d times: this proves nothing", p.asked)
	}
}

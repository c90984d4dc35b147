//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

// seatsOfTenants is how many requests of tenants are served at the moment, as the API's fairness counts them.
var seatsOfTenants = regexp.MustCompile(`apiserver_flowcontrol_current_executing_seats\{[^}]*priority_level="dogker-tenants"\} (\d+)`)

// seats holds many streams and watches open, which must take nothing of what there is for ordinary requests: that is a handful
// for all tenants together.
func (d *console) seats(t *testing.T, platform *console, pod string) {
	const each = 20
	cfg := d.config()
	// WebSockets know no other way to dial.
	address, err := forward(t, d.n.server.within, d.n.server.address)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Host, cfg.Dial = "https://"+address, nil
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	var open sync.WaitGroup
	var begun tee // A character for each that has begun.
	defer open.Wait()
	defer end()

	pods := cfg.Host + "/api/v1/namespaces/" + d.n.name + "/pods"
	for range each {
		for _, path := range []string{"?watch=true", "/" + pod + "/log?follow=true"} {
			open.Go(func() { held(ctx, client, pods+path, &begun) })
		}
		open.Go(func() {
			where, err := url.Parse(pods + "/" + pod + "/exec?stdin=true&stdout=true&command=/app&command=cat")
			if err != nil {
				return
			}
			run, err := remotecommand.NewWebSocketExecutor(cfg, http.MethodGet, where.String())
			if err != nil {
				return
			}
			hear, say := io.Pipe()
			defer hear.Close()
			go fmt.Fprint(say, ".")
			_ = run.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: hear, Stdout: &begun}) // It ends with the context.
		})
	}
	await(t, soon, "all of them are open", func() error { return wantf(len(begun.String()), 3*each, "streams and watches") })

	await(t, soon, "they take no seats", func() error {
		page, code := platform.try("", "get", "--raw", "/metrics")
		got := seatsOfTenants.FindStringSubmatch(page)
		if code != 0 || got == nil {
			return fmt.Errorf("code %d, and %d bytes of metrics without the level of tenants", code, len(page))
		}
		taken, err := strconv.Atoi(got[1])
		if err == nil && taken > 1 {
			err = fmt.Errorf("%d seats are taken", taken)
		}

		return err
	})
	began := time.Now()
	if err := d.says("", 0, pod, "get", "pods"); err != nil {
		t.Error(err)
	}
	t.Logf("beside %d streams and watches, get pods took %v", 3*each, time.Since(began).Round(time.Millisecond))
}

// held asks for something that does not end, and writes down that it has begun.
func held(ctx context.Context, client *http.Client, url string, begun io.Writer) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	resp, err := client.Do(r)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		fmt.Fprint(begun, ".")
	}
	_, _ = io.Copy(io.Discard, resp.Body) // It ends with the context.
}

// audited wants the audit log to say who has opened what, and nothing of what went through it.
func (d *console) audited(t *testing.T, who, pod string, contents ...string) {
	raw, err := os.ReadFile(filepath.Join(d.n.server.dataDir, "audit", "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	log := string(raw)
	for _, sub := range []string{"exec", "attach", "log", "portforward"} {
		found := false
		for line := range strings.Lines(log) {
			found = found || strings.Contains(line, `"username":"`+who+`"`) &&
				strings.Contains(line, `"name":"`+pod+`"`) && strings.Contains(line, `"subresource":"`+sub+`"`)
		}
		if !found {
			t.Errorf("the audit log does not say that %s has opened %s of pod %s", who, sub, pod)
		}
	}
	for _, content := range contents {
		if strings.Contains(log, content) {
			t.Errorf("the audit log holds what went through a stream: %q", content)
		}
	}
}

//go:build e2e

package e2e

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestEngineOutage freezes the engine, and then kills it. Dogker must say that it knows nothing, must come back by
// itself, and must have written nothing.
func TestEngineOutage(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{})
	n := c.namespace(t, "outage")
	for _, name := range []string{"a", "b", "c"} {
		n.run(app(name, "v1", replicas(2)))
	}
	n.settled("c")
	node := c.lab.Nodes[0]

	start := time.Now()
	if err := node.Pause(); err != nil {
		t.Fatal(err)
	}
	n.condition(atLast, "a", conditions.Ready, metav1.ConditionUnknown, v1alpha1.ReasonEngineUnavailable)
	if err := node.Resume(); err != nil {
		t.Fatal(err)
	}
	// The engine fails tasks that it could not hear of, and starts others after their restart delay.
	await(t, atLast, "ready again after the engine went on", func() error { return n.allReady("a", "b", "c") })
	if got := n.meter.since(start); len(got) > 0 {
		t.Errorf("writes because the engine was frozen: got %q, want none", got)
	}

	start = time.Now()
	if err := node.Kill(); err != nil {
		t.Fatal(err)
	}
	n.condition(soon, "a", conditions.Ready, metav1.ConditionUnknown, v1alpha1.ReasonEngineUnavailable)
	n.edit("b", replicas(3)) // The API goes on serving, and remembers.
	if err := node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, atLast, "ready again after the engine was started", func() error { return n.allReady("a", "b", "c") })
	want := "POST /services/" + n.service("b").ID + "/update OK"
	if got := n.meter.since(start); len(got) != 1 || got[0] != want {
		t.Errorf("writes because the engine was killed: got %q, want only %q", got, want)
	}
}

func (n *tenant) allReady(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, n.isReady(name))
	}

	return errors.Join(errs...)
}

// TestServerWithoutASwarm starts the server where there is nothing to govern, in all ways there are. The API serves, the
// object says what is missing, and `dogker doctor` says what to do.
func TestServerWithoutASwarm(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lab    lab.Options
		engine func(*lab.Lab) string
		reason string
		doctor string
	}{
		"NoEngine": {
			lab:    lab.Options{NoSwarm: true},
			engine: func(*lab.Lab) string { return "unix:///nonexistent/docker.sock" },
			reason: v1alpha1.ReasonEngineUnavailable,
			doctor: "/nonexistent/docker.sock",
		},
		"NoSwarm": {
			lab:    lab.Options{NoSwarm: true},
			engine: func(l *lab.Lab) string { return l.Nodes[0].Host },
			reason: v1alpha1.ReasonSwarmInactive,
			doctor: "swarm init",
		},
		"Worker": {
			lab:    lab.Options{Nodes: 2, Managers: 1},
			engine: func(l *lab.Lab) string { return l.Nodes[1].Host },
			reason: v1alpha1.ReasonNotManager,
			doctor: "manager",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := prepareCell(t, test.lab)
			c.server.engine = test.engine(c.lab)
			if err := c.start(t.Context()); err != nil {
				t.Fatal(err)
			}

			n := c.namespace(t, "blind")
			n.create(app("web", "v1"))
			tc := n.condition(soon, "web", conditions.Ready, metav1.ConditionUnknown, test.reason)
			t.Logf("Ready: %s", conditions.Get(tc, conditions.Ready).Message)
			n.kubectl("get", "tc", "web")

			// It says that something is wrong by its exit code, and what by its words.
			out, err := n.dogker("doctor")
			if err == nil {
				t.Error("dogker doctor finds nothing wrong")
			}
			wantHolds(t, "dogker doctor", out, test.doctor)
			t.Logf("dogker doctor:\n%s", out)

			// What never reached Swarm needs no Swarm to be deleted.
			if err := c.server.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSwarmAppears starts the server before its engine is in a swarm.
func TestSwarmAppears(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{NoSwarm: true})
	n := c.namespace(t, "early")
	n.create(app("web", "v1"))
	n.condition(soon, "web", conditions.Ready, metav1.ConditionUnknown, v1alpha1.ReasonSwarmInactive)

	address := c.lab.Nodes[0].Address
	if _, err := c.docker().SwarmInit(t.Context(), swarm.InitRequest{ListenAddr: address, AdvertiseAddr: address}); err != nil {
		t.Fatal(err)
	}
	n.ready("web")
}

// TestInitSwarm lets the server make the swarm, and again, which must change nothing.
func TestInitSwarm(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{NoSwarm: true}, "--init-swarm")
	n := c.namespace(t, "initial")
	n.run(app("web", "v1"))
	was := n.settled("web")
	n.restart(false)
	n.ready("web")
	if err := n.unmoved(was); err != nil {
		t.Error(err)
	}
	if out, err := n.dogker("doctor"); err != nil {
		t.Errorf("dogker doctor on a sound swarm: %v\n%s", err, out)
	}
}

// TestSecondServerOnSameDirectory is refused, and says who is there.
func TestSecondServerOnSameDirectory(t *testing.T) {
	t.Parallel()
	c := sharedCell(t)

	out, err := c.command(binary, "server", "--data-dir", c.server.dataDir, "--listen", "127.0.0.1:0")
	if err == nil {
		t.Fatalf("a second server runs on the same directory:\n%s", out)
	}
	wantHolds(t, "the second server", err.Error(), c.server.dataDir)
}

// TestContentsStaySecret looks for a secret's text in everything that is written down or shown.
func TestContentsStaySecret(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	const text = "swordfish-7c1e"
	n.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys"}, StringData: map[string]string{"token": text}})
	n.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "conf"}, Data: map[string]string{"color": "c"}})
	n.run(app("web", "v1", refers))
	n.edit("web", env("OTHER", text+"-plain"))
	n.ready("web")

	log, err := os.ReadFile(n.server.logFile())
	if err != nil {
		t.Fatal(err)
	}
	for what, shown := range map[string]string{
		"the server's log": string(log),
		"describe":         n.kubectl("describe", "tc,rev"),
		"the events":       strings.Join(n.events("web"), "\n"),
	} {
		secret := strings.ReplaceAll(shown, text+"-plain", "") // That one stands in the spec, for all to see.
		if strings.Contains(secret, text) {
			t.Errorf("%s holds the secret", what)
		}
	}
}

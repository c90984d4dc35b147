package pki

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const container = "0d41d38f2a1fa08accd758b088e9cdf9b50ed6d7e764a56f21f024d8023d6507"

func authority(t *testing.T) *Authority {
	t.Helper()

	a, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	// As every server and every start of one reads it.
	if a, err = ParseAuthority(a.Data()); err != nil {
		t.Fatal(err)
	}

	return a
}

func identity(a *Authority) *Identity {
	i := NewIdentity()
	i.Use(a)

	return i
}

func node(t *testing.T, a *Authority, id, container string) *Node {
	t.Helper()

	n, err := NewNode(a.Bundle(), id, container)
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// serve is an agent that only lets itself be enrolled. It returns its address.
func serve(t *testing.T, n *Node, about string) string {
	t.Helper()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc(agent.PathAbout, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(agent.About{Node: about, Expires: n.Expires()})
	})
	mux.HandleFunc(agent.PathRequest, func(w http.ResponseWriter, _ *http.Request) {
		r, err := n.Request()
		if err != nil {
			t.Error(err)
		}
		_ = json.NewEncoder(w).Encode(r)
	})
	mux.HandleFunc(agent.PathCertificate, func(w http.ResponseWriter, r *http.Request) {
		var c Certificate
		err := json.NewDecoder(r.Body).Decode(&c)
		if err == nil {
			err = n.Accept(c)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	s := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	config := n.ServerConfig()
	// Everybody in this test comes from the loopback address, where an agent asks nobody but servers to show who they are.
	config.GetConfigForClient = nil
	go func() { _ = s.Serve(tls.NewListener(l, config)) }()
	t.Cleanup(func() { _ = s.Close() })

	return l.Addr().String()
}

func TestConnectEnrolsOnceAndRenews(t *testing.T) {
	a := authority(t)
	i, n := identity(a), node(t, a, "node1", container)
	var passed atomic.Int64
	i.now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
	n.now = i.now
	at := Candidate{Node: "node1", Address: serve(t, n, "node1"), Container: container}

	c, about, err := i.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if left := time.Until(about.Expires); left < certificateLife-time.Minute || left > certificateLife {
		t.Errorf("certified for %v, want %v", left, certificateLife)
	}

	// Another server finds it enrolled, and needs to be told nothing by Swarm.
	other, _, err := identity(a).Connect(t.Context(), Candidate{Node: "node1", Address: at.Address})
	if err != nil {
		t.Fatalf("another server: %v", err)
	}
	other.Close()

	passed.Store(int64(certificateLife / 2))
	c, renewed, err := i.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !renewed.Expires.After(about.Expires) {
		t.Errorf("half a day later it expires at %v, want later than %v", renewed.Expires, about.Expires)
	}

	// The servers were away for two days.
	passed.Store(int64(5 * certificateLife / 2))
	c, again, err := i.Connect(t.Context(), at)
	if err != nil {
		t.Fatalf("after two days: %v", err)
	}
	defer c.Close()
	if !again.Expires.After(i.now()) {
		t.Errorf("after two days it expires at %v, want a new day from %v on", again.Expires, i.now())
	}
}

func TestConnectRefuses(t *testing.T) {
	ours, theirs := authority(t), authority(t)

	cases := map[string]struct {
		reason string
		// agent is who answers where Swarm says that the agent of node1 is.
		agent func(t *testing.T) *Node
		text  string
		class error
	}{
		"Stranger": {
			reason: "The bootstrap key is on every node: who has it from there does not know the container of another node.",
			agent:  func(t *testing.T) *Node { return node(t, ours, "node1", strings.Repeat("0", 64)) },
			text:   "not the container that Swarm runs", class: swarmobj.ErrRefused,
		},
		"AnotherNode": {
			reason: "Two nodes that have one address are not one node.",
			agent:  func(t *testing.T) *Node { return node(t, ours, "node2", container) },
			text:   `of node "node2"`, class: swarmobj.ErrRefused,
		},
		"EnrolledAsAnotherNode": {
			reason: "Who has become node2 honestly is not node1.",
			agent: func(t *testing.T) *Node {
				n := node(t, ours, "node2", container)
				enrolled(t, identity(ours), n, "node2")

				return n
			},
			text: "node1.node.agent.dogker.internal", class: swarmobj.ErrUnavailable,
		},
		"AnotherSwarm": {
			reason: "An agent of another swarm knows other servers.",
			agent:  func(t *testing.T) *Node { return node(t, theirs, "node1", container) },
			text:   "certificate signed by unknown authority", class: swarmobj.ErrUnavailable,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			at := Candidate{Node: "node1", Address: serve(t, tc.agent(t), "node1"), Container: container}

			_, _, err := identity(ours).Connect(t.Context(), at)
			if err == nil || !strings.Contains(err.Error(), tc.text) || !errors.Is(err, tc.class) {
				t.Errorf("got %v, want %q of class %v: %s", err, tc.text, tc.class, tc.reason)
			}
		})
	}
}

// enrolled makes an agent one of a node without a connection.
func enrolled(t *testing.T, i *Identity, n *Node, id string) {
	t.Helper()

	r, err := n.Request()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := i.answer(id, r, func(Request, any) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Accept(Certificate{encodeCert(cert)}); err != nil {
		t.Fatal(err)
	}
}

// TestContainerHasOneKey: who learns the ID of a container that has been enrolled learns too late.
func TestContainerHasOneKey(t *testing.T) {
	a := authority(t)
	i := identity(a)
	at := Candidate{Node: "node1", Container: container}
	at.Address = serve(t, node(t, a, "node1", container), "node1")
	if err := i.Enrol(t.Context(), at); err != nil {
		t.Fatal(err)
	}

	at.Address = serve(t, node(t, a, "node1", container), "node1")
	if err := i.Enrol(t.Context(), at); err == nil || !strings.Contains(err.Error(), "for another key before") {
		t.Errorf("second key of one container: got %v, want a refusal", err)
	}

	// A task that replaces it has another container.
	at.Container = strings.Repeat("a", 64)
	at.Address = serve(t, node(t, a, "node1", at.Container), "node1")
	if err := i.Enrol(t.Context(), at); err != nil {
		t.Errorf("next container: %v", err)
	}
}

// TestOnlyServersAreLetIn tries every certificate that there is but a server's.
func TestOnlyServersAreLetIn(t *testing.T) {
	a := authority(t)
	n := node(t, a, "node1", container)
	address := serve(t, n, "node1")
	other := node(t, a, "node2", container)
	enrolled(t, identity(a), other, "node2")

	for name, cert := range map[string]*tls.Certificate{"Nobody": nil, "Bootstrap": &n.bootstrap, "AnotherAgent": other.own} {
		t.Run(name, func(t *testing.T) {
			config := identity(a).config(bootstrapName)
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if cert == nil {
					return &tls.Certificate{}, nil
				}
				return cert, nil
			}
			c := agent.NewClient(address, func() *tls.Config { return config })
			defer c.Close()
			if about, err := c.About(t.Context()); err == nil {
				t.Errorf("got %+v, want no answer", about)
			}
		})
	}
}

func TestIdentityBeforeTheAuthority(t *testing.T) {
	i := NewIdentity()
	a := authority(t)
	address := serve(t, node(t, a, "node1", container), "node1")

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, _, err := i.Connect(ctx, Candidate{Node: "node1", Address: address, Container: container}); err == nil {
		t.Error("connected to an agent without knowing an authority")
	}
	if _, known := i.Bundle(); known || i.Known() {
		t.Error("there is a bundle without an authority")
	}
	if !i.Use(a) || i.Use(a) {
		t.Error("an authority is news once")
	}
}

func TestParseAuthorityRefuses(t *testing.T) {
	other := authority(t)

	for name, change := range map[string]func(map[string][]byte){
		"Nothing":        func(d map[string][]byte) { clear(d) },
		"AnotherKey":     func(d map[string][]byte) { d[keyAuthorityKey] = other.data[keyAuthorityKey] },
		"NoBootstrapKey": func(d map[string][]byte) { delete(d, keyBootstrapKey) },
		"AnotherName":    func(d map[string][]byte) { d[keyAuthorityKey] = d[keyAuthority] },
	} {
		t.Run(name, func(t *testing.T) {
			data := authority(t).Data()
			change(data)
			if _, err := ParseAuthority(data); err == nil {
				t.Error("it was read, want an error")
			} else if strings.Contains(err.Error(), "PRIVATE") {
				t.Errorf("the error quotes a key: %v", err)
			}
		})
	}
}

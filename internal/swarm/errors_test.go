package swarm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// answer makes the client fail as it does when the engine answers with the status and the message.
func answer(t *testing.T, status int, message string) error {
	t.Helper()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message":%q}`, message)
	}))
	defer server.Close()

	c, err := client.NewClientWithOpts(client.WithHost(strings.Replace(server.URL, "http", "tcp", 1)), client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}

	_, err = c.ServiceCreate(t.Context(), swarm.ServiceSpec{}, swarm.ServiceCreateOptions{})

	return err
}

// engineTexts are what engines say, word for word, as read from engine 20.10.24. The live tests provoke them again.
var engineTexts = map[string]struct {
	reason  string
	status  int
	message string
	class   error // Of a read as of a write, unless read is set.
	read    error
	hides   string // What of the text must not be passed on.
	says    string // What must be.
}{
	"StaleVersion": {
		reason: "Swarm answers an old version with 500, which must not be taken for an accident of the engine.",
		status: 500, message: "rpc error: code = Unknown desc = update out of sequence",
		class: swarmobj.ErrStale,
	},
	"NameTaken": {
		reason: "A create is idempotent by its name.",
		status: 409, message: "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service acme_web already exists",
		class: swarmobj.ErrExists,
	},
	"NetworkNameTaken": {
		reason: "Networks have a text of their own.",
		status: 409, message: "network with name acme_default already exists",
		class: swarmobj.ErrExists,
	},
	"PortTaken": {
		reason: "The text names the service of another tenant.",
		status: 400, message: "rpc error: code = InvalidArgument desc = port '80' is already in use by service 'rival_web' (s04tei892qla5kdhuwn1c9ybb) as an ingress port",
		class: swarmobj.ErrPortInUse, hides: "rival",
	},
	"NetworkUsedByService": {
		reason: "In use is a reason to wait, not to give up.",
		status: 400, message: "rpc error: code = FailedPrecondition desc = network tiih2m08lbzxj4d87wkd6flp0 is in use by service ada2i507fzt4hgv6wlll2znxx",
		class: swarmobj.ErrInUse, hides: "ada2i507fzt4hgv6wlll2znxx",
	},
	"SecretUsed": {
		reason: "The text names the service.",
		status: 400, message: "rpc error: code = InvalidArgument desc = secret 's1' is in use by the following service: us",
		class: swarmobj.ErrInUse,
	},
	"ModeChange": {
		reason: "A change that Swarm cannot make is for the caller to avoid; asking again changes nothing.",
		status: 501, message: "rpc error: code = Unimplemented desc = service mode change is not allowed",
		class: swarmobj.ErrRefused, says: "service mode change is not allowed", hides: "rpc error",
	},
	"DNSRRWithIngress": {
		reason: "People see the engine's words without their wrapping.",
		status: 400, message: "rpc error: code = InvalidArgument desc = EndpointSpec: port published with ingress mode can't be used with dnsrr mode",
		class: swarmobj.ErrRefused, says: "the engine refuses it: EndpointSpec: port published", hides: "rpc error",
	},
	"SpecTooLarge": {
		reason: "The store refuses it for good, although the status says otherwise.",
		status: 500, message: "rpc error: code = Unknown desc = raft: raft message is too large and can't be sent",
		class: swarmobj.ErrRefused,
	},
	"NetworkOfSpecGone": {
		reason: "A reference to a network that is gone is a 500; it means that the cache is behind.",
		status: 500, message: "network acme_default not found",
		class: swarmobj.ErrNotFound,
	},
	"SecretOfSpecGone": {
		reason: "A reference to a secret that is gone is a 400.",
		status: 400, message: "rpc error: code = InvalidArgument desc = secret not found: x",
		class: swarmobj.ErrNotFound,
	},
	"ServiceGone": {
		reason: "The object itself is gone.",
		status: 404, message: "service nosvc not found",
		class: swarmobj.ErrNotFound,
	},
	"SomebodyElsesDoor": {
		reason: "A proxy that knows no engine answers 404 to everything. Nothing may be deleted on that ground.",
		status: 404, message: "page not found",
		class: swarmobj.ErrUnavailable,
	},
	"Worker": {
		reason: "A worker cannot be asked about the swarm.",
		status: 503, message: "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
		class: swarmobj.ErrNotManager,
	},
	"NoSwarm": {
		reason: "An engine outside of any swarm says almost the same as a worker.",
		status: 503, message: `This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.`,
		class: swarmobj.ErrInactive,
	},
	"NetworkOnWorker": {
		reason: "Networks have a text of their own for workers,",
		status: 403, message: "Cannot create a multi-host network from a worker node. Please create the network from a manager node.",
		class: swarmobj.ErrNotManager,
	},
	"NetworkWithoutSwarm": {
		reason: "and for engines outside of any swarm.",
		status: 403, message: "cannot create a swarm scoped network when swarm is not active",
		class: swarmobj.ErrInactive,
	},
	"NoLeader": {
		reason: "The engine has not even tried.",
		status: 500, message: "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.",
		class: swarmobj.ErrNoLeader,
	},
	"LeadershipLost": {
		reason: "The next leader may carry the write out all the same.",
		status: 500, message: "rpc error: code = Unknown desc = node lost leader status",
		class: swarmobj.ErrUnknownOutcome, read: swarmobj.ErrUnavailable,
	},
	"GaveUpWaiting": {
		reason: "The engine waits 20 seconds for its leader and then does not know either.",
		status: 500, message: "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
		class: swarmobj.ErrUnknownOutcome, read: swarmobj.ErrUnavailable,
	},
	"AnythingElse": {
		reason: "An error of the engine that nobody has seen yet says neither yes nor no.",
		status: 500, message: "something new",
		class: swarmobj.ErrUnknownOutcome, says: "something new",
	},
}

func TestTranslateEngineTexts(t *testing.T) {
	for name, tc := range engineTexts {
		t.Run(name, func(t *testing.T) {
			err := answer(t, tc.status, tc.message)

			got := translateWrite(err, true)
			if !errors.Is(got, tc.class) {
				t.Errorf("%s\nwrite: got %v, want class %v", tc.reason, got, tc.class)
			}
			if tc.hides != "" && strings.Contains(got.Error(), tc.hides) {
				t.Errorf("%s\nwrite: %q shows %q", tc.reason, got, tc.hides)
			}
			if !strings.Contains(got.Error(), tc.says) {
				t.Errorf("%s\nwrite: %q does not say %q", tc.reason, got, tc.says)
			}

			want := tc.class
			if tc.read != nil {
				want = tc.read
			}
			if got := translateRead(err); !errors.Is(got, want) && want != swarmobj.ErrUnknownOutcome {
				t.Errorf("%s\nread: got %v, want class %v", tc.reason, got, want)
			}
		})
	}
}

func TestTranslateNoAnswer(t *testing.T) {
	refused, err := client.NewClientWithOpts(client.WithHost("unix:///nowhere/docker.sock"), client.WithVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	_, refusal := refused.ServiceList(t.Context(), swarm.ServiceListOptions{})

	cases := map[string]struct {
		reason string
		err    error
		sent   bool
		write  error
	}{
		"ConnectionRefused": {
			reason: "What was never sent has not happened.",
			err:    refusal, sent: false, write: swarmobj.ErrUnavailable,
		},
		"ConnectionLostAfterwards": {
			reason: "The engine may have got the request before the connection broke.",
			err:    io.ErrUnexpectedEOF, sent: true, write: swarmobj.ErrUnknownOutcome,
		},
		"DeadlinePassed": {
			reason: "A client that gives up does not make the engine give up.",
			err:    fmt.Errorf("post: %w", context.DeadlineExceeded), sent: true, write: swarmobj.ErrUnknownOutcome,
		},
		"CallerWentAway": {
			reason: "Shutting down in the middle of a write leaves it open as well.",
			err:    context.Canceled, sent: true, write: swarmobj.ErrUnknownOutcome,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := translateWrite(tc.err, tc.sent); !errors.Is(got, tc.write) {
				t.Errorf("%s\nwrite: got %v, want class %v", tc.reason, got, tc.write)
			}
			if got := translateRead(tc.err); !errors.Is(got, swarmobj.ErrUnavailable) {
				t.Errorf("%s\nread: got %v, want class %v", tc.reason, got, swarmobj.ErrUnavailable)
			}
		})
	}
}

func TestTracedKnowsWhetherARequestLeft(t *testing.T) {
	cases := map[string]struct {
		reason string
		host   func(t *testing.T) string
		want   bool
	}{
		"NobodyListens": {
			reason: "Without a connection no request has left.",
			host:   func(*testing.T) string { return "unix:///nowhere/docker.sock" },
			want:   false,
		},
		"ConnectionBreaks": {
			reason: "A request that got a connection may have arrived.",
			host: func(t *testing.T) string {
				server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					panic(http.ErrAbortHandler)
				}))
				t.Cleanup(server.Close)

				return strings.Replace(server.URL, "http", "tcp", 1)
			},
			want: true,
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := client.NewClientWithOpts(client.WithHost(tc.host(t)), client.WithVersion("1.41"))
			if err != nil {
				t.Fatal(err)
			}

			ctx, sent := traced(t.Context())
			err = c.ServiceRemove(ctx, "some")
			if got := sent(err); got != tc.want {
				t.Errorf("%s\nsent: got %v, want %v, for error %v", tc.reason, got, tc.want, err)
			}
		})
	}
}

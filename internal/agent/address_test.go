package agent

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
)

// networks are what an engine shows, one after the other; the last one stays.
type networks []map[string]network.EndpointResource

func (n *networks) NetworkInspect(context.Context, string, network.InspectOptions) (network.Inspect, error) {
	now := (*n)[0]
	if len(*n) > 1 {
		*n = (*n)[1:]
	}
	if now == nil {
		return network.Inspect{}, errors.New("the engine is gone")
	}

	return network.Inspect{Containers: now}, nil
}

// TestDialContainer: who has the address of a container by the time that it is connected to is not taken for it.
func TestDialContainer(t *testing.T) {
	type shown = map[string]network.EndpointResource
	mine := network.EndpointResource{EndpointID: "e1", IPv4Address: "127.0.0.1/16"}

	for name, tc := range map[string]struct {
		reason string
		shown  networks
		fails  string
	}{
		"Stays":     {"It is the one that was asked for.", networks{shown{"c": mine}}, ""},
		"HandedOn":  {"The container ends, and its address is another tenant's.", networks{shown{"c": mine}, shown{"d": mine}}, "it has ended"},
		"Moved":     {"It has another address now, and the one that was dialled is somebody's.", networks{shown{"c": mine}, shown{"c": {EndpointID: "e1", IPv4Address: "127.0.0.2/16"}}}, "another address"},
		"ThereBack": {"It has the same address again, and had it not in between.", networks{shown{"c": mine}, shown{"c": {EndpointID: "e2", IPv4Address: "127.0.0.1/16"}}}, "another address"},
		"NoAnswer":  {"Who cannot be sure does not connect.", networks{shown{"c": mine}, nil}, "the engine is gone"},
		"NotThere":  {"There is nobody to connect to.", networks{shown{}}, "it has ended"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()

			conn, err := DialContainer(t.Context(), &tc.shown, "c", uint16(l.Addr().(*net.TCPAddr).Port))
			if tc.fails == "" {
				if err != nil {
					t.Fatalf("got %v. %s", err, tc.reason)
				}
				_ = conn.Close()
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.fails) {
				t.Fatalf("got %v, want an error with %q. %s", err, tc.fails, tc.reason)
			}
			if name == "NotThere" {
				return
			}
			there, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer there.Close()
			_ = there.SetReadDeadline(time.Now().Add(10 * time.Second))
			var late net.Error
			if n, err := there.Read(make([]byte, 1)); n != 0 || errors.As(err, &late) && late.Timeout() {
				t.Errorf("the other container got %d bytes and %v, want the end at once", n, err)
			}
		})
	}
	closed := networks{{"c": mine}}
	if _, err := DialContainer(t.Context(), &closed, "c", 1); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("a port that nobody listens on: got %v, want ErrNoAnswer", err)
	}
}

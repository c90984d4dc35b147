package swarm

import (
	"fmt"
	"net/http"
	"time"

	"github.com/docker/docker/client"
)

// NewFromEnv returns a client for the engine that DOCKER_HOST, DOCKER_CERT_PATH and DOCKER_TLS_VERIFY name, or for the
// machine's own. It asks the engine nothing: it fails only when the environment itself makes no sense, such as
// certificates that are not there. The API version is agreed with the engine on the first call.
func NewFromEnv() (*client.Client, error) {
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation(), keepConnections)
	if err != nil {
		return nil, fmt.Errorf("read DOCKER_HOST and its companions: %w", err)
	}

	return c, nil
}

// keepConnections keeps as many connections open as calls are made at once. Docker's client keeps two, and so would
// connect, over TLS perhaps, for most writes of a busy moment.
func keepConnections(c *client.Client) error {
	const others = 8 // Lists, reads and the two event streams.

	if t, ok := c.HTTPClient().Transport.(*http.Transport); ok {
		t.MaxIdleConns = writesInFlight + others
		t.MaxIdleConnsPerHost = writesInFlight + others
		t.IdleConnTimeout = time.Minute
	}

	return nil
}

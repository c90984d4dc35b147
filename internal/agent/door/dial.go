package door

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/dogker/dogker/internal/agent"
)

// dialPatience bounds how long a port may take to answer.
const dialPatience = 5 * time.Second

// dial connects to a TCP port of a container, and passes bytes on in both directions until both are done.
func (d *Door) dial(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("container")
	port, err := strconv.ParseUint(r.PathValue("port"), 10, 16)

	switch {
	case !fullID.MatchString(id):
		d.refuse(w, r, http.StatusForbidden, fmt.Errorf("container %s must be a whole ID", printable(id)))
		return
	case err != nil || port == 0:
		d.refuse(w, r, http.StatusForbidden, fmt.Errorf("port %s must be a number from 1 to 65535", printable(r.PathValue("port"))))
		return
	case !strings.EqualFold(r.Header.Get("Upgrade"), agent.UpgradeDial):
		d.refuse(w, r, http.StatusForbidden, fmt.Errorf("it must be upgraded to %s", agent.UpgradeDial))
		return
	}
	if code, err := d.admit(r.Context(), id); err != nil {
		d.refuse(w, r, code, err)
		return
	}
	if !d.streams.enter() {
		d.refuse(w, r, http.StatusTooManyRequests, d.streams.full())
		return
	}
	defer d.streams.leave()

	conn, code, err := d.connect(r.Context(), id, uint16(port))
	if err != nil {
		d.refuse(w, r, code, err)
		return
	}
	defer conn.Close()

	d.join(w, r, conn)
}

func (d *Door) connect(ctx context.Context, id string, port uint16) (*net.TCPConn, int, error) {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()

	conn, err := agent.DialContainer(ctx, d.o.Engine, id, port)
	if err != nil {
		return nil, http.StatusConflict, fmt.Errorf("port %d of the container: %w", port, err)
	}

	return conn, 0, nil
}

// join upgrades the request and copies until both ends are done. An end that is done writing is told to the other, which may
// go on.
func (d *Door) join(w http.ResponseWriter, r *http.Request, there *net.TCPConn) {
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		d.refuse(w, r, http.StatusInternalServerError, fmt.Errorf("upgrade connection: %w", err))
		return
	}
	defer here.Close()

	if _, err := fmt.Fprintf(here, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", agent.UpgradeDial); err != nil {
		return
	}

	done := make(chan error, 2)
	go func() { done <- pass(there, buffered, there.CloseWrite) }()
	go func() { done <- pass(here, there, closeWriteOf(here)) }()

	// The first that fails ends both; one that has only ended leaves the other alone.
	if err := <-done; err == nil {
		<-done
	}
}

func pass(to io.Writer, from io.Reader, end func() error) error {
	if _, err := io.Copy(to, from); err != nil {
		return err
	}

	return end()
}

func closeWriteOf(c net.Conn) func() error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite
	}

	return c.Close
}

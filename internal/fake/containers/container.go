package containers

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/pkg/stdcopy"

	"github.com/dogker/dogker/internal/fleet"
)

// stampLayout is how engines write times before lines.
const stampLayout = "2006-01-02T15:04:05.000000000Z07:00"

// longest is the most that engines keep of a line in one piece.
const longest = 16 << 10

// piece is a line that a container has written, or a part of a long one.
type piece struct {
	at     time.Time
	stream stdcopy.StdType
	text   string
}

// Container is one that runs until it is ended.
type Container struct {
	mu     sync.Mutex
	pieces []piece
	ports  map[uint16]func(net.Conn)
	wrote  chan struct{}
	ended  chan struct{}
	once   sync.Once
}

// Print writes to standard output, line by line.
func (c *Container) Print(text string) { c.PrintAt(time.Now(), stdcopy.Stdout, text) }

// PrintAt writes to a stream at a time.
func (c *Container) PrintAt(at time.Time, stream stdcopy.StdType, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	for line := range strings.Lines(text) {
		for len(line) > 0 {
			n := min(len(line), longest)
			c.pieces = append(c.pieces, piece{at: at, stream: stream, text: line[:n]})
			line = line[n:]
		}
	}
	close(c.wrote)
	c.wrote = make(chan struct{})
}

// Listen has connections to a port served.
func (c *Container) Listen(port uint16, serve func(net.Conn)) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.ports[port] = serve
}

func (c *Container) port(port uint16) func(net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.ports[port]
}

// End ends the container.
func (c *Container) End() { c.once.Do(func() { close(c.ended) }) }

// from are the pieces from an index on, and what is closed when there are more.
func (c *Container) from(i int) ([]piece, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.pieces[i:len(c.pieces):len(c.pieces)], c.wrote
}

// each gives pieces from an index on as they are written, until the container ends, the context does, or give is false.
func (c *Container) each(ctx context.Context, i int, follow bool, give func(piece) bool) {
	for {
		pieces, more := c.from(i)
		for _, p := range pieces {
			if !give(p) {
				return
			}
		}
		i += len(pieces)
		if !follow {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		case <-c.ended:
			if left, _ := c.from(i); len(left) == 0 {
				return
			}
		}
	}
}

// logs is the log as the engine sends it: a frame for each piece.
func (c *Container) logs(ctx context.Context, o fleet.LogOptions) io.ReadCloser {
	r, w := io.Pipe()
	stop := context.AfterFunc(ctx, func() { w.CloseWithError(context.Cause(ctx)) })

	go func() {
		defer stop()
		defer w.Close()

		first := 0
		if all, _ := c.from(0); o.Tail >= 0 {
			first = max(0, len(all)-o.Tail)
		}
		c.each(ctx, first, o.Follow, func(p piece) bool {
			if p.at.Before(o.Since) || p.stream == stdcopy.Stdout && !o.Stdout || p.stream == stdcopy.Stderr && !o.Stderr {
				return true
			}
			var frame bytes.Buffer
			if o.Timestamps {
				p.text = p.at.UTC().Format(stampLayout) + " " + p.text
			}
			_, _ = io.WriteString(stdcopy.NewStdWriter(&frame, p.stream), p.text)
			_, err := w.Write(frame.Bytes())

			return err == nil
		})
	}()

	return r
}

// follow writes what the container writes from now on to the streams.
func (c *Container) follow(ctx context.Context, s fleet.Streams) error {
	all, _ := c.from(0)
	c.each(ctx, len(all), true, func(p piece) bool {
		to := s.Out
		if p.stream == stdcopy.Stderr {
			to = s.Err
		}
		if to == nil {
			return true
		}
		_, err := io.WriteString(to, p.text)

		return err == nil
	})

	return context.Cause(ctx)
}

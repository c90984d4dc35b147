package voldata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// mounted is a container that has a volume.
type mounted struct {
	volumes *Volumes
	volume  string
	// name is ours, id the engine's; it is empty when the answer was lost.
	name, id string
}

// close removes the container. When it cannot, Sweep does.
func (c *mounted) close(ctx context.Context) error {
	defer c.volumes.release(c.name)
	ctx, cancel := lasting(ctx)
	defer cancel()

	ref := c.id
	if ref == "" {
		ref = c.name
	}
	err := translate(c.volumes.engine.ContainerRemove(ctx, ref, container.RemoveOptions{Force: true}), "unmount volume %q", c.volume)
	if errors.Is(err, swarmobj.ErrNotFound) {
		return nil
	}

	return err
}

// read opens what is in the volume. Closing the stream closes the container.
func (c *mounted) read(ctx context.Context) (io.ReadCloser, error) {
	flow := newFlow(ctx, c.volumes.o)

	flow.watch()
	body, _, err := c.volumes.engine.CopyFromContainer(flow.ctx, c.id, "/"+content.Root)
	flow.rest()
	if err != nil {
		flow.end()

		return nil, translate(flow.cause(err), "read volume %q", c.volume)
	}

	return &stream{c: c, ctx: ctx, flow: flow, body: body}, nil
}

// stream is what an engine sends.
type stream struct {
	c    *mounted
	ctx  context.Context //nolint:containedctx // It lives as long as the stream.
	flow *flow
	body io.ReadCloser
	once sync.Once
	err  error
}

func (s *stream) Read(p []byte) (int, error) {
	s.flow.watch()
	n, err := s.body.Read(p)
	s.flow.rest()
	if err != nil && err != io.EOF { //nolint:errorlint // Only the plain one is an end.
		err = translate(s.flow.cause(err), "read volume %q", s.c.volume)
	}

	return n, err
}

// Close ends the request first: an engine does not remove a container that it still reads.
func (s *stream) Close() error {
	s.once.Do(func() {
		s.flow.end()
		// What a request that was ended says about that is nothing new.
		_ = s.body.Close()
		s.err = s.c.close(s.ctx)
	})

	return s.err
}

// write gives the engine a tar to unpack, which produce writes. Both end before it returns.
func (c *mounted) write(ctx context.Context, produce func(io.Writer) (content.Summary, error)) (content.Summary, error) {
	flow := newFlow(ctx, c.volumes.o)
	defer flow.end()

	r, w := io.Pipe()
	sent := &sending{r: r, flow: flow}

	type result struct {
		sum content.Summary
		err error
	}
	made := async(func() result {
		sum, err := produce(w)
		// Without an error this is the end of the stream, which only a whole one has.
		_ = w.CloseWithError(err)

		return result{sum, err}
	})

	flow.watch()
	// Directories are directories on both sides, or else something is wrong.
	err := c.volumes.engine.CopyToContainer(flow.ctx, c.id, "/", sent, container.CopyToContainerOptions{})
	flow.rest()
	_ = r.CloseWithError(errEngineEnded)
	got := <-made

	switch {
	// What kept the stream from being made is why the engine has refused what it got of it.
	case got.err != nil && !errors.Is(got.err, errEngineEnded):
		return content.Summary{}, fmt.Errorf("write volume %q: %w", c.volume, got.err)
	case err != nil:
		return content.Summary{}, translate(flow.cause(err), "write volume %q", c.volume)
	case got.err != nil:
		return content.Summary{}, &Error{what: fmt.Sprintf("write volume %q", c.volume), class: swarmobj.ErrRefused, cause: got.err}
	}

	return got.sum, nil
}

// errEngineEnded is what who writes gets when the engine takes nothing more.
var errEngineEnded = errors.New("the engine takes nothing more")

func async[T any](f func() T) <-chan T {
	out := make(chan T, 1)
	go func() { out <- f() }()

	return out
}

// sending is what an engine is sent. While it waits for more, the engine is not to blame.
type sending struct {
	r    *io.PipeReader
	flow *flow
}

func (s *sending) Read(p []byte) (int, error) {
	s.flow.rest()
	defer s.flow.watch()

	return s.r.Read(p)
}

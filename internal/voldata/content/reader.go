package content

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
)

// ErrBroken means that a stream is cut off, or is no tar.
var ErrBroken = errors.New("the stream is cut off or was changed")

// maxPadding is how much may follow the end of a tar: writers fill up their last block.
const maxPadding = 1 << 20

// Reader reads a tar to its real end.
type Reader struct {
	tar *tar.Reader
	in  *edge
}

// NewReader reads a tar from r.
func NewReader(r io.Reader) *Reader {
	in := &edge{r: r}

	return &Reader{tar: tar.NewReader(in), in: in}
}

// Next is the next entry, or io.EOF when all of the tar was read and has its end. Any other error is ErrBroken, or that of
// a context.
func (r *Reader) Next() (*tar.Header, error) {
	h, err := r.tar.Next()
	switch {
	case err == nil:
		return h, nil
	case !errors.Is(err, io.EOF):
		return nil, broken(err)
	case r.in.ended:
		return nil, fmt.Errorf("%w: it has no end", ErrBroken)
	}

	return nil, r.finish()
}

// finish reads what follows the end, because who sends it may still fail.
func (r *Reader) finish() error {
	buf := make([]byte, 4096)

	for n := 0; ; {
		m, err := r.in.Read(buf)
		for _, b := range buf[:m] {
			if b != 0 {
				return fmt.Errorf("%w: something follows its end", ErrBroken)
			}
		}
		switch n += m; {
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return broken(err)
		case n > maxPadding:
			return fmt.Errorf("%w: it does not end", ErrBroken)
		}
	}
}

// Read reads data of the present entry.
func (r *Reader) Read(p []byte) (int, error) {
	n, err := r.tar.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = broken(err)
	}

	return n, err
}

// broken keeps why somebody gave up apart from what a stream is.
func broken(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}

	return fmt.Errorf("%w: %w", ErrBroken, err)
}

// edge notes whether the end of the stream was seen. It never tells it together with data.
type edge struct {
	r     io.Reader
	ended bool
	held  error
}

func (e *edge) Read(p []byte) (int, error) {
	if e.held != nil {
		e.ended = e.ended || errors.Is(e.held, io.EOF)

		return 0, e.held
	}

	n, err := e.r.Read(p)
	if err != nil {
		e.held = err
		if n > 0 {
			return n, nil
		}
		e.ended = errors.Is(err, io.EOF)
	}

	return n, err
}

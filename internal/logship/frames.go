package logship

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/pkg/stdcopy"
)

const (
	// headerLength of a frame of stdcopy: the stream, three bytes of nothing, the length.
	headerLength = 8
	// frameBuffer is small: there is one for every task.
	frameBuffer = 4 << 10
	// stampLength is as long as a time at the beginning of a line may be.
	stampLength = len("2006-01-02T15:04:05.000000000+07:00")
	// farYear is the first in which nanoseconds since 1970 do not fit 63 bits all the year.
	farYear = 2262
)

// errEngine is a log in which the engine says that it cannot go on.
var errEngine = errors.New("read log: the engine cannot read it on")

// frames takes a log with times apart into lines. The engine splits long lines into frames, and puts the time before each part.
type frames struct {
	src     *bufio.Reader
	now     func() time.Time
	partial [streams]partial
}

// partial is a line whose end has not come.
type partial struct {
	open, cut bool
	time      time.Time
	text      []byte
}

func newFrames(src io.Reader, now func() time.Time) *frames {
	return &frames{src: bufio.NewReaderSize(src, frameBuffer), now: now}
}

// next reads a frame, and gives each line that ends in it. It fails with io.EOF where the log ends between two frames.
func (f *frames) next(give func(stream, time.Time, string) error) error {
	var header [headerLength]byte
	if _, err := io.ReadFull(f.src, header[:]); err != nil {
		return err
	}
	left := int(binary.BigEndian.Uint32(header[4:]))
	switch stdcopy.StdType(header[0]) {
	case stdcopy.Stdout:
		return f.read(stdout, left, give)
	case stdcopy.Stderr:
		return f.read(stderr, left, give)
	case stdcopy.Systemerr:
		return errEngine
	default:
		return fmt.Errorf("read log: a frame of stream %d, which does not exist", header[0])
	}
}

// read reads the text of a frame.
func (f *frames) read(s stream, left int, give func(stream, time.Time, string) error) error {
	p := &f.partial[s]
	for begin := true; left > 0; {
		if begin || !p.open {
			n, err := f.stamp(p, left)
			if err != nil {
				return err
			}
			left -= n
			begin = false
		}
		if left == 0 {
			break
		}
		part, err := f.src.Peek(min(left, max(1, f.src.Buffered())))
		if err != nil {
			return unexpected(err)
		}
		text, _, whole := bytes.Cut(part, []byte{'\n'})
		p.add(text)
		n := len(text)
		if whole {
			n++
		}
		if _, err := f.src.Discard(n); err != nil {
			return err
		}
		left -= n
		if whole {
			if err := f.end(s, give); err != nil {
				return err
			}
		}
	}

	return nil
}

// stamp reads the time before a line, or before a further part of it, which counts as long as there is one.
func (f *frames) stamp(p *partial, left int) (int, error) {
	head, err := f.src.Peek(min(stampLength+1, left))
	if err != nil {
		return 0, unexpected(err)
	}
	at, n := time.Time{}, 0
	if i := bytes.IndexByte(head, ' '); i > 0 {
		if t, err := time.Parse(time.RFC3339Nano, string(head[:i])); err == nil && sane(t) {
			at, n = t.UTC(), i+1
		}
	}
	if !p.open {
		if n == 0 {
			at = f.now().UTC()
		}
		*p = partial{open: true, time: at, text: p.text[:0]}
	}
	_, err = f.src.Discard(n)

	return n, err
}

// sane is a time that can be written down, as what stores and cursors keep of it: a node may say that it is any. A cursor with a
// time that cannot be written would keep all others from being written with it.
func sane(t time.Time) bool { return t.Unix() >= 0 && t.UTC().Year() < farYear }

func (p *partial) add(text []byte) {
	room := maxLine - len(p.text)
	if len(text) > room {
		p.cut, text = true, text[:room]
	}
	p.text = append(p.text, text...)
}

// end gives a line that is whole.
func (f *frames) end(s stream, give func(stream, time.Time, string) error) error {
	p := &f.partial[s]
	text, at := lineOf(p.text, p.cut), p.time
	p.open = false
	if cap(p.text) > frameBuffer {
		p.text = nil // Few lines are as long.
	}

	return give(s, at, text)
}

// rest gives lines that nobody will end any more.
func (f *frames) rest(give func(stream, time.Time, string) error) error {
	for s := range streams {
		if f.partial[s].open {
			if err := f.end(s, give); err != nil {
				return err
			}
		}
	}

	return nil
}

// unexpected is the error when a frame ends before its end.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}

	return err
}

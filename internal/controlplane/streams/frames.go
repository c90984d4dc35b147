package streams

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/docker/docker/pkg/stdcopy"
	api "k8s.io/kubernetes/pkg/apis/core"
)

const (
	// headerLength of a frame of stdcopy: the stream, three bytes of nothing, the length.
	headerLength = 8
	// frameBuffer holds a few frames: the engine writes one for each line, or for each 16 KiB of a longer one.
	frameBuffer = 64 << 10
	// stampLength is as long as a time at the beginning of a frame may be, with the space after it.
	stampLength = len("2006-01-02T15:04:05.000000000+07:00 ")
)

// frames takes a log apart as the engine sends it, and gives the text of the streams that are wanted, in the order in which
// it was written. It reads only as it is read, and holds no line in memory, however long that is.
type frames struct {
	src     *bufio.Reader
	wanted  func(stdcopy.StdType) bool
	stamped bool

	stream stdcopy.StdType
	left   int // of the frame
	// open tells for each stream that its last frame was not the end of a line.
	open [stdcopy.Systemerr + 1]bool
}

func newFrames(src io.Reader, streams string, stamped bool) *frames {
	return &frames{src: bufio.NewReaderSize(src, frameBuffer), stamped: stamped, wanted: func(t stdcopy.StdType) bool {
		switch t {
		case stdcopy.Stdout:
			return streams != api.LogStreamStderr
		case stdcopy.Stderr:
			return streams != api.LogStreamStdout
		default:
			return t == stdcopy.Systemerr
		}
	}}
}

// Read fills p with as many frames as are there, and waits only for the first.
func (f *frames) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if f.left == 0 {
			if n > 0 && f.src.Buffered() < headerLength {
				break
			}
			if err := f.next(); err != nil {
				return n, ended(n, err)
			}
			continue
		}
		if n > 0 && f.src.Buffered() == 0 {
			break
		}
		read, err := f.src.Read(p[n:min(len(p), n+f.left)])
		f.left -= read
		n += read
		if read > 0 {
			f.open[f.stream] = p[n-1] != '\n'
		}
		if err != nil {
			return n, ended(n, unexpected(err))
		}
	}

	return n, nil
}

// ended keeps an error for the next read when there is something to give first: the source gives it again.
func ended(n int, err error) error {
	if n > 0 {
		return nil
	}

	return err
}

// next goes to the beginning of the text of the next frame that is wanted.
func (f *frames) next() error {
	for {
		var header [headerLength]byte
		if _, err := io.ReadFull(f.src, header[:]); err != nil {
			return err
		}
		f.stream, f.left = stdcopy.StdType(header[0]), int(binary.BigEndian.Uint32(header[4:]))
		if f.stream > stdcopy.Systemerr {
			return fmt.Errorf("read log: a frame of stream %d, which does not exist", header[0])
		}
		if !f.wanted(f.stream) {
			if _, err := f.src.Discard(f.left); err != nil {
				return unexpected(err)
			}
			f.left = 0
			continue
		}
		if f.stamped && f.open[f.stream] {
			if err := f.skipStamp(); err != nil {
				return err
			}
		}
		if f.left > 0 {
			return nil
		}
	}
}

// skipStamp leaves out a time that would stand in the middle of a line: the engine splits long lines, and puts the time
// before each part.
func (f *frames) skipStamp() error {
	head, err := f.src.Peek(min(stampLength, f.left))
	if err != nil {
		return unexpected(err)
	}
	for i, c := range head {
		if c == ' ' {
			_, err := f.src.Discard(i + 1)
			f.left -= i + 1
			return err
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

package streams

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
)

const (
	// spdyHeader is how long the header of a frame is: what it is, and in the last three bytes its length.
	spdyHeader = 8
	// maxFrame is how long a frame may be, in bytes. Clients write 32 KiB at a time, and frames may have 16 MiB: the library
	// reads each of them into memory, and hundreds of them before anybody wants one.
	maxFrame = 256 << 10
)

var errFrame = errors.New("a frame is longer than 256 KiB")

// framed is an answer whose connection, once it is handed over, carries frames of SPDY that are not too long.
type framed struct{ http.ResponseWriter }

// Unwrap is absent on purpose, as of switched.
var _ http.Hijacker = framed{}

// Hijack implements http.Hijacker.
func (f framed) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(f.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	limited := &frameLimit{Conn: conn, from: buffered.Reader}

	return limited, bufio.NewReadWriter(bufio.NewReader(limited), buffered.Writer), nil
}

// frameLimit reads frames, and fails before one that is too long.
type frameLimit struct {
	net.Conn
	from io.Reader

	header [spdyHeader]byte
	// had is how much of the header has been read, and left how much of the frame has not.
	had  int
	left int
	err  error
}

// Read implements io.Reader.
func (f *frameLimit) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.from.Read(p)
	for read := p[:n]; len(read) > 0; {
		if f.left > 0 {
			skip := min(f.left, len(read))
			f.left -= skip
			read = read[skip:]
			continue
		}
		had := copy(f.header[f.had:], read)
		f.had += had
		read = read[had:]
		if f.had < spdyHeader {
			break
		}
		f.had, f.left = 0, int(binary.BigEndian.Uint32(f.header[4:])&0xff_ff_ff)
		if f.left > maxFrame {
			f.err = errFrame
			_ = f.Close() // The library goes on reading after errors of some kinds.
			return 0, f.err
		}
	}

	return n, err
}

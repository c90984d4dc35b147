package fleet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/docker/docker/pkg/stdcopy"
)

const (
	// frameHeader is the length of the header of a frame: the stream, three bytes of nothing, the length.
	frameHeader = 8
	// maxEngineError is how much is read of what an engine has to say.
	maxEngineError = 4 << 10
)

// separate takes apart what an engine has written into one stream, until that ends. Docker's own function makes room for as
// much as a frame claims to hold, which is up to 4 GiB, and a node may claim anything: here nothing is kept.
func separate(out, errs io.Writer, from io.Reader) error {
	var header [frameHeader]byte
	for {
		if _, err := io.ReadFull(from, header[:]); err != nil {
			return atEnd(err)
		}
		size := int64(binary.BigEndian.Uint32(header[4:]))
		to := out
		switch stdcopy.StdType(header[0]) {
		case stdcopy.Stdin, stdcopy.Stdout:
		case stdcopy.Stderr:
			to = errs
		case stdcopy.Systemerr:
			said, err := io.ReadAll(io.LimitReader(from, min(size, maxEngineError)))
			return errors.Join(fmt.Errorf("the engine says: %s", said), err)
		default:
			return fmt.Errorf("read output: a frame of stream %d, which does not exist", header[0])
		}
		if _, err := io.CopyN(to, from, size); err != nil {
			return atEnd(err)
		}
	}
}

// atEnd is nil for the end of a stream, also within a frame: what ended it is told by who ended it.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}

	return err
}

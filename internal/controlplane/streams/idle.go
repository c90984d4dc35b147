package streams

import (
	"io"
	"time"

	"github.com/dogker/dogker/internal/fleet"
)

// watchdog barks when it has not been told of anything for as long as its patience. Clients ping their connections, so that
// only what goes through a stream tells whether somebody uses it.
type watchdog struct {
	patience time.Duration
	timer    *time.Timer
}

func watch(patience time.Duration, bark func()) *watchdog {
	return &watchdog{patience: patience, timer: time.AfterFunc(patience, bark)}
}

func (d *watchdog) moved() { d.timer.Reset(d.patience) }
func (d *watchdog) stop()  { d.timer.Stop() }

// streams tells of what goes through them. What is nil stays nil.
func (d *watchdog) streams(in io.Reader, out, err io.Writer) fleet.Streams {
	var s fleet.Streams
	if in != nil {
		s.In = watchedReader{in, d}
	}
	if out != nil {
		s.Out = watchedWriter{out, d}
	}
	if err != nil {
		s.Err = watchedWriter{err, d}
	}

	return s
}

type watchedReader struct {
	io.Reader
	dog *watchdog
}

func (r watchedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.dog.moved()
	}

	return n, err
}

type watchedWriter struct {
	io.Writer
	dog *watchdog
}

func (w watchedWriter) Write(p []byte) (int, error) {
	w.dog.moved()

	return w.Writer.Write(p)
}

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Classes of errors. Of others, nothing is known.
var (
	// ErrNotFound: there is no such object, or no such bucket or directory.
	ErrNotFound = errors.New("there is no such thing in the store")
	// ErrExists: an object has that name.
	ErrExists = errors.New("the store has an object of that name")
	// ErrDenied: the store does not let us. Only other credentials or rights help.
	ErrDenied = errors.New("the store denies it")
	// ErrUnavailable: the store cannot be asked now. Asking again later may help.
	ErrUnavailable = errors.New("the store does not answer")
	// ErrFull: there is no room.
	ErrFull = errors.New("the store is full")
	// ErrRefused: the store does not take it, whatever is tried.
	ErrRefused = errors.New("the store refuses it")
)

// Classified tells whether an error has a class already.
func Classified(err error) bool {
	return slices.ContainsFunc([]error{ErrNotFound, ErrExists, ErrDenied, ErrUnavailable, ErrFull, ErrRefused}, func(class error) bool { return errors.Is(err, class) })
}

// Object is one that is there.
type Object struct {
	Name string
	// Size in bytes.
	Size int64
	// Time of the last write, by the clock of the store.
	Time time.Time
}

// Store keeps objects. It is safe for concurrent use. All calls block, and end with their context.
type Store interface {
	// Put keeps all that content yields under a name that must be free, and returns its size. When content fails, nothing is
	// kept, and the error wraps that of content. When it fails otherwise, the object may be there: wholly, or not at all.
	Put(ctx context.Context, name string, content io.Reader) (size int64, err error)
	// Get reads an object. The caller closes it. What it yields may end early only with an error.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// Stat says what is known of an object.
	Stat(ctx context.Context, name string) (Object, error)
	// List names all objects below a folder, which ends with a slash, or all of the store when it is empty. They are sorted
	// by name. It fails when there are more than MaxList.
	List(ctx context.Context, folder string) ([]Object, error)
	// Delete removes an object. It is no error when it is not there.
	Delete(ctx context.Context, name string) error
	// Sweep removes what is left of uploads that were interrupted. Those that were begun before are taken for such, or, where
	// the store knows that, those that nothing was written of since. It returns how many there were.
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// MaxList is how many objects a folder may have to be listed.
const MaxList = 100_000

const (
	maxName = 512
	maxPart = 128
)

// CheckName refuses names that a store does not take: parts of a-z, 0-9, - _ and . that begin with a letter or digit, with
// slashes between. Everything else means something to some file system or server.
func CheckName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("name of object: %.40q… has %d bytes, and may have %d: %w", name, len(name), maxName, ErrRefused)
	}
	for part := range strings.SplitSeq(name, "/") {
		if !plain(part) {
			return fmt.Errorf("name of object: %q must be parts of 1 to %d of a-z, 0-9, -, _ and ., each beginning with a letter or digit, with slashes between: %w",
				name, maxPart, ErrRefused)
		}
	}

	return nil
}

// CheckFolder refuses what CheckName would, but for the slash at the end.
func CheckFolder(folder string) error {
	if folder == "" {
		return nil
	}
	name, is := strings.CutSuffix(folder, "/")
	if !is {
		return fmt.Errorf("%q must end with a slash: %w", folder, ErrRefused)
	}

	return CheckName(name)
}

func plain(part string) bool {
	for i := range len(part) {
		c := part[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case i > 0 && (c == '-' || c == '_' || c == '.'):
		default:
			return false
		}
	}

	return part != "" && len(part) <= maxPart
}

// Source reads what is to be kept, and remembers how reading failed. Libraries take an end that came too early, which is what
// a connection that was cut yields, for an end: its errors are no end of any kind.
type Source struct {
	r    io.Reader
	size int64
	err  error
	done bool
}

// NewSource reads from r.
func NewSource(r io.Reader) *Source { return &Source{r: r} }

// Read implements io.Reader.
func (s *Source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}

	n, err := s.r.Read(p)
	s.size += int64(n)
	switch {
	case err == io.EOF: //nolint:errorlint // Only the plain one is an end.
		s.done = true
	case err != nil:
		s.err = &sourceError{err}
		err = s.err
	}

	return n, err
}

// Size is how many bytes were read.
func (s *Source) Size() int64 { return s.size }

// Failed is how reading failed, or nil.
func (s *Source) Failed() error { return s.err }

// Err is how reading failed, or that it has not come to its end.
func (s *Source) Err() error {
	switch {
	case s.err != nil:
		return s.err
	case !s.done:
		return errors.New("read what is to be stored: not all of it was read")
	}

	return nil
}

// sourceError is not an io.EOF and no io.ErrUnexpectedEOF for who compares by ==.
type sourceError struct{ cause error }

func (e *sourceError) Error() string { return "read what is to be stored: " + e.cause.Error() }

func (e *sourceError) Unwrap() error { return e.cause }

package fetch

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/dogker/dogker/reconciler/source"
)

const (
	// objectsPerFile is how many objects there may be for each file that there may be: directories, and versions where a
	// history has to be searched.
	objectsPerFile = 20
	// inflation is how many times as large as CloneBytes everything in a pack may become.
	inflation = 8
	// objectCache is how much of unpacked objects is kept in memory.
	objectCache = 8 << 20
)

// storage is where the objects of one pack are.
type storage = filesystem.Storage

// receive writes a pack to disk, measures it, and unpacks what is needed to find objects in it.
func (s *session) receive(ctx context.Context, r io.Reader, dir string) (*storage, error) {
	f, err := os.CreateTemp(dir, "pack")
	if err != nil {
		return nil, err
	}

	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()

	limited := &io.LimitedReader{R: r, N: s.limits.CloneBytes + 1}
	if _, err := io.Copy(f, limited); err != nil {
		return nil, s.explain(ctx, err)
	}

	if limited.N <= 0 {
		return nil, lasting(source.ReasonLimitExceeded, "the repository is larger than %d bytes", s.limits.CloneBytes)
	}

	if err := measure(ctx, f, s.limits); err != nil {
		return nil, s.broken(ctx, err)
	}

	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}

	fs, err := osfs.New(dir).Chroot("git")
	if err != nil {
		return nil, err
	}

	store := filesystem.NewStorageWithOptions(fs, cache.NewObjectLRU(objectCache), filesystem.Options{ExclusiveAccess: true})
	if err := packfile.UpdateObjectStorage(store, f); err != nil {
		return nil, s.broken(ctx, err)
	}

	return store, nil
}

// broken says that what the server sent is no pack. It may be one the next time: proxies cut streams.
func (s *session) broken(ctx context.Context, err error) error {
	var known *source.Error
	if errors.As(err, &known) || ctx.Err() != nil {
		return s.explain(ctx, err)
	}

	return failf("%s: what the server sent is no valid pack: %s", s.endpoint.host(), clean(err.Error(), maxWords))
}

// measure reads a pack without keeping anything of it, and refuses one that becomes too large. What an object is declared to be is
// what it may become: the scanner ends where more comes out of it than that.
func measure(ctx context.Context, f io.ReadSeeker, limits source.Limits) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}

	scanner := packfile.NewScanner(f)

	_, count, err := scanner.Header()
	if err != nil {
		return err
	}

	if int64(count) > int64(limits.Files)*objectsPerFile {
		return lasting(source.ReasonLimitExceeded, "the repository has %d objects; %d are read", count, int64(limits.Files)*objectsPerFile)
	}

	var total int64

	for range count {
		if err := ctx.Err(); err != nil {
			return err
		}

		header, err := scanner.NextObjectHeader()
		if err != nil {
			return err
		}

		if header.Length > limits.TreeBytes {
			return tooLarge(header.Length, limits)
		}

		var head beginning
		if _, _, err := scanner.NextObject(&head); err != nil {
			return err
		}

		size := header.Length
		if header.Type.IsDelta() {
			if size, err = head.resultSize(); err != nil {
				return err
			}
		}

		if size > limits.TreeBytes {
			return tooLarge(size, limits)
		}

		if total += max(size, header.Length); total > limits.CloneBytes*inflation {
			return lasting(source.ReasonLimitExceeded, "the repository unpacks to more than %d bytes", limits.CloneBytes*inflation)
		}
	}

	return nil
}

func tooLarge(size int64, limits source.Limits) error {
	return lasting(source.ReasonLimitExceeded, "the repository has an object of %d bytes; %d are read", size, limits.TreeBytes)
}

// beginning keeps what a delta begins with: the size of what it is made from, and of what it makes.
type beginning struct {
	bytes []byte
}

func (b *beginning) Write(p []byte) (int, error) {
	b.bytes = append(b.bytes, p[:min(len(p), 2*binary.MaxVarintLen64-len(b.bytes))]...)

	return len(p), nil
}

// resultSize is how large the object is that the delta makes.
func (b *beginning) resultSize() (int64, error) {
	r := bytes.NewReader(b.bytes)

	if _, err := binary.ReadUvarint(r); err != nil {
		return 0, packfile.ErrInvalidDelta
	}

	size, err := binary.ReadUvarint(r)
	if err != nil || size > 1<<62 {
		return 0, packfile.ErrInvalidDelta
	}

	return int64(size), nil
}

// raw is the content of an object as it was hashed.
func raw(store *storage, kind plumbing.ObjectType, hash plumbing.Hash) ([]byte, error) {
	o, err := store.EncodedObject(kind, hash)
	if err != nil {
		return nil, err
	}

	r, err := o.Reader()
	if err != nil {
		return nil, err
	}

	defer func() { _ = r.Close() }()

	return io.ReadAll(io.LimitReader(r, o.Size()))
}

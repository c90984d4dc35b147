package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/internal/voldata/store"
)

// Place is where an archive is, or is to be.
type Place struct {
	Store store.Store
	// Name of the object.
	Name string
	Key  *archive.Key
	// Sum is the SHA-256 that it must have, in hexadecimal; empty for any that is whole and was made with the key.
	Sum string
}

// Quiet is what is done around reading a volume. Nil functions do nothing.
type Quiet struct {
	// Begin is called before anything is read. When it fails, nothing is.
	Begin func(ctx context.Context) error
	// Still is called once all of the volume was read. When it fails, nothing is stored.
	Still func(ctx context.Context) error
	// End is called once after Begin, whatever has failed, as soon as nothing of the volume is read any more. The store may
	// still be at work then, and what is in it is read back later.
	End func()
}

// Save keeps what is in a volume. When the object is there already, of the same Origin.UID, it is verified and taken for what
// an earlier try has stored: names must therefore be those of one snapshot of one volume. The volume is then neither read nor
// quieted.
func Save(ctx context.Context, from *voldata.Volumes, volume string, origin archive.Origin, to Place, q Quiet, o content.Options) (archive.Receipt, error) {
	var made *archive.Receipt

	_, err := to.Store.Stat(ctx, to.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if made, err = quietly(ctx, from, volume, origin, to, q, o); err != nil && !errors.Is(err, store.ErrExists) {
			return archive.Receipt{}, fmt.Errorf("save volume %q: %w", volume, err)
		}
	case err != nil:
		return archive.Receipt{}, fmt.Errorf("save volume %q: %w", volume, err)
	}

	got, err := Verify(ctx, to, origin.UID)
	if err != nil {
		return archive.Receipt{}, fmt.Errorf("save volume %q: read it back: %w", volume, err)
	}
	if made != nil && !got.SameAs(*made) {
		return archive.Receipt{}, fmt.Errorf("save volume %q: read it back: %w: it is not what was stored", volume, archive.ErrRefused)
	}

	return got, nil
}

// quietly makes an archive between what is done around reading.
func quietly(ctx context.Context, from *voldata.Volumes, volume string, origin archive.Origin, to Place, q Quiet, o content.Options) (*archive.Receipt, error) {
	end := sync.OnceFunc(func() {
		if q.End != nil {
			q.End()
		}
	})
	defer end()

	if q.Begin != nil {
		if err := q.Begin(ctx); err != nil {
			return nil, err
		}
	}

	return put(ctx, from, volume, origin, to, Quiet{Still: q.Still, End: end}, o)
}

// put makes an archive while it is stored. It ends what was quieted once the volume was read, or is not read any more.
func put(ctx context.Context, from *voldata.Volumes, volume string, origin archive.Origin, to Place, q Quiet, o content.Options) (*archive.Receipt, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	in, err := from.Read(ctx, volume)
	if err != nil {
		return nil, err
	}

	r, w := io.Pipe()
	// Who is not waited for any more lets go of the volume, also while the store stands still.
	stop := context.AfterFunc(ctx, func() { _ = r.CloseWithError(context.Cause(ctx)) })
	defer stop()
	var (
		made    archive.Receipt
		making  = make(chan struct{})
		closing = make(chan error, 1)
		makeErr error
	)
	go func() {
		defer close(making)
		made, makeErr = archive.Write(w, origin, to.Key, in, o)
		if makeErr == nil && q.Still != nil {
			makeErr = q.Still(ctx)
		}
		// Without an error this is the end of the archive. The store goes on while that is done which may take long.
		_ = w.CloseWithError(makeErr)
		go func() { closing <- in.Close() }()
		q.End()
	}()

	_, putErr := to.Store.Put(ctx, to.Name, r)
	_ = r.CloseWithError(errStored)
	// What still waits for the engine is not needed any more.
	if putErr != nil {
		cancel()
	}
	<-making
	closeErr := <-closing

	switch {
	case makeErr != nil && !errors.Is(makeErr, errStored) && !errors.Is(makeErr, context.Canceled):
		return nil, errors.Join(makeErr, closeErr)
	case putErr != nil:
		return nil, errors.Join(putErr, closeErr)
	case makeErr != nil:
		return nil, errors.Join(makeErr, closeErr)
	}

	return &made, closeErr
}

// errStored is what who writes gets when the store takes nothing more.
var errStored = errors.New("the store takes nothing more")

// Verify reads an archive, and says what it is, once all of it is as it was made, of the Volume with that UID, and has the sum
// that it must have. Its error is archive.ErrRefused when it is not.
func Verify(ctx context.Context, at Place, uid string) (archive.Receipt, error) {
	r, err := at.Store.Get(ctx, at.Name)
	if err != nil {
		return archive.Receipt{}, err
	}
	got, err := archive.Verify(r, at.Key, content.Options{})
	if err := errors.Join(err, r.Close()); err != nil {
		return archive.Receipt{}, fmt.Errorf("verify %q: %w", at.Name, err)
	}
	if got.Origin.UID != uid {
		return archive.Receipt{}, fmt.Errorf("verify %q: %w: it is of another Volume", at.Name, archive.ErrRefused)
	}
	if at.Sum != "" && got.Sum != at.Sum {
		return archive.Receipt{}, fmt.Errorf("verify %q: %w: it has another SHA-256 than was recorded", at.Name, archive.ErrRefused)
	}

	return got, nil
}

// Restore makes a volume of what is in an archive of the Volume with that UID. The receipt is of the archive; the volume has
// the digest that stands there.
func Restore(ctx context.Context, from Place, uid string, to *voldata.Volumes, t voldata.Target, o content.Options) (archive.Receipt, error) {
	verified, err := Verify(ctx, from, uid)
	if err != nil {
		return archive.Receipt{}, fmt.Errorf("restore volume %q: %w", t.Name, err)
	}
	if o.MaxBytes > 0 && verified.Content.Bytes > o.MaxBytes {
		return archive.Receipt{}, fmt.Errorf("restore volume %q: it would hold %d bytes and may hold %d: %w", t.Name, verified.Content.Bytes, o.MaxBytes, content.ErrRefused)
	}

	_, err = to.Write(ctx, t, func(w io.Writer) (content.Summary, error) {
		r, err := from.Store.Get(ctx, from.Name)
		if err != nil {
			return content.Summary{}, err
		}
		got, err := archive.Extract(w, r, from.Key, verified, o)

		return got.Content, errors.Join(err, r.Close())
	})
	if err != nil {
		return archive.Receipt{}, fmt.Errorf("restore volume %q: %w", t.Name, err)
	}

	return verified, nil
}

package volumework

import (
	"context"
	"io"

	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/internal/voldata/snapshot"
	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// place is where the archive of an order is, or is to be.
func (w *Worker) place(ctx context.Context, o *volumejob.Order) (snapshot.Place, error) {
	s, key, err := w.o.Places.Place(ctx, o.Archive.Class)
	if err != nil {
		return snapshot.Place{}, &failure{errPlace, err}
	}

	return snapshot.Place{Store: countingStore{s}, Name: o.Archive.Name, Key: key, Sum: o.Archive.SHA256}, nil
}

// countingStore counts what is read of archives.
type countingStore struct{ store.Store }

// Get implements store.Store.
func (s countingStore) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := s.Store.Get(ctx, name)
	if err != nil {
		return nil, err
	}

	return closing{counted(ctx, r), r}, nil
}

func receiptOf(r *archive.Receipt) volumejob.Receipt {
	return volumejob.Receipt{
		Digest: r.Content.Digest, Bytes: r.Content.Bytes, Entries: r.Content.Entries,
		SHA256: r.Sum, Size: r.Size, UID: r.Origin.UID, Time: r.Origin.Time,
	}
}

// check reads an archive, and holds it against itself and what is recorded of it.
func (w *Worker) check(ctx context.Context, o *volumejob.Order) (volumejob.Job, error) {
	result := volumejob.Job{Thawed: true}
	at, err := w.place(ctx, o)
	if err != nil {
		return result, err
	}
	got, err := snapshot.Verify(ctx, at, o.Archive.UID)
	if err != nil {
		return result, err
	}
	result.Receipt, result.Digest = receiptOf(&got), got.Content.Digest

	return result, nil
}

// restore makes a volume of an archive.
func (w *Worker) restore(ctx context.Context, o *volumejob.Order) (volumejob.Job, error) {
	result := volumejob.Job{Thawed: true}
	at, err := w.place(ctx, o)
	if err != nil {
		return result, err
	}
	got, err := snapshot.Restore(ctx, at, o.Archive.UID, w.volumes(o.Target.Node), targetOf(o), content.Options{MaxBytes: o.MaxBytes})
	if err != nil {
		return result, err
	}
	result.Receipt, result.Digest = receiptOf(&got), got.Content.Digest

	return result, nil
}

// erase removes an archive. It needs no key.
func (w *Worker) erase(ctx context.Context, o *volumejob.Order) error {
	s, err := w.o.Places.Store(ctx, o.Archive.Class)
	if err != nil {
		return &failure{errPlace, err}
	}
	if err := w.hold(ctx); err != nil {
		return err
	}

	return s.Delete(ctx, o.Archive.Name)
}

package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/dogker/dogker/internal/voldata/store"
)

// Bucket is a store.
type Bucket struct {
	core   minio.Core
	bucket string
	folder string
	part   uint64
}

var _ store.Store = (*Bucket)(nil)

// Put implements store.Store.
func (b *Bucket) Put(ctx context.Context, name string, content io.Reader) (int64, error) {
	_, err := b.Stat(ctx, name)
	switch {
	case err == nil:
		return 0, fmt.Errorf("put %q: %w", name, store.ErrExists)
	case !errors.Is(err, store.ErrNotFound):
		return 0, err
	}

	// The library would take what fits for all of it.
	in := store.NewSource(&bounded{r: content, left: int64(b.part) * maxParts}) //nolint:gosec // It was checked.
	info, err := b.core.Client.PutObject(ctx, b.bucket, b.folder+name, onlyReader{in}, -1, minio.PutObjectOptions{
		PartSize: b.part, NumThreads: 1, ContentType: "application/octet-stream", DisableContentSha256: b.secure(),
	})
	switch {
	case err != nil && in.Failed() != nil:
		return 0, fmt.Errorf("put %q: %w", name, in.Failed())
	case err != nil:
		return 0, translate(ctx, err, "put %q", name)
	}
	// Whatever the library takes for an end, an object that is not all of the source must not stay.
	if err := in.Err(); err != nil || info.Size != in.Size() {
		if err == nil {
			err = fmt.Errorf("it has %d bytes of %d: %w", info.Size, in.Size(), store.ErrUnavailable)
		}

		return 0, fmt.Errorf("put %q: %w", name, errors.Join(err, b.Delete(context.WithoutCancel(ctx), name)))
	}

	return in.Size(), nil
}

// secure: within TLS nothing else has to protect what is sent.
func (b *Bucket) secure() bool { return b.core.Client.EndpointURL().Scheme == "https" }

// onlyReader keeps the library from using what a reader can besides.
type onlyReader struct{ io.Reader }

// bounded fails when there is more than fits into an object.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("it has more than %d parts, which must then be larger: %w", maxParts, store.ErrFull)
	}

	return n, err
}

// Stat implements store.Store.
func (b *Bucket) Stat(ctx context.Context, name string) (store.Object, error) {
	if err := store.CheckName(name); err != nil {
		return store.Object{}, err
	}
	info, err := b.core.Client.StatObject(ctx, b.bucket, b.folder+name, minio.StatObjectOptions{})
	if err != nil {
		return store.Object{}, translate(ctx, err, "look at %q", name)
	}

	return store.Object{Name: name, Size: info.Size, Time: info.LastModified}, nil
}

// Get implements store.Store.
func (b *Bucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := store.CheckName(name); err != nil {
		return nil, err
	}
	r := &reading{ctx: ctx, bucket: b, name: name}
	if err := r.open(); err != nil {
		return nil, err
	}

	return r, nil
}

// List implements store.Store.
func (b *Bucket) List(ctx context.Context, folder string) ([]store.Object, error) {
	if err := store.CheckFolder(folder); err != nil {
		return nil, err
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel() // It ends the goroutine of the list.

	var found []store.Object
	for info := range b.core.Client.ListObjects(inner, b.bucket, minio.ListObjectsOptions{Prefix: b.folder + folder, Recursive: true}) {
		if info.Err != nil {
			return nil, translate(ctx, info.Err, "list store")
		}
		name, below := strings.CutPrefix(info.Key, b.folder)
		if !below || store.CheckName(name) != nil {
			continue // Nothing that a store has made.
		}
		if len(found) == store.MaxList {
			return nil, fmt.Errorf("list store: there are more than %d objects: %w", store.MaxList, store.ErrRefused)
		}
		found = append(found, store.Object{Name: name, Size: info.Size, Time: info.LastModified})
	}
	// A list whose context ends just ends.
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list store: %w", err)
	}
	slices.SortFunc(found, func(a, b store.Object) int { return strings.Compare(a.Name, b.Name) })

	return found, nil
}

// Delete implements store.Store.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := store.CheckName(name); err != nil {
		return err
	}
	err := translate(ctx, b.core.Client.RemoveObject(ctx, b.bucket, b.folder+name, minio.RemoveObjectOptions{}), "delete %q", name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}

	return err
}

// Sweep implements store.Store.
func (b *Bucket) Sweep(ctx context.Context, before time.Time) (int, error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()

	n := 0
	for upload := range b.core.Client.ListIncompleteUploads(inner, b.bucket, b.folder, true) {
		if upload.Err != nil {
			return n, translate(ctx, upload.Err, "sweep store")
		}
		if !upload.Initiated.Before(before) {
			continue
		}
		err := translate(ctx, b.core.AbortMultipartUpload(ctx, b.bucket, upload.Key, upload.UploadID), "sweep store")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return n, err
		}
		n++
	}

	return n, ctx.Err()
}

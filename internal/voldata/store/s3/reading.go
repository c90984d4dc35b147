package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/dogker/dogker/internal/voldata/store"
)

// reading is an object, read over as many connections as it takes.
type reading struct {
	ctx    context.Context //nolint:containedctx // It lives as long as the stream.
	bucket *Bucket
	name   string
	body   io.ReadCloser
	etag   string
	size   int64
	at     int64
	// stuck is where the last connection broke off, and tries how many have broken off there.
	stuck int64
	tries int
}

// open asks for the rest of the object, and of no other version of it.
func (r *reading) open() error {
	var o minio.GetObjectOptions
	if r.at > 0 {
		if err := errors.Join(o.SetRange(r.at, 0), o.SetMatchETag(r.etag)); err != nil {
			return translate(r.ctx, err, "get %q", r.name)
		}
	}
	body, info, header, err := r.bucket.core.GetObject(r.ctx, r.bucket.bucket, r.bucket.folder+r.name, o)
	if err != nil {
		return translate(r.ctx, err, "get %q", r.name)
	}
	if r.at > 0 && !strings.HasPrefix(header.Get("Content-Range"), fmt.Sprintf("bytes %d-", r.at)) {
		_ = body.Close()

		return fmt.Errorf("get %q: the server does not go on where it was asked to: %w", r.name, store.ErrRefused)
	}
	if r.at == 0 {
		r.etag, r.size = info.ETag, info.Size
	}
	r.body = body

	return nil
}

// Read implements io.Reader.
func (r *reading) Read(p []byte) (int, error) {
	for {
		n, err := r.body.Read(p)
		r.at += int64(n)
		switch {
		case n > 0:
			return n, nil
		case err == io.EOF && r.at == r.size: //nolint:errorlint // Only the plain one is an end.
			return 0, io.EOF
		case err == nil:
			continue
		}

		_ = r.body.Close() // It is broken.
		if err := r.again(err); err != nil {
			return 0, err
		}
	}
}

// again opens the object where it broke off, a few times at each place.
func (r *reading) again(cause error) error {
	if r.stuck != r.at {
		r.stuck, r.tries = r.at, 0
	}
	for r.tries++; r.tries <= retries && r.ctx.Err() == nil; r.tries++ {
		err := r.open()
		if err == nil {
			return nil
		}
		if !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		cause = err
	}

	return translate(r.ctx, cause, "get %q", r.name)
}

// Close implements io.Closer.
func (r *reading) Close() error {
	// What a connection that is not needed any more says is nothing new.
	_ = r.body.Close()

	return nil
}

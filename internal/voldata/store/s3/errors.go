package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/minio/minio-go/v7"

	"github.com/dogker/dogker/internal/outbound"
	"github.com/dogker/dogker/internal/voldata/store"
)

// codePattern is what a code of S3 looks like. What a server calls one otherwise is not repeated.
var codePattern = regexp.MustCompile(`^[A-Za-z]{3,64}$`)

// classes by code. Those that are not here are judged by their status, of which 404 says nothing: servers also answer so for
// users that they do not know.
var classes = map[string]error{
	"NoSuchKey": store.ErrNotFound, "NoSuchBucket": store.ErrNotFound, "NoSuchUpload": store.ErrNotFound, "NotFound": store.ErrNotFound,
	"AccessDenied": store.ErrDenied, "InvalidAccessKeyId": store.ErrDenied, "SignatureDoesNotMatch": store.ErrDenied,
	"AccountProblem": store.ErrDenied, "AllAccessDisabled": store.ErrDenied, "ExpiredToken": store.ErrDenied,
	"XAdminUserNotFound": store.ErrDenied,
	"QuotaExceeded":      store.ErrFull, "XMinioStorageFull": store.ErrFull, "InsufficientStorage": store.ErrFull,
	"PreconditionFailed": store.ErrRefused, "SlowDown": store.ErrUnavailable, "RequestTimeout": store.ErrUnavailable,
}

// translate gives an error of the library its class. Nothing of it is printed but its code: a message of a server can hold
// what was sent, and one of the network its address.
func translate(ctx context.Context, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	what := fmt.Sprintf(format, args...)

	var known minio.ErrorResponse
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, ctx.Err())
	case errors.Is(err, outbound.ErrNotPublic):
		return fmt.Errorf("%s: %w: %w", what, store.ErrDenied, outbound.ErrNotPublic)
	case !errors.As(err, &known):
		return fmt.Errorf("%s: %w", what, store.ErrUnavailable)
	}

	class, listed := classes[known.Code]
	if !listed {
		class = classOf(known.StatusCode)
	}
	if !codePattern.MatchString(known.Code) {
		return fmt.Errorf("%s: %w", what, class)
	}

	return fmt.Errorf("%s: %w: %s", what, class, known.Code)
}

func classOf(status int) error {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return store.ErrDenied
	case status == http.StatusInsufficientStorage:
		return store.ErrFull
	case status == 0, status == http.StatusTooManyRequests, status >= 500, status == http.StatusRequestTimeout:
		return store.ErrUnavailable
	}

	return store.ErrRefused
}

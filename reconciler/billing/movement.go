package billing

import (
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/dogker/dogker/reconciler/book"
)

// Movement is what follows from money that moves whatever the terms are, such as a payment: it takes what Desk.Terms has
// answered. Money counts also where nothing is billed, and where the tenant or its plan is gone; then nothing follows, and
// the Decide is nil.
func Movement(t Terms, err error, now func() time.Time) (book.Decide, error) {
	switch {
	case err == nil, errors.Is(err, ErrNotBilled), errors.Is(err, ErrNotInEffect):
		return t.Decide(now), nil
	case apierrors.IsNotFound(err):
		return nil, nil
	default:
		return nil, err
	}
}

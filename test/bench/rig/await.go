package rig

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Gone waits until an object is deleted.
func Gone(ctx context.Context, s *Server, o client.Object) error {
	key := client.ObjectKeyFromObject(o)

	return poll(ctx, 20*time.Millisecond, fmt.Sprintf("wait until %T %q is gone", o, key), func() (bool, error) {
		err := s.Client.Get(ctx, key, o)

		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
}

// Await reads an object again and again until it is as it should be, and returns it.
func Await[T any, O interface {
	*T
	client.Object
}](ctx context.Context, s *Server, key client.ObjectKey, what string, is func(O) bool,
) (found O, err error) {
	what = fmt.Sprintf("wait until %T %q %s", found, key, what)
	err = poll(ctx, 20*time.Millisecond, what, func() (bool, error) {
		// A new one each time: what is absent in the answer stays as it is in what was read before.
		found = new(T)
		err := s.Client.Get(ctx, key, found)

		return err == nil && is(found), client.IgnoreNotFound(err)
	})

	return found, err
}

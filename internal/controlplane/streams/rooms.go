package streams

import (
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// retryAfterSeconds is when to come back for a place.
const retryAfterSeconds = 10

// rooms bounds how many streams each namespace has at once, so that no tenant takes memory and connections from others.
type rooms struct {
	most int
	what string

	mu   sync.Mutex
	held map[string]int
}

func newRooms(most int, what string) *rooms {
	return &rooms{most: most, what: what, held: map[string]int{}}
}

// enter takes a place in a namespace, which leave gives back, once. It fails when all are taken.
func (r *rooms) enter(namespace string) (leave func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if r.held[namespace] >= r.most {
		return nil, apierrors.NewTooManyRequests(fmt.Sprintf(
			"namespace %q has %d %s open, which is as many as it may have", namespace, r.most, r.what), retryAfterSeconds)
	}
	r.held[namespace]++

	return func() { r.leave(namespace) }, nil
}

func (r *rooms) leave(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if r.held[namespace]--; r.held[namespace] == 0 {
		delete(r.held, namespace)
	}
}

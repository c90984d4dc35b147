package identity

import (
	"context"
	"errors"
	"sync/atomic"
)

const (
	// hashSlots is how many passwords are hashed at a time. Each holds the memory of one hash and one processor.
	hashSlots = 2
	// hashQueue is how many more may wait. With it full, the last in the queue waits for a few seconds.
	hashQueue = 32
)

// errBusy says that more people log in at once than the server hashes passwords for.
var errBusy = errors.New("too many passwords are being checked")

// Hasher hashes passwords, few at a time: a flood of logins can neither exhaust the memory nor take more than its share of
// the processors.
type Hasher struct {
	cost    cost
	slots   chan struct{}
	waiting atomic.Int64
	// decoy is compared with where there is no hash, so that nobody learns from the time which names exist.
	decoy passwordHash
}

// NewHasher makes a hasher at the current cost.
func NewHasher() *Hasher { return newHasher(currentCost) }

func newHasher(c cost) *Hasher {
	return &Hasher{
		cost:  c,
		slots: make(chan struct{}, hashSlots),
		decoy: passwordHash{cost: c, salt: newSalt(), key: make([]byte, keyBytes)},
	}
}

// hash makes the hash to store for a password.
func (h *Hasher) hash(ctx context.Context, password string) (string, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()

	return derive(password, h.cost, newSalt()).encode(), nil
}

// verify says whether the password is the one of the stored hash, and whether the hash should be made anew because its
// cost is not the current one. An empty hash matches nothing and takes as long as one that does not match.
func (h *Hasher) verify(ctx context.Context, password, stored string) (ok, outdated bool, err error) {
	want, none := h.decoy, true
	if stored != "" {
		if want, err = parseHash(stored); err != nil {
			return false, false, err
		}
		none = false
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()

	return want.matches(password) && !none, want.cost != h.cost, nil
}

// acquire waits for a slot. It fails at once when too many wait already.
func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	if h.waiting.Add(1) > hashSlots+hashQueue {
		h.waiting.Add(-1)
		return nil, errBusy
	}

	select {
	case h.slots <- struct{}{}:
		return func() {
			<-h.slots
			h.waiting.Add(-1)
		}, nil
	case <-ctx.Done():
		h.waiting.Add(-1)
		return nil, ctx.Err()
	}
}

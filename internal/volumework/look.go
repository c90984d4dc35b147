package volumework

import (
	"context"
	"time"

	"github.com/dogker/dogker/reconciler/volumejob"
)

// lookPatience bounds what controllers wait for.
const lookPatience = 30 * time.Second

// Look asks a node for a volume. Errors are of swarmobj's classes.
func (w *Worker) Look(ctx context.Context, id, name string) (volumejob.Presence, error) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()

	there, operation, err := w.o.Engines.VolumeOperation(ctx, id, name)

	return volumejob.Presence{There: there, Operation: operation}, err
}

// Discard removes what an operation has made, whether it is whole or not, and what still reads or writes it. It succeeds when there is
// nothing. It fails with swarmobj.ErrExists, and touches nothing, when something else has made what is there, and with
// swarmobj.ErrInUse when something mounts it.
func (w *Worker) Discard(ctx context.Context, id, name, operation string) error {
	ctx, cancel := context.WithTimeout(with(ctx, call{until: time.Now().Add(lookPatience)}), lookPatience)
	defer cancel()

	return w.volumes(id).Discard(ctx, name, operation)
}

package volumework

import (
	"context"
	"log/slog"

	"github.com/docker/docker/api/types/swarm"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/store"
)

// Engines are those of the nodes. *fleet.Fleet is one. Errors are of swarmobj's classes.
type Engines interface {
	// DataEngine is the engine of a node, as it can be reached now. It does not block.
	DataEngine(node string) (voldata.Engine, error)
	// VolumeOperation says whether a node has a volume, and which operation has made it. It fails with ErrRefused for one that Dogker
	// has not made.
	VolumeOperation(ctx context.Context, node, name string) (there bool, operation string, err error)

	// PauseMounting freezes the containers of tasks that mount a volume, and names them. They stay so until UnpauseMounting, or
	// until this process ends. It is idempotent, and when it fails nothing is frozen.
	PauseMounting(ctx context.Context, node, volume string) ([]string, error)
	// StillPaused fails when one of them, or a new one, has run since. An error of another class than ErrUnavailable and ErrRefused
	// says so; these say that it is not known.
	StillPaused(ctx context.Context, node, volume string) error
	// UnpauseMounting lets all of them go on, whoever has frozen them. It succeeds when none is frozen.
	UnpauseMounting(ctx context.Context, node, volume string) error
	// RunInTask runs a command in a task of a TenantContainer that mounts a volume on a node, waits for its end, and returns its exit
	// code and the end of what it has written. It fails with ErrNotFound when no such task runs. When the context ends, the command
	// may go on.
	RunInTask(ctx context.Context, namespace, name, volume, node string, command []string) (exit int, tail string, err error)
}

// Nodes knows the nodes of the swarm. *swarm.Engine of internal/swarm is one. None of it blocks.
type Nodes interface {
	// State says why the swarm cannot be asked; nil when it can.
	State() error
	// Nodes of the swarm, which nobody changes.
	Nodes() []swarm.Node
}

// Places knows where archives are kept. internal/volumework/places does. Of an error that has the method Fault() volumejob.Fault
// only that is told: the rest names what is the platform's, and is logged.
type Places interface {
	// Place is the store of a class and the key of its archives.
	Place(ctx context.Context, class string) (store.Store, *archive.Key, error)
	// Store is the store alone, also when there is no key any more.
	Store(ctx context.Context, class string) (store.Store, error)
	// Classes are the names of all classes, whose stores are swept.
	Classes(ctx context.Context) ([]string, error)
}

// Options of a Worker.
type Options struct {
	Engines Engines
	Nodes   Nodes
	Places  Places
	// Holder is the ID of the server, and Version what stands in archives that it makes.
	Holder, Version string
	// Hold is asked before anything is changed, and fails when this process may not write any more; nil for never.
	Hold func(context.Context) error
	// Log is where it says what went wrong; nil means nowhere.
	Log *slog.Logger
	// Registerer takes its metrics; nil for none.
	Registerer prometheus.Registerer
	// Limits of what runs at once; zero ones are those of DefaultLimits.
	Limits Limits
}

// Limits say how many jobs run at once.
type Limits struct {
	// All is how many in all, and Background how many of them may be snapshots, for which nothing stands still.
	All, Background int
	// Readers and Writers are how many jobs may read and write volumes of one node, and BackgroundReaders how many of the readers may
	// be snapshots.
	Readers, BackgroundReaders, Writers int
	// Away and TenantAway are how many snapshots, and how many of one tenant, may have hooks that last before no more with hooks
	// begin. Meanwhile they take none of the above; afterwards they do at once, and that may be so much more than All.
	Away, TenantAway int
}

// DefaultLimits are small, because all data passes through this process, and disks of nodes are busy with other things.
var DefaultLimits = Limits{All: 4, Background: 3, Readers: 3, BackgroundReaders: 2, Writers: 1, Away: 8, TenantAway: 2}

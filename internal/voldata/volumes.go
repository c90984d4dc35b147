package voldata

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Labels of what this package makes.
const (
	// LabelHolder of a container is who made it.
	LabelHolder = "io.dogker.volume-data"
	// LabelUntil of a container is when nobody can need it any more, in seconds since 1970.
	LabelUntil = "io.dogker.volume-data-until"
	// LabelOperation of a volume is what has made it. Engines never change labels of volumes.
	LabelOperation = "io.dogker.volume-operation"
	// labelCall of a volume is the one call that has made it. Two that were given the same operation by mistake do not meet.
	labelCall = "io.dogker.volume-call"
	// labelMade of a volume is the container whose mount has made it by mistake.
	labelMade = "io.dogker.volume-made-by"
)

// MadeByMistake tells by its labels that the mount of a container of this package has made a volume that was missing. It counts as
// missing.
func MadeByMistake(labels map[string]string) bool { return labels[labelMade] != "" }

// namePrefix begins the names of the containers.
const namePrefix = "dogker-volume-"

const (
	// callPatience bounds calls that do not stream. Removing waits for an engine that still reads.
	callPatience = 30 * time.Second
	// defaultLongest and defaultIdle bound streams: in all, and how long nothing may move. An engine that has got the last
	// byte still writes what it has in memory.
	defaultLongest = 24 * time.Hour
	defaultIdle    = 10 * time.Minute
)

// Options of Volumes. The zero value but for Holder is good for production.
type Options struct {
	// Holder names the process that makes containers, and those before it that it takes the place of: the ID of the server.
	Holder string
	// Longest is how long reading or writing one volume may take; 0 means a day.
	Longest time.Duration
	// Idle is how long nothing may move; 0 means ten minutes.
	Idle time.Duration
	// Now is the clock; nil for the machine's.
	Now func() time.Time
}

// Volumes are those of one engine. It is safe for concurrent use. There is one for an engine in a process.
type Volumes struct {
	engine Engine
	o      Options

	mu   sync.Mutex
	live map[string]bool // Names of containers that are in use.
}

// New returns the volumes of an engine. It asks it nothing.
func New(e Engine, o Options) *Volumes {
	o.Longest, o.Idle = cmp.Or(o.Longest, defaultLongest), cmp.Or(o.Idle, defaultIdle)
	if o.Now == nil {
		o.Now = time.Now
	}

	return &Volumes{engine: e, o: o, live: map[string]bool{}}
}

// Read opens the content of a volume, as a tar whose entries lie below content.Root. It fails with swarmobj.ErrNotFound when
// the volume is missing, which it does not make. Whether it can be read while it is written to, and what that gives, is the
// caller's to know. The caller closes it.
func (v *Volumes) Read(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := v.exists(ctx, name); err != nil {
		return nil, err
	}
	c, err := v.mount(ctx, name, true)
	if err != nil {
		return nil, err
	}
	if err := v.unmake(ctx, c, name); err != nil {
		return nil, err
	}

	r, err := c.read(ctx)
	if err != nil {
		return nil, errors.Join(err, c.close(ctx))
	}

	return r, nil
}

// Digest reads all of a volume, and says what is in it.
func (v *Volumes) Digest(ctx context.Context, name string, o content.Options) (content.Summary, error) {
	r, err := v.Read(ctx, name)
	if err != nil {
		return content.Summary{}, err
	}
	sum, err := content.Copy(nil, r, o)
	if err := errors.Join(err, r.Close()); err != nil {
		return content.Summary{}, fmt.Errorf("read volume %q: %w", name, err)
	}

	return sum, nil
}

func (v *Volumes) exists(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()

	got, err := v.engine.VolumeInspect(ctx, name)
	if err != nil {
		return translate(err, "look at volume %q", name)
	}
	if got.Labels[labelMade] != "" {
		return &Error{what: fmt.Sprintf("look at volume %q", name), class: swarmobj.ErrNotFound, cause: errors.New("a mount has made it by mistake")}
	}

	return nil
}

// unmake looks whether the mount of a container has made the volume, because it has gone after it was looked at. Then both
// are removed.
func (v *Volumes) unmake(ctx context.Context, c *mounted, name string) error {
	inner, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()

	got, err := v.engine.VolumeInspect(inner, name)
	switch {
	case err == nil && got.Labels[labelMade] == "":
		return nil
	case err == nil && got.Labels[labelMade] == c.name:
		err = &Error{what: fmt.Sprintf("look at volume %q", name), class: swarmobj.ErrNotFound, cause: errors.New("it has gone meanwhile")}

		return errors.Join(err, c.close(ctx), v.remove(ctx, name))
	case err == nil:
		err = &Error{what: fmt.Sprintf("look at volume %q", name), class: swarmobj.ErrNotFound, cause: errors.New("a mount has made it by mistake")}
	default:
		err = translate(err, "look at volume %q", name)
	}

	return errors.Join(err, c.close(ctx))
}

// remove removes a volume. It is no error when it is not there.
func (v *Volumes) remove(ctx context.Context, name string) error {
	ctx, cancel := lasting(ctx)
	defer cancel()

	err := translate(v.engine.VolumeRemove(ctx, name, false), "remove volume %q", name)
	if errors.Is(err, swarmobj.ErrNotFound) {
		return nil
	}

	return err
}

// lasting is for what is to be cleaned up also when nobody waits any more.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), callPatience)
}

// mount makes a container that has the volume at content.Root.
func (v *Volumes) mount(ctx context.Context, volume string, readOnly bool) (*mounted, error) {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()

	id, err := ensureImage(ctx, v.engine)
	if err != nil {
		return nil, err
	}

	c := &mounted{volumes: v, volume: volume, name: namePrefix + uuid.NewString()}
	v.hold(c.name)
	want := Mount{
		Name: c.name, Image: id, Volume: volume, ReadOnly: readOnly,
		Holder: v.o.Holder, Until: fmt.Sprint(v.o.Now().Add(v.o.Longest).Unix()),
	}.request()
	made, err := v.engine.ContainerCreate(ctx, want.Config, want.HostConfig, want.NetworkingConfig, nil, c.name)
	if err != nil {
		// An answer that was lost may have been yes; then the name tells.
		return nil, errors.Join(translate(err, "mount volume %q", volume), c.close(ctx))
	}
	c.id = made.ID

	return c, nil
}

func (v *Volumes) hold(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()

	v.live[name] = true
}

func (v *Volumes) release(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()

	delete(v.live, name)
}

func (v *Volumes) held(name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()

	return v.live[name]
}

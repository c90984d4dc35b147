package voldata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
	"github.com/google/uuid"

	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Target is a volume that is to be made.
type Target struct {
	// Name that engines call it by.
	Name string
	// Driver and its options; empty means the engine's own.
	Driver  string
	Options map[string]string
	// Labels that it is to have, besides LabelOperation.
	Labels map[string]string
	// Operation is the one try of one operation that makes it, and the only one that Discard removes it for. It must not be
	// empty, and no other try may ever have it.
	Operation string
}

// Write makes a volume and fills it with what produce writes: the tar of a content, of which it returns what it was. The
// volume then has the same digest, which was read from it. It fails with swarmobj.ErrExists, and touches nothing, when there
// is a volume of that name, even of the same try: what is there may be whole, and in use, and only the caller knows. It fails
// with ErrDiffers when what is there is not what was written. Whenever it fails, what it has made is removed again, if the
// engine can still be asked; otherwise Discard does.
//
// Where a driver keeps data elsewhere than in the volume, as with a share of a network, what was written stays there, and the
// next try is refused because the volume is not empty.
func (v *Volumes) Write(ctx context.Context, t Target, produce func(io.Writer) (content.Summary, error)) (content.Summary, error) {
	if t.Operation == "" {
		return content.Summary{}, errors.New("write volume: the operation must be named")
	}
	call := uuid.NewString()
	if err := v.create(ctx, t, call); err != nil {
		return content.Summary{}, err
	}

	sum, err := v.fill(ctx, t.Name, produce)
	if err != nil {
		mine := func(labels map[string]string) bool { return labels[labelCall] == call }

		return content.Summary{}, errors.Join(err, v.discard(context.WithoutCancel(ctx), t.Name, mine))
	}

	return sum, nil
}

// Discard removes a volume that a try has made, whether it is whole or not. It is no error when there is none. It fails with
// swarmobj.ErrExists, and touches nothing, when it is of somebody else; and with swarmobj.ErrInUse when something mounts it
// that is not ours.
func (v *Volumes) Discard(ctx context.Context, name, operation string) error {
	return v.discard(ctx, name, func(labels map[string]string) bool {
		return operation != "" && labels[LabelOperation] == operation
	})
}

// RemoveSame removes a volume that was moved elsewhere: if that operation has made it (empty: none has), and its digest is
// that one. Otherwise it is left alone, and the result is false. It is no error when there is none.
func (v *Volumes) RemoveSame(ctx context.Context, name, operation, digest string) (bool, error) {
	same := func(labels map[string]string) bool { return labels[LabelOperation] == operation }

	there, err := v.Digest(ctx, name, content.Options{})
	switch {
	case errors.Is(err, swarmobj.ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	case there.Digest != digest:
		return false, nil
	}
	if err := v.discard(ctx, name, same); errors.Is(err, swarmobj.ErrExists) {
		return false, nil
	} else if err != nil {
		return false, err
	}

	return true, nil
}

func (v *Volumes) discard(ctx context.Context, name string, ours func(labels map[string]string) bool) error {
	inner, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()

	got, err := v.engine.VolumeInspect(inner, name)
	if err := translate(err, "look at volume %q", name); errors.Is(err, swarmobj.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if !ours(got.Labels) {
		return &Error{what: fmt.Sprintf("remove volume %q", name), class: swarmobj.ErrExists, cause: errors.New("somebody else has made it")}
	}
	// A try that was interrupted leaves its container, and nothing else of ours mounts what is to be discarded.
	if err := v.unmount(ctx, name); err != nil {
		return err
	}

	return v.remove(ctx, name)
}

// unmount removes containers of ours that mount a volume.
func (v *Volumes) unmount(ctx context.Context, name string) error {
	found, err := v.list(ctx, filters.Arg("volume", name))
	if err != nil {
		return err
	}
	for i := range found {
		c := &mounted{volumes: v, volume: name, id: found[i].ID}
		if err := c.close(ctx); err != nil {
			return err
		}
	}

	return nil
}

// list lists containers of this package, of whoever. A label alone does not make one: an image may have it, and so whatever runs of it.
func (v *Volumes) list(ctx context.Context, more ...filters.KeyValuePair) ([]container.Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()

	found, err := v.engine.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(append(more, filters.Arg("label", LabelHolder))...)})
	if err != nil {
		return nil, translate(err, "list what mounts volumes")
	}
	found = slices.DeleteFunc(found, func(c container.Summary) bool {
		return !slices.ContainsFunc(c.Names, func(name string) bool { return IsName(strings.TrimPrefix(name, "/")) })
	})

	return found, nil
}

// create makes the volume, if there is none. An engine that has one says yes as well: whose it is, its labels tell.
func (v *Volumes) create(ctx context.Context, t Target, call string) error {
	inner, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()

	labels := map[string]string{}
	maps.Copy(labels, t.Labels)
	labels[LabelOperation], labels[labelCall] = t.Operation, call

	got, err := v.engine.VolumeCreate(inner, volume.CreateOptions{Name: t.Name, Driver: t.Driver, DriverOpts: t.Options, Labels: labels})
	if errors.Is(translate(err, "make volume"), swarmobj.ErrInUse) || err == nil && got.Labels[labelCall] != call {
		return &Error{what: fmt.Sprintf("make volume %q", t.Name), class: swarmobj.ErrExists, cause: errors.Join(err, errors.New("it was not made by this call"))}
	}

	return translate(err, "make volume %q", t.Name)
}

// fill writes into a volume that must be empty, and reads it back.
func (v *Volumes) fill(ctx context.Context, name string, produce func(io.Writer) (content.Summary, error)) (content.Summary, error) {
	before, err := v.Digest(ctx, name, content.Options{MaxEntries: 1})
	if errors.Is(err, content.ErrRefused) || err == nil && before.Entries != 1 {
		return content.Summary{}, &Error{what: fmt.Sprintf("write volume %q", name), class: swarmobj.ErrRefused, cause: errors.New("it is new and not empty")}
	}
	if err != nil {
		return content.Summary{}, err
	}

	c, err := v.mount(ctx, name, false)
	if err != nil {
		return content.Summary{}, err
	}
	wrote, err := c.write(ctx, produce)
	if err := errors.Join(err, c.close(ctx)); err != nil {
		return content.Summary{}, err
	}

	there, err := v.Digest(ctx, name, content.Options{})
	if err != nil {
		return content.Summary{}, err
	}
	if there != wrote {
		return content.Summary{}, &Error{
			what: fmt.Sprintf("write volume %q", name), class: ErrDiffers,
			cause: fmt.Errorf("%+v was written, and %+v is there", wrote, there),
		}
	}

	return wrote, nil
}

// Copy makes a volume of another engine, or of the same, with what is in one of v. What both have is the same when it
// returns; whether anybody has written to the first one meanwhile, a second Digest of it tells.
func (v *Volumes) Copy(ctx context.Context, name string, to *Volumes, t Target, o content.Options) (content.Summary, error) {
	return to.Write(ctx, t, func(w io.Writer) (content.Summary, error) {
		r, err := v.Read(ctx, name)
		if err != nil {
			return content.Summary{}, err
		}
		sum, err := content.Copy(w, r, o)

		return sum, errors.Join(err, r.Close())
	})
}

package volumework

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// What failed, where the class alone does not tell.
var (
	errPause   = errors.New("freeze containers")
	errUnpause = errors.New("let containers go on")
	errWent    = errors.New("keep containers frozen")
	errStill   = errors.New("nothing moves while containers are frozen")
	errPlace   = errors.New("find the place of archives")
)

// failure is one of these, and why.
type failure struct{ what, cause error }

func (f *failure) Error() string   { return f.what.Error() + ": " + f.cause.Error() }
func (f *failure) Unwrap() []error { return []error{f.what, f.cause} }

// hookError is a hook that has failed, in words of ours; cause is for the log.
type hookError struct {
	fault        volumejob.Fault
	which, words string
	cause        error
}

func (h *hookError) Error() string { return h.which + " has failed: " + h.words }
func (h *hookError) Unwrap() error { return h.cause }

// cancelled is what a job ends with that was cancelled.
const cancelled = "it was cancelled"

// words are what is told of a failure.
type words struct {
	text      string
	fault     volumejob.Fault
	permanent bool
}

// explain gives an error words and a class. Whatever an engine or a store has said stays out of them. The order matters: an error
// may be of several classes, and the cause comes before what follows from it. given is true for a job that was cancelled: connections
// that end say the same of themselves.
func explain(o *volumejob.Order, err error, given bool) words {
	var hook *hookError
	var known interface{ Fault() volumejob.Fault }

	switch {
	case errors.Is(err, errPanic):
		return words{"something went wrong in Dogker itself, which its log tells", volumejob.FaultOther, false}
	case errors.Is(err, errKind):
		return words{fmt.Sprintf("there is no work of kind %q", o.Kind), volumejob.FaultOther, true}
	case errors.Is(err, errHeld):
		return words{"this server may not change anything at the moment", volumejob.FaultOther, false}
	case errors.Is(err, errStill):
		return words{fmt.Sprintf("nothing has moved for %v while containers were frozen for it: its node or the place where snapshots are kept stands still", stillPatience), volumejob.FaultOther, false}
	case given && errors.Is(err, context.Canceled):
		return words{cancelled, volumejob.FaultOther, false}
	case errors.Is(err, errPlace):
		// What a place says of itself names directories and Secrets of the platform's. The class tells it those who may read classes.
		switch {
		case !errors.As(err, &known):
			return words{"its VolumeSnapshotClass cannot be read at the moment", volumejob.FaultKey, false}
		case known.Fault() == volumejob.FaultKey:
			return words{"the key or the credentials of its VolumeSnapshotClass cannot be used", volumejob.FaultKey, false}
		default:
			return words{"the place where snapshots are kept cannot be used", known.Fault(), false}
		}
	case errors.Is(err, errWent):
		return words{"a container that mounts it did not stay frozen while it was read", volumejob.FaultChanging, false}
	case errors.Is(err, errPause):
		return words{"the containers that mount it cannot be frozen: their node does not answer, or its agent is older than this server", volumejob.FaultNode, false}
	}
	for _, explain := range []func(*volumejob.Order, error) (words, bool){ofStore, ofEngine, ofContent} {
		if w, is := explain(o, err); is {
			return w
		}
	}
	// Who is frozen comes before a hook: that one may be given up.
	switch {
	case errors.Is(err, errUnpause):
		return words{"containers were frozen, and it is not known whether they run again: their node does not answer", volumejob.FaultNode, false}
	case errors.As(err, &hook):
		return words{hook.Error(), hook.fault, false}
	}

	return words{"it has failed for a reason that the log of the server tells", volumejob.FaultOther, false}
}

// ofStore explains what stores have failed with.
func ofStore(_ *volumejob.Order, err error) (words, bool) {
	switch {
	case errors.Is(err, store.ErrFull):
		return words{"there is no room for it where snapshots are kept", volumejob.FaultFull, false}, true
	case errors.Is(err, store.ErrDenied):
		return words{"the place where snapshots are kept denies it: its credentials or rights do not suffice", volumejob.FaultStore, false}, true
	case errors.Is(err, store.ErrUnavailable):
		return words{"the place where snapshots are kept does not answer", volumejob.FaultStore, false}, true
	case errors.Is(err, store.ErrNotFound):
		return words{"the archive is not where snapshots are kept, or that place is gone", volumejob.FaultArchive, false}, true
	case errors.Is(err, store.ErrExists):
		return words{"there is something of that name where snapshots are kept", volumejob.FaultStore, false}, true
	case errors.Is(err, store.ErrRefused):
		return words{"the place where snapshots are kept does not take it", volumejob.FaultStore, true}, true
	case errors.Is(err, archive.ErrRefused):
		return words{"the archive is not what was stored, or the key of its class does not open it: " + reason(err, archive.ErrRefused), volumejob.FaultArchive, true}, true
	}

	return words{}, false
}

// ofEngine explains what engines have failed with.
func ofEngine(o *volumejob.Order, err error) (words, bool) {
	var engine *voldata.Error
	if !errors.As(err, &engine) && !errors.Is(err, voldata.ErrDiffers) {
		return words{}, false
	}

	switch {
	case errors.Is(err, voldata.ErrFull):
		return words{"its node has no room for it", volumejob.FaultFull, false}, true
	case errors.Is(err, voldata.ErrDiffers):
		return words{"what is on its node is not what was written there", volumejob.FaultOther, false}, true
	case errors.Is(err, swarmobj.ErrRefused):
		return words{"its node refuses it: its agent may be older than this server, or its driver does not do it", volumejob.FaultNode, false}, true
	case errors.Is(err, swarmobj.ErrUnavailable), errors.Is(err, context.Canceled):
		return words{"its node does not answer", volumejob.FaultNode, false}, true
	case errors.Is(err, swarmobj.ErrNotFound):
		return words{"there is no such volume on its node", volumejob.FaultOther, false}, true
	case errors.Is(err, swarmobj.ErrExists):
		return words{fmt.Sprintf("its node has a volume %q already", o.Target.Name), volumejob.FaultOther, false}, true
	case errors.Is(err, swarmobj.ErrInUse):
		return words{"a container still mounts it", volumejob.FaultOther, false}, true
	}

	return words{}, false
}

// ofContent explains what was wrong with what was read.
func ofContent(o *volumejob.Order, err error) (words, bool) {
	switch {
	case errors.Is(err, content.ErrBroken) && o.Kind == volumejob.Save && !o.Quiet.Pause:
		return words{"its files change while they are read: set spec.snapshots.quiesce to Pause, or take it from a hook's dump", volumejob.FaultChanging, false}, true
	case errors.Is(err, content.ErrBroken):
		return words{"its files change while they are read: something writes to it that is not stopped", volumejob.FaultChanging, false}, true
	case errors.Is(err, content.ErrRefused):
		return words{"what is in it cannot be taken: " + reason(err, content.ErrRefused), volumejob.FaultOther, true}, true
	}

	return words{}, false
}

// reason is what rooms of ours say of what they refuse. It names files of the volume, as their owner has called them.
func reason(err, class error) string {
	const limit = 300

	text := strings.Join(strings.Fields(lowest(err, class).Error()), " ")
	text = strings.TrimPrefix(strings.TrimSuffix(text, ": "+class.Error()), class.Error()+": ")
	if r := []rune(text); len(r) > limit {
		text = string(r[:limit]) + "…"
	}

	return text
}

// lowest is the last error of a chain that is of the class and says more than it.
func lowest(err, class error) error {
	for {
		var next error
		switch e := err.(type) { //nolint:errorlint // It walks the chain itself.
		case interface{ Unwrap() error }:
			next = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				if errors.Is(one, class) && one != class { //nolint:errorlint // The class itself says nothing.
					next = one
				}
			}
		}
		if next == nil || next == class || !errors.Is(next, class) { //nolint:errorlint // As above.
			return err
		}
		err = next
	}
}

// causes are all that is known of an error, for the log: also what an engine has said.
func causes(err error) string {
	text := err.Error()
	var engine *voldata.Error
	if errors.As(err, &engine) && engine.Cause() != nil {
		text += ": " + engine.Cause().Error()
	}
	var hook *hookError
	if errors.As(err, &hook) && hook.cause != nil {
		text += ": " + hook.cause.Error()
	}

	return text
}

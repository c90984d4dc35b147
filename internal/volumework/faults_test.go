package volumework_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	cerrdefs "github.com/containerd/errdefs"

	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/internal/volumework"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// fails makes calls that begin so fail.
func (w *world) fails(call string, err error) {
	w.script(func(_ int, c string) error {
		if strings.HasPrefix(c, call) {
			return err
		}

		return nil
	})
}

// errSecret is what an engine or a store says, and nobody may be told.
var errSecret = errors.New("open /var/lib/docker/volumes: dial tcp 10.0.0.7:2376")

func said(class error) error { return fmt.Errorf("%w: %w", class, errSecret) }

// TestFaults wants failures to be told apart, in words of ours.
func TestFaults(t *testing.T) {
	cut := func(w *world) {
		w.nodes["a"].Alter = func(data []byte) io.Reader { return bytes.NewReader(data[:200_000]) }
	}
	for name, c := range map[string]struct {
		order     func() *volumejob.Order
		harm      func(w *world)
		fault     volumejob.Fault
		permanent bool
		says      string
		// frozen is what was not undone.
		frozen bool
	}{
		"FilesChange": {
			order: func() *volumejob.Order { o := save(); o.Quiet = volumejob.Quiet{}; return o }, harm: cut,
			fault: volumejob.FaultChanging, says: "its files change while they are read: set spec.snapshots.quiesce to Pause, or take it from a hook's dump",
		},
		"FilesChangeThoughPaused": {order: save, harm: cut, fault: volumejob.FaultChanging, says: "something writes to it that is not stopped"},
		"FilesChangeInMove":       {order: copying, harm: cut, fault: volumejob.FaultChanging, says: "something writes to it that is not stopped"},
		"WentOn": {
			order: save, harm: func(w *world) { w.went["a/"+volume] = true },
			fault: volumejob.FaultChanging, says: "did not stay frozen",
		},
		"StillUnknown": {
			order: save, harm: func(w *world) { w.fails("still", said(swarmobj.ErrUnavailable)) },
			fault: volumejob.FaultNode, says: "cannot be frozen: their node does not answer",
		},
		"NotPaused": {
			order: save, harm: func(w *world) { w.fails("pause", said(swarmobj.ErrRefused)) },
			fault: volumejob.FaultNode, says: "cannot be frozen",
		},
		"Reading": {
			order: save, harm: func(w *world) { w.fails("read a", said(io.ErrUnexpectedEOF)) },
			fault: volumejob.FaultNode, says: "its node does not answer",
		},
		"ReadingGivenUp": {
			// A connection that ends says so of itself; nobody has cancelled the job.
			order: save, harm: func(w *world) { w.fails("read a", said(context.Canceled)) },
			fault: volumejob.FaultNode, says: "its node does not answer",
		},
		"NoNode": {
			order: func() *volumejob.Order { o := save(); o.Quiet, o.Source.Node = volumejob.Quiet{}, "c"; return o }, harm: func(*world) {},
			fault: volumejob.FaultNode, says: "its node does not answer",
		},
		"OldAgent": {
			order: copying, harm: func(w *world) { w.fails("VolumeCreate", said(cerrdefs.ErrPermissionDenied)) },
			fault: volumejob.FaultNode, says: "its agent may be older than this server",
		},
		"NodeFull": {
			order: copying, harm: func(w *world) {
				w.fails("CopyToContainer", said(errors.New("no space left on device")))
			},
			fault: volumejob.FaultFull, says: "its node has no room for it",
		},
		"Taken": {
			order: copying, harm: func(w *world) { w.fill("b", volume, []byte("precious")) },
			says: `its node has a volume "acme_data" already`,
		},
		"NoVolume": {
			order: copying, harm: func(w *world) { delete(w.nodes["a"].Volumes, volume) },
			says: "there is no such volume on its node",
		},
		"Mounted": {
			order: func() *volumejob.Order {
				o := copying()
				o.Kind = volumejob.Remove

				return o
			},
			harm: func(w *world) { w.fails("VolumeRemove", said(cerrdefs.ErrConflict)) },
			says: "a container still mounts it",
		},
		"StoreFull":   {order: save, harm: func(w *world) { w.fails("put", store.ErrFull) }, fault: volumejob.FaultFull, says: "no room for it where snapshots are kept"},
		"StoreDenies": {order: save, harm: func(w *world) { w.fails("put", store.ErrDenied) }, fault: volumejob.FaultStore, says: "denies it"},
		"StoreDown":   {order: save, harm: func(w *world) { w.fails("stat", store.ErrUnavailable) }, fault: volumejob.FaultStore, says: "does not answer"},
		"StoreRefuses": {
			order: save, harm: func(w *world) { w.fails("put", store.ErrRefused) },
			fault: volumejob.FaultStore, permanent: true, says: "does not take it",
		},
		"NoClass": {
			order: func() *volumejob.Order { o := save(); o.Archive.Class = "gone"; return o }, harm: func(*world) {},
			fault: volumejob.FaultKey, says: "the key or the credentials of its VolumeSnapshotClass cannot be used",
		},
		"NoArchive": {order: restore, harm: func(*world) {}, fault: volumejob.FaultArchive, says: "the archive is not where snapshots are kept"},
		"ArchiveCut": {
			order: restore, harm: func(w *world) { w.shorten() },
			fault: volumejob.FaultArchive, permanent: true, says: "it was cut off or changed",
		},
		"OtherSum": {
			order: func() *volumejob.Order {
				o := restore()
				o.Archive.SHA256 = strings.Repeat("0", 64)

				return o
			},
			harm:  func(w *world) { w.do(save()) },
			fault: volumejob.FaultArchive, permanent: true, says: "it has another SHA-256 than was recorded",
		},
		"OtherVolume": {
			order: func() *volumejob.Order { o := restore(); o.Archive.UID = "other"; return o }, harm: func(w *world) { w.do(save()) },
			fault: volumejob.FaultArchive, permanent: true, says: "it is of another Volume",
		},
		"TooLarge": {
			order: func() *volumejob.Order { o := restore(); o.MaxBytes = 1000; return o }, harm: func(w *world) { w.do(save()) },
			permanent: true, says: "it would hold 300000 bytes and may hold 1000",
		},
		"PreHookFails": {
			order: save, harm: func(w *world) { w.exit["freeze"], w.tail = 3, "begin\nERROR: not now\n" },
			fault: volumejob.FaultHook, says: "the hook before reading has failed: it ended with exit code 3: ERROR: not now",
		},
		"PreHookHangs": {
			order: func() *volumejob.Order { o := save(); o.Quiet.Pre.Command = []string{"sleep"}; return o }, harm: func(*world) {},
			fault: volumejob.FaultHook, says: "it has not ended within 1m0s",
		},
		"PreHookUnreachable": {
			order: save, harm: func(w *world) { w.fails("hook freeze", said(swarmobj.ErrUnavailable)) },
			fault: volumejob.FaultNode, says: "the node of its container does not answer",
		},
		"PostHookFails": {
			order: save, harm: func(w *world) { w.exit["thaw"] = 1 },
			fault: volumejob.FaultHook, says: "the hook after reading has failed: it ended with exit code 1", frozen: true,
		},
		"NotThawed": {
			order: thaw, harm: func(w *world) {
				w.exit["thaw"] = 1
				w.fails("unpause", said(swarmobj.ErrUnavailable))
			},
			// A hook would be given up some time.
			fault: volumejob.FaultNode, says: "it is not known whether they run again", frozen: true,
		},
		"NotTheLeader": {order: copying, harm: func(w *world) { w.fails("hold", errSecret) }, says: "this server may not change anything at the moment"},
		"NoKind": {
			order: func() *volumejob.Order { o := copying(); o.Kind = "Polish"; return o }, harm: func(*world) {},
			permanent: true, says: `there is no work of kind "Polish"`,
		},
		"Panic": {
			order: copying, harm: func(w *world) {
				w.script(func(_ int, c string) error {
					if c == "ContainerCreate b" {
						panic("boom")
					}

					return nil
				})
			},
			says: "something went wrong in Dogker itself",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				o := c.order()
				if o.Kind == volumejob.Remove {
					o.Digest = w.digestOf("a", volume)
				}
				w.start()
				c.harm(w)
				j := w.do(o)
				if !strings.Contains(j.Err, c.says) || j.Fault != c.fault || j.Permanent != c.permanent || j.Thawed == c.frozen {
					t.Errorf("it ended as %+v, want %q, fault %q, permanent %v, thawed %v", j, c.says, c.fault, c.permanent, !c.frozen)
				}
				if strings.Contains(j.Err, "/var/lib") || strings.Contains(j.Err, "10.0.0") || strings.Contains(j.Err, "\n") || strings.HasSuffix(j.Err, ".") {
					t.Errorf("it tells %q", j.Err)
				}
				if j.Receipt != (volumejob.Receipt{}) {
					t.Errorf("it has a receipt: %+v", j.Receipt)
				}
			})
		})
	}
}

// shorten makes a snapshot, and cuts off its end.
func (w *world) shorten() {
	w.do(save())
	m := w.dir.(*memory)
	for name, data := range m.objects {
		m.objects[name] = data[:len(data)-20_000]
	}
}

// TestWhatGoesOn is what fails and does not matter, or not yet.
func TestWhatGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		harm   func(w *world, o *volumejob.Order)
		thawed bool
	}{
		"NoTaskRuns":    {func(w *world, _ *volumejob.Order) { clear(w.exit) }, true},
		"HookContinues": {func(w *world, o *volumejob.Order) { w.exit["freeze"], o.Quiet.Pre.Continue = 1, true }, true},
		"PostContinues": {func(w *world, o *volumejob.Order) { w.exit["thaw"], o.Quiet.Post.Continue = 1, true }, true},
		// It was stored; whoever ordered it has to see to the rest.
		"NotUnpaused":         {func(w *world, _ *volumejob.Order) { w.fails("unpause", said(swarmobj.ErrUnavailable)) }, false},
		"PostHookUnreachable": {func(w *world, _ *volumejob.Order) { w.fails("hook thaw", said(swarmobj.ErrUnavailable)) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.start()
				o := save()
				c.harm(w, o)
				if j := w.do(o); j.Err != "" || j.Receipt.Digest == "" || j.Thawed != c.thawed {
					t.Errorf("it ended as %+v", j)
				}
			})
		})
	}
}

// TestSweeps wants what was left to be removed: at the start, when a node comes back, and from time to time.
func TestSweeps(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		// A process before has been killed while it read.
		w.start()
		kill := func() {
			w.script(func(_ int, c string) error {
				if c == "ContainerRemove a" {
					return errDead
				}

				return nil
			})
			o := copying()
			o.Kind, o.Target = volumejob.Verify, o.Source
			w.do(o)
			w.stop()
			if !strings.Contains(w.left(), "container") {
				t.Fatalf("left is %s, want a container", w.left())
			}
		}
		kill()
		w.script(nil)
		w.start()
		if got := w.left(); got != alone {
			t.Errorf("after the start left is %s", got)
		}

		kill()
		w.fails("ContainerList", errDead)
		w.start()
		time.Sleep(time.Minute)
		w.script(nil)
		time.Sleep(3 * time.Minute)
		if got := w.left(); got != alone {
			t.Errorf("some minutes after the node came back left is %s", got)
		}

		w.script(nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := w.did("ContainerList a"); got < 5 || got > 7 {
			t.Errorf("in an hour it has looked %d times, want every ten minutes", got)
		}
		swept := w.dir.(*memory).swept
		time.Sleep(4 * 24 * time.Hour)
		synctest.Wait()
		if got := w.dir.(*memory).swept - swept; got < 3 || got > 5 {
			t.Errorf("in four days the store was swept %d times", got)
		}
	})
}

// TestBounded wants controllers not to wait for a node that does not answer.
func TestBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start(func(o *volumework.Options) {
			o.Hold = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		})
		w.nodes["b"].Put(volume, map[string]string{"io.dogker.volume-operation": "move/v/1/1"})
		began := time.Now()
		if err := w.worker.Discard(t.Context(), "b", volume, "move/v/1/1"); err == nil || time.Since(began) > 31*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

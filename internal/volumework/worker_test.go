package volumework_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/internal/voldata/store/directory"
	"github.com/dogker/dogker/internal/volumework"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volumejob"
)

var noOptions content.Options

const alone = "a: volume " + volume

// inBubble runs a test under fake time. It fails when a goroutine of a process is left after its end.
func inBubble(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f(t, w)
		if w.stop != nil {
			w.stop()
		}
	})
}

// TestEveryKind does each once, on data that goes all the way around.
func TestEveryKind(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		dir, err := directory.New(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		w.dir = dir
		want := w.digestOf("a", volume)
		w.start()

		saved := w.do(save())
		if saved.Err != "" || !saved.Thawed || saved.Digest != want || saved.Receipt.UID != restUID || saved.Receipt.Bytes != 300_000 || !saved.Receipt.Time.Equal(began) || saved.Bytes < 600_000 {
			t.Fatalf("saved: %+v", saved)
		}
		check := save()
		check.Kind, check.Archive.SHA256 = volumejob.Check, saved.Receipt.SHA256
		if got := w.do(check); got.Err != "" || got.Receipt != saved.Receipt {
			t.Errorf("checked: %+v, want receipt %+v", got, saved.Receipt)
		}
		if got := w.do(restore()); got.Err != "" || got.Digest != want || w.digestOf("b", volume+"-r1") != want {
			t.Errorf("restored: %+v", got)
		}
		if p, err := w.worker.Look(t.Context(), "b", volume+"-r1"); err != nil || p != (volumejob.Presence{There: true, Operation: "restore/v/1/1"}) {
			t.Errorf("what was restored is %+v, %v", p, err)
		}
		if err := w.worker.Discard(t.Context(), "b", volume+"-r1", "restore/v/1/2"); !errors.Is(err, swarmobj.ErrExists) {
			t.Errorf("discarding what another try has made: %v, want ErrExists", err)
		}
		if err := w.worker.Discard(t.Context(), "b", volume+"-r1", "restore/v/1/1"); err != nil {
			t.Error(err)
		}

		if got := w.do(copying()); got.Err != "" || got.Digest != want {
			t.Errorf("copied: %+v", got)
		}
		verify := copying()
		verify.Kind = volumejob.Verify
		if got := w.do(verify); got.Err != "" || got.SourceDigest != want || got.TargetDigest != want {
			t.Errorf("verified: %+v", got)
		}
		remove := copying()
		remove.Kind, remove.Digest = volumejob.Remove, "volume1:other"
		if got := w.do(remove); got.Err != "" || !got.Changed {
			t.Errorf("removing what has changed: %+v, want it kept", got)
		}
		remove.Digest = want
		if got := w.do(remove); got.Err != "" || got.Changed {
			t.Errorf("removed: %+v", got)
		}
		erase := save()
		erase.Kind = volumejob.Erase
		if got := w.do(erase); got.Err != "" {
			t.Errorf("erased: %+v", got)
		}
		if got := w.left(); got != "b: volume "+volume || len(w.archives()) > 0 {
			t.Errorf("left is %s and %v", got, w.archives())
		}
	})
}

// TestSaveInOrder wants containers to be frozen while data is read, and not longer.
func TestSaveInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start()
		w.script(nil)
		if got := w.do(save()); got.Err != "" {
			t.Fatal(got.Err)
		}
		var got []string
		for _, c := range w.calls {
			switch f := strings.Fields(c)[0]; f {
			case "hook", "pause", "still", "unpause", "put", "get", "CopyFromContainer":
				got = append(got, c)
			}
		}
		// The store is begun while the volume is read, in no order that matters.
		got = strings.Split(strings.Replace(strings.Join(got, ", "), "put, ", "", 1), ", ")
		want := []string{"hook freeze", "pause a", "CopyFromContainer a", "still a", "unpause a", "hook thaw", "get"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("it did (-want +got):\n%s", diff)
		}

		// What is stored needs nobody to stand still.
		w.script(nil)
		if got := w.do(save()); got.Err != "" || w.did("pause")+w.did("hook")+w.did("CopyFrom") > 0 {
			t.Errorf("saved again: %+v, after %v", got, w.calls)
		}
	})
}

// TestOneAtATime holds jobs of an owner apart.
func TestOneAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start(func(o *volumework.Options) { o.Limits.Background = 1 })
		var told []string
		w.worker.Subscribe(func(owner string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			told = append(told, owner)
		})
		release := make(chan struct{})
		w.script(func(_ int, call string) error {
			if call == "put" {
				<-release
			}

			return nil
		})

		first := save()
		w.worker.Order(*first)
		second := save()
		second.Operation = "snapshot/s/2"
		w.worker.Order(*second)
		other := save()
		other.Owner, other.Archive.Name = "o", "acme/data/o.age"
		w.worker.Order(*other)
		gone := save()
		gone.Owner = "gone"
		w.worker.Order(*gone)
		synctest.Wait()

		if j, is := w.worker.Job("s"); !is || j.Operation != "snapshot/s/1" || j.Ended || j.Began.IsZero() {
			t.Errorf("the first is %+v, %v", j, is)
		}
		if j, is := w.worker.Job("o"); !is || j.Ended || !j.Began.IsZero() || j.Bytes != 0 {
			t.Errorf("the one that waits is %+v, %v", j, is)
		}
		w.worker.Dismiss("s")
		w.worker.Cancel("gone")
		if j, _ := w.worker.Job("gone"); !j.Ended || j.Err == "" || !j.Thawed {
			t.Errorf("the one that waited and was cancelled is %+v", j)
		}
		w.worker.Dismiss("gone")

		close(release)
		if j := w.wait("s"); j.Err != "" {
			t.Error(j.Err)
		}
		w.worker.Order(*second)
		if j := w.wait("s"); j.Operation != "snapshot/s/1" {
			t.Errorf("a job that was not dismissed has become %+v", j)
		}
		if j := w.wait("o"); j.Err != "" {
			t.Error(j.Err)
		}
		synctest.Wait() // Hints come after what they are about.
		if diff := cmp.Diff([]string{"gone", "s", "o"}, told); diff != "" {
			t.Errorf("told was (-want +got):\n%s", diff)
		}
		if _, is := w.worker.Job("gone"); is {
			t.Error("what was dismissed is there")
		}
		// Nobody asks for them any more.
		time.Sleep(2 * time.Hour)
		if _, is := w.worker.Job("o"); is {
			t.Error("what nobody asks for is there for ever")
		}
	})
}

// TestBeforeAndAfter wants nothing done before the process leads, nor after.
func TestBeforeAndAfter(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		idle := volumework.New(volumework.Options{Engines: w, Nodes: w, Places: w})
		idle.Order(*save())
		time.Sleep(time.Hour)
		if j, is := idle.Job("s"); !is || !j.Began.IsZero() || len(w.calls) > 0 || !idle.Settled() {
			t.Errorf("before it leads it has %+v and did %v", j, w.calls)
		}

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = idle.Run(ctx) }()
		synctest.Wait()
		if j, _ := idle.Job("s"); !j.Ended || j.Err != "" || idle.Settled() {
			t.Errorf("what was ordered before is %+v", j)
		}
		cancel()
		<-done
		idle.Dismiss("s")
		w.script(nil)
		idle.Order(*copying())
		time.Sleep(time.Hour)
		if len(w.calls) > 0 || !idle.Settled() {
			t.Errorf("after its end it did %v", w.calls)
		}
	})
}

// TestStandsStill wants containers to go on although a store that takes nothing is never heard of again.
func TestStandsStill(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.start()
		deaf := make(chan struct{})
		w.script(func(_ int, call string) error {
			if call == "put" {
				<-deaf
			}

			return nil
		})
		w.worker.Order(*save())
		synctest.Wait()
		if w.left() == alone {
			t.Fatal("nothing is frozen")
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if strings.Contains(w.left(), "frozen") || w.did("hook thaw") != 1 {
			t.Errorf("after ten minutes left is %s", w.left())
		}
		close(deaf)
		if j := w.wait("s"); !j.Thawed || !strings.HasPrefix(j.Err, "nothing has moved for 3m0s") {
			t.Errorf("it ended as %+v", j)
		}
		if w.left() != alone || len(w.archives()) > 0 {
			t.Errorf("left is %s and %v", w.left(), w.archives())
		}
	})
}

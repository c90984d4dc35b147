package voldata_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/dogker/dogker/internal/fake/volumes"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

var noon = time.Unix(1_700_000_000, 0)

var options = voldata.Options{Holder: "server-1"}

// files is the tar of a volume with one file.
func files(t *testing.T, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "volume/", Mode: 0o755, ModTime: noon},
		{Typeflag: tar.TypeReg, Name: "volume/a", Mode: 0o644, Size: int64(len(data)), ModTime: noon},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	return b.Bytes()
}

func produce(data []byte) func(io.Writer) (content.Summary, error) {
	return func(w io.Writer) (content.Summary, error) {
		return content.Copy(w, bytes.NewReader(data), content.Options{})
	}
}

func TestWriteAndRead(t *testing.T) {
	e := volumes.New()
	v := voldata.New(e, options)
	wrote, err := v.Write(t.Context(), voldata.Target{Name: "acme_data", Labels: map[string]string{"mine": "yes"}, Operation: "op/1"}, produce(files(t, "hello")))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Digest(t.Context(), "acme_data", content.Options{}); err != nil || got != wrote {
		t.Errorf("it is %+v, %v, want %+v", got, err, wrote)
	}
	if labels := e.Volumes["acme_data"].Labels; labels["mine"] != "yes" || labels[voldata.LabelOperation] != "op/1" {
		t.Errorf("its labels are %v", labels)
	}
	if left := e.Left(); left != "volume acme_data" {
		t.Errorf("left is %s, want the volume alone", left)
	}
}

// TestGoneMeanwhile removes a volume between the look at it and the mount, which then makes an empty one.
func TestGoneMeanwhile(t *testing.T) {
	e := volumes.New()
	e.Put("acme_data", nil)
	e.Before = func(e *volumes.Engine, op, _ string) error {
		if op == "ContainerCreate" {
			delete(e.Volumes, "acme_data")
		}

		return nil
	}
	if _, err := voldata.New(e, options).Read(t.Context(), "acme_data"); !errors.Is(err, swarmobj.ErrNotFound) {
		t.Errorf("error is %v, want ErrNotFound", err)
	}
	if left := e.Left(); left != "" {
		t.Errorf("left is %s, want nothing", left)
	}
}

// TestMadeByMistakeOnce is a server that was killed in the middle of that: the empty volume is no volume.
func TestMadeByMistakeOnce(t *testing.T) {
	e := volumes.New()
	e.Put("acme_data", nil)
	e.Before = func(e *volumes.Engine, op, name string) error {
		switch op {
		case "ContainerCreate":
			delete(e.Volumes, "acme_data")
		case "VolumeRemove":
			return errors.New("killed")
		}

		return nil
	}
	if _, err := voldata.New(e, options).Read(t.Context(), "acme_data"); err == nil {
		t.Error("it was read")
	}
	e.Before = nil
	if _, err := voldata.New(e, options).Read(t.Context(), "acme_data"); !errors.Is(err, swarmobj.ErrNotFound) {
		t.Errorf("error is %v, want ErrNotFound", err)
	}
}

// TestFailures fails each call, and wants an error with its class, nothing of what the engine has said, and nothing left.
func TestFailures(t *testing.T) {
	for _, op := range []string{"ImageInspect", "ImageLoad", "VolumeInspect", "VolumeCreate", "ContainerCreate", "CopyFromContainer", "CopyToContainer"} {
		for text, class := range map[string]error{
			"dial unix /var/run/docker.sock: connection refused":       swarmobj.ErrUnavailable,
			"write /var/lib/docker/volumes/x: no space left on device": voldata.ErrFull,
		} {
			e := volumes.New()
			var failed atomic.Bool
			e.Before = func(_ *volumes.Engine, at, _ string) error {
				if at == op && failed.CompareAndSwap(false, true) {
					return errors.New(text)
				}

				return nil
			}
			_, err := voldata.New(e, options).Write(t.Context(), voldata.Target{Name: "acme_data", Operation: "op/1"}, produce(files(t, "hello")))
			if !errors.Is(err, class) || strings.Contains(err.Error(), "/var/") {
				t.Errorf("%s fails by %q: %v, want %v without paths", op, text, err, class)
			}
			if left := e.Left(); left != "" {
				t.Errorf("%s fails: left is %s, want nothing", op, left)
			}
		}
	}
}

// TestDiffers is a disk that does not keep what it is given.
func TestDiffers(t *testing.T) {
	e := volumes.New()
	other := files(t, "jello")
	e.Alter = func(data []byte) io.Reader {
		if bytes.Contains(data, []byte("hello")) {
			return bytes.NewReader(other)
		}

		return bytes.NewReader(data)
	}
	_, err := voldata.New(e, options).Write(t.Context(), voldata.Target{Name: "acme_data", Operation: "op/1"}, produce(files(t, "hello")))
	if !errors.Is(err, voldata.ErrDiffers) {
		t.Errorf("error is %v, want ErrDiffers", err)
	}
	if left := e.Left(); left != "" {
		t.Errorf("left is %s, want nothing", left)
	}
}

// TestTwoOfOneTry are two servers that both believe to lead: one of them writes, and the other does not take it away.
func TestTwoOfOneTry(t *testing.T) {
	e := volumes.New()
	v := voldata.New(e, options)
	target := voldata.Target{Name: "acme_data", Operation: "op/1"}
	if _, err := v.Write(t.Context(), target, produce(files(t, "hello"))); err != nil {
		t.Fatal(err)
	}
	if _, err := voldata.New(e, options).Write(t.Context(), target, produce(files(t, "hello"))); !errors.Is(err, swarmobj.ErrExists) {
		t.Errorf("the second: %v, want ErrExists", err)
	}
	if _, err := v.Digest(t.Context(), "acme_data", content.Options{}); err != nil {
		t.Errorf("what the first has made: %v", err)
	}
	if err := v.Discard(t.Context(), "acme_data", "op/2"); !errors.Is(err, swarmobj.ErrExists) {
		t.Errorf("discarding it as another: %v, want ErrExists", err)
	}
	if err := v.Discard(t.Context(), "acme_data", "op/1"); err != nil {
		t.Errorf("discarding it: %v", err)
	}
	if left := e.Left(); left != "" {
		t.Errorf("left is %s, want nothing", left)
	}
}

// TestCutOff is an engine that ends in the middle, also where an entry ends, which looks like an end.
func TestCutOff(t *testing.T) {
	whole := files(t, strings.Repeat("x", 512))
	for _, n := range []int{0, 512, 700, 1024, 1536, 2048} {
		e := volumes.New()
		e.Put("acme_data", nil)
		e.Data["acme_data"] = whole[:n]
		if _, err := voldata.New(e, options).Digest(t.Context(), "acme_data", content.Options{}); !errors.Is(err, content.ErrBroken) {
			t.Errorf("cut after %d of %d bytes: %v, want ErrBroken", n, len(whole), err)
		}
	}
}

// TestStillEngine neither sends nor takes anything: it is given up, under a clock of the test's own.
func TestStillEngine(t *testing.T) {
	t.Run("Reading", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := volumes.New()
			e.Put("acme_data", nil)
			e.Alter = func(data []byte) io.Reader { return io.MultiReader(bytes.NewReader(data[:600]), volumes.Still{}) }
			began := time.Now()
			_, err := voldata.New(e, options).Digest(t.Context(), "acme_data", content.Options{})
			if waited := time.Since(began); !errors.Is(err, swarmobj.ErrUnavailable) || waited != 10*time.Minute {
				t.Errorf("after %s: %v, want ErrUnavailable after ten minutes", waited, err)
			}
		})
	})
	t.Run("Writing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := volumes.New()
			e.Deaf = true
			began := time.Now()
			_, err := voldata.New(e, options).Write(t.Context(), voldata.Target{Name: "acme_data", Operation: "op/1"}, produce(files(t, "hello")))
			if waited := time.Since(began); !errors.Is(err, swarmobj.ErrUnavailable) || waited != 10*time.Minute {
				t.Errorf("after %s: %v, want ErrUnavailable after ten minutes", waited, err)
			}
			if left := e.Left(); left != "" {
				t.Errorf("left is %s, want nothing", left)
			}
		})
	})
	t.Run("SlowSource", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			// It is not the engine that is slow.
			e := volumes.New()
			_, err := voldata.New(e, options).Write(t.Context(), voldata.Target{Name: "acme_data", Operation: "op/1"}, func(w io.Writer) (content.Summary, error) {
				time.Sleep(time.Hour)

				return produce(files(t, "hello"))(w)
			})
			if err != nil {
				t.Errorf("a source that takes an hour: %v", err)
			}
		})
	})
}

// TestCancelled wants everything to be gone that was begun.
func TestCancelled(t *testing.T) {
	e := volumes.New()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := voldata.New(e, options).Write(ctx, voldata.Target{Name: "acme_data", Operation: "op/1"}, func(w io.Writer) (content.Summary, error) {
		cancel()

		return content.Summary{}, ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", err)
	}
	if left := e.Left(); left != "" {
		t.Errorf("left is %s, want nothing", left)
	}
}

// TestForeignImage is one by our name that is made of something else.
func TestForeignImage(t *testing.T) {
	e := volumes.New()
	e.Put("acme_data", nil)
	foreign := e.Images[voldata.Image]
	foreign.ID, foreign.RootFS.Layers = "sha256:theirs", []string{"sha256:theirs"}
	e.Images[voldata.Image] = foreign
	if _, err := voldata.New(e, options).Digest(t.Context(), "acme_data", content.Options{}); err != nil {
		t.Errorf("it was not replaced: %v", err)
	}
}

// TestSweep wants what is held, here or elsewhere, to stay.
func TestSweep(t *testing.T) {
	e := volumes.New()
	e.Put("acme_data", nil)
	now := noon
	clock := func() time.Time { return now }
	with := func(holder string) *voldata.Volumes {
		return voldata.New(e, voldata.Options{Holder: holder, Now: clock})
	}
	mine, before, other := with("server-1"), with("server-1"), with("server-2")
	var held []io.Closer
	for _, v := range []*voldata.Volumes{mine, before, other} {
		r, err := v.Read(t.Context(), "acme_data")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, r)
	}

	// An image may have the label, and then so has the task that runs of it.
	if _, err := e.ContainerCreate(t.Context(), &container.Config{Image: "sha256:ours", Labels: map[string]string{voldata.LabelHolder: "server-1"}},
		&container.HostConfig{Mounts: []mount.Mount{{Source: "acme_data", VolumeOptions: &mount.VolumeOptions{NoCopy: true}}}}, nil, nil, "acme_web.1.x"); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {0, 0}, {23 * time.Hour, 0}, {2 * time.Hour, 1}} {
		now = now.Add(c.after)
		if n, err := mine.Sweep(t.Context()); err != nil || n != c.want {
			t.Errorf("%s after noon %d were swept, %v, want %d", now.Sub(noon), n, err, c.want)
		}
	}
	for _, r := range held {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if err := e.ContainerRemove(t.Context(), "acme_web.1.x", container.RemoveOptions{}); err != nil {
		t.Errorf("what only has our label: %v", err)
	}
	if left := e.Left(); left != "volume acme_data" {
		t.Errorf("left is %s, want the volume", left)
	}

	e.Before = func(_ *volumes.Engine, op, _ string) error {
		if op == "ContainerList" {
			return cerrdefs.ErrUnavailable
		}

		return nil
	}
	if _, err := mine.Sweep(t.Context()); !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("an engine that does not answer: %v, want ErrUnavailable", err)
	}
}

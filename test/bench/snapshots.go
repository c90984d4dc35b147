package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

// tarSum is the arm that snapshots are compared with.
const tarSum = "tar and sha256sum"

// Figures of the benchmark of snapshots, for each kind of data.
const (
	saveSpeed    = "%s: snapshot"
	restoreSpeed = "%s: restore"
	archivePart  = "%s: archive, of the data"
	serverMemory = "resident memory of Dogker, before the first snapshot"
	serverPeak   = "resident memory of Dogker, at most"
)

// kinds of data, and what writes a file of it.
var kinds = []struct {
	name  string
	write func(file string, bytes int, seed uint64) error
}{
	{"noise", writeNoise},
	{"logs", writeLog},
}

var snapshots = benchmark{
	name:  "snapshots",
	title: "Snapshots of Volumes, and restores",
	about: "A Volume of a running container holds files of 8 MiB (128 MiB in profile quick, 1 GiB in full): noise that no program can make " +
		"smaller, or lines as web servers write them. A snapshot is read, compressed, encrypted, stored in a directory and read back; its time ends " +
		"when it is Ready. Beside it `tar | sha256sum` reads the same files and stores nothing. A restore reads the archive twice, fills a new " +
		"Volume and reads that back; beside it tar copies the files into a directory and `tar | sha256sum` reads that. All of it stays in memory " +
		"as pages of files. Each snapshot has the digest of the one before, and each restored Volume the bytes of the first.",
	run: func(ctx context.Context, s *session) error {
		v, err := s.vault(ctx)
		if err != nil {
			return err
		}
		before, err := v.calm(ctx)
		if err != nil {
			return err
		}
		s.report.Add(measure.Ours, serverMemory, measure.MB, before)
		for _, kind := range kinds {
			d := &deposit{vault: v, kind: kind.name}
			if err := d.prepare(ctx, kind.write); err != nil {
				return fmt.Errorf("prepare %s: %w", kind.name, err)
			}
			if err := s.take(ctx, s.rounds, arm{tarSum, d.bare}, arm{measure.Ours, d.ours}); err != nil {
				return fmt.Errorf("%s: %w", kind.name, err)
			}
			if err := d.clear(ctx); err != nil {
				return err
			}
		}

		peak, err := v.server.Process().Peak()
		if err != nil {
			return err
		}
		s.report.Add(measure.Ours, serverPeak, measure.MB, peak)

		return nil
	},
}

// vault is a stage with a place for snapshots.
type vault struct {
	*stage

	dir string
	mib int
	// node is the hostname of the only one.
	node string
}

func (s *session) vault(ctx context.Context) (*vault, error) {
	st, _, err := s.stage(ctx, 1, false)
	if err != nil {
		return nil, err
	}
	info, err := st.engine.Docker.Info(ctx)
	if err != nil {
		return nil, err
	}
	v := &vault{stage: st, dir: s.dir, mib: s.stored, node: info.Name}
	place := filepath.Join(s.dir, "archives")
	if err := os.Mkdir(place, 0o700); err != nil {
		return nil, err
	}
	class := &v1alpha1.VolumeSnapshotClass{
		ObjectMeta: metav1.ObjectMeta{Name: "bench"},
		Spec:       v1alpha1.VolumeSnapshotClassSpec{Directory: &v1alpha1.SnapshotDirectory{Path: v1alpha1.AbsolutePath(place)}},
	}
	if err := st.server.Client.Create(ctx, class); err != nil {
		return nil, err
	}
	_, err = rig.Await(ctx, st.server, client.ObjectKeyFromObject(class), "is ready", func(c *v1alpha1.VolumeSnapshotClass) bool {
		return meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionReady)
	})

	return v, err
}

// calm waits until the server has given back what it needed to start, and returns how much memory it has then. More than that counts
// from here on.
func (v *vault) calm(ctx context.Context) (float64, error) {
	if err := sleep(ctx, settling); err != nil {
		return 0, err
	}
	if err := v.server.Process().ForgetPeak(); err != nil {
		return 0, err
	}

	return v.server.Process().RSS()
}

// deposit is a Volume whose data is of one kind.
type deposit struct {
	*vault

	kind string
	// files is where they are on this machine, which is that of the engine.
	files string
	bytes int64
	// digest of what is in it, by the first snapshot.
	digest string
	turns  int
}

func (d *deposit) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: d.namespaces[0], Name: name}
}

func (d *deposit) declare(name, node, from string) *v1alpha1.Volume {
	return &v1alpha1.Volume{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespaces[0], Name: name},
		Spec:       v1alpha1.VolumeSpec{Size: resource.MustParse("64Gi"), Node: node, RestoreFrom: v1alpha1.ObjectName(from)},
	}
}

// prepare makes a Volume and a container that mounts it, and fills it.
func (d *deposit) prepare(ctx context.Context, write func(string, int, uint64) error) error {
	const mib = 8

	if err := d.server.Client.Create(ctx, d.declare(d.kind, "", "")); err != nil {
		return err
	}
	user := rig.Container(d.namespaces[0], d.kind, 1)
	user.Spec.Volumes = []v1alpha1.VolumeMount{{Name: v1alpha1.DNSLabel(d.kind), MountPath: "/data"}}
	if err := d.server.Client.Create(ctx, user); err != nil {
		return err
	}
	_, err := rig.Await(ctx, d.server, client.ObjectKeyFromObject(user), "is ready", func(c *v1alpha1.TenantContainer) bool {
		return meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionReady)
	})
	if err != nil {
		return err
	}
	if d.files, err = d.directory(ctx, d.kind); err != nil {
		return err
	}

	for i := range d.mib / mib {
		if err := write(filepath.Join(d.files, fmt.Sprintf("part-%04d", i)), mib<<20, uint64(i)); err != nil {
			return err
		}
		d.bytes += mib << 20
	}

	return nil
}

// directory of a Volume on this machine.
func (d *deposit) directory(ctx context.Context, name string) (string, error) {
	var v v1alpha1.Volume
	if err := d.server.Client.Get(ctx, d.key(name), &v); err != nil {
		return "", err
	}
	held, err := d.engine.Docker.VolumeInspect(ctx, v.Status.VolumeName)

	return held.Mountpoint, err
}

// speed is how many millions of bytes went by in a second.
func (d *deposit) speed(took time.Duration) float64 { return float64(d.bytes) / 1e6 / took.Seconds() }

// bare is the turn of tar and sha256sum.
func (d *deposit) bare(ctx context.Context, add adder) error {
	const sum = `tar -C "$0" -cf - . | sha256sum >/dev/null`

	began := time.Now()
	if err := shell(ctx, sum, d.files); err != nil {
		return err
	}
	add(fmt.Sprintf(saveSpeed, d.kind), measure.MBPerSecond, d.speed(time.Since(began)))

	copied := filepath.Join(d.dir, "copied")
	if err := os.Mkdir(copied, 0o700); err != nil {
		return err
	}
	began = time.Now()
	err := errors.Join(shell(ctx, `tar -C "$0" -cf - . | tar -C "$1" -xf -`, d.files, copied), shell(ctx, sum, copied))
	if err != nil {
		return err
	}
	add(fmt.Sprintf(restoreSpeed, d.kind), measure.MBPerSecond, d.speed(time.Since(began)))

	return os.RemoveAll(copied)
}

// shell runs a line of the shell in which each part must succeed.
func shell(ctx context.Context, line string, args ...string) error {
	out, err := exec.CommandContext(ctx, "bash", append([]string{"-o", "pipefail", "-c", line}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("run %q: %w: %s", line, err, out)
	}

	return nil
}

// ours is the turn of Dogker.
func (d *deposit) ours(ctx context.Context, add adder) error {
	d.turns++
	name := fmt.Sprintf("%s-%d", d.kind, d.turns)
	snap := &v1alpha1.VolumeSnapshot{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespaces[0], Name: name},
		Spec:       v1alpha1.VolumeSnapshotSpec{Source: v1alpha1.VolumeSnapshotSource{VolumeName: v1alpha1.DNSLabel(d.kind)}, ClassName: "bench"},
	}

	began := time.Now()
	if err := d.server.Client.Create(ctx, snap); err != nil {
		return err
	}
	snap, err := rig.Await(ctx, d.server, d.key(name), "is ready", func(s *v1alpha1.VolumeSnapshot) bool {
		return meta.IsStatusConditionTrue(s.Status.Conditions, v1alpha1.ConditionReady)
	})
	if err != nil {
		return err
	}
	add(fmt.Sprintf(saveSpeed, d.kind), measure.MBPerSecond, d.speed(time.Since(began)))
	if d.digest == "" {
		d.digest = snap.Status.Digest
	}
	if snap.Status.Digest != d.digest || snap.Status.RestoreSize == nil || snap.Status.RestoreSize.Value() != d.bytes || snap.Status.ArchiveSize == nil {
		return fmt.Errorf("the snapshot is %+v, want %d bytes with the digest %s", snap.Status, d.bytes, d.digest)
	}
	add(fmt.Sprintf(archivePart, d.kind), measure.Percent, 100*float64(snap.Status.ArchiveSize.Value())/float64(d.bytes))

	if err := d.restore(ctx, name, add); err != nil {
		return err
	}

	return d.gone(ctx, snap)
}

// restore fills a new Volume and takes it away.
func (d *deposit) restore(ctx context.Context, name string, add adder) error {
	v := d.declare(name, d.node, name)

	began := time.Now()
	if err := d.server.Client.Create(ctx, v); err != nil {
		return err
	}
	_, err := rig.Await(ctx, d.server, d.key(name), "is restored", func(v *v1alpha1.Volume) bool {
		return meta.IsStatusConditionTrue(v.Status.Conditions, v1alpha1.ConditionRestored)
	})
	if err != nil {
		return err
	}
	add(fmt.Sprintf(restoreSpeed, d.kind), measure.MBPerSecond, d.speed(time.Since(began)))

	restored, err := d.directory(ctx, name)
	if err != nil {
		return err
	}
	if err := shell(ctx, `diff -r "$0" "$1"`, d.files, restored); err != nil {
		return err
	}

	return d.gone(ctx, v)
}

// gone deletes an object and waits until it is gone, and its data with it.
func (d *deposit) gone(ctx context.Context, o client.Object) error {
	if err := d.server.Client.Delete(ctx, o); err != nil {
		return err
	}

	return rig.Gone(ctx, d.server, o)
}

// clear takes the Volume away with what mounts it.
func (d *deposit) clear(ctx context.Context) error {
	if err := d.stage.clear(ctx); err != nil {
		return err
	}
	if err := d.gone(ctx, d.declare(d.kind, "", "")); err != nil {
		return err
	}
	if _, err := os.Stat(d.files); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the data of a Volume that is gone: %w", err)
	}

	return nil
}

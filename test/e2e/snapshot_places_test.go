//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/volume"
)

// TestSnapshotsInABucket keeps snapshots in a real S3 server, restores one, waits while the server is away, and finds the bucket
// empty once they are deleted.
func TestSnapshotsInABucket(t *testing.T) {
	t.Parallel()
	bucket := newBucket(t)
	n := sharedCell(t).tenant(t)
	n.create(volumeNamed("data", ""))
	n.run(app("db", "v1", mounting("data")))
	node := n.lab.Nodes[0]
	heap(t, n.directory(node, volume.Name(n.volume("data"))), "bucket", 1<<20)
	want := n.tree(node, volume.Name(n.volume("data")))

	// The class is there before its credentials.
	class := &v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{Name: "bucket"}, Spec: v1alpha1.VolumeSnapshotClassSpec{S3: &v1alpha1.SnapshotS3{
		Endpoint: "http://" + bucket.address, Bucket: "archives", Folder: "dogker/e2e", AllowPrivate: true,
		CredentialsSecretRef: v1alpha1.LocalObjectReference{Name: "bucket"},
	}}}
	if err := n.api.Create(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	n.create(snapshotOf("first", "data", "bucket"))
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "dogker-system", Name: "bucket"},
		StringData: map[string]string{"accessKey": bucketAccess, "secretKey": bucketSecret},
	}
	if err := n.api.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	first := n.saved("first")
	if _, err := os.Stat(filepath.Join(bucket.dir, "archives/dogker/e2e", first.Status.ArchiveName)); err != nil {
		t.Errorf("the archive is not where it should be: %v", err)
	}

	bucket.stop()
	n.create(snapshotOf("second", "data", "bucket"))
	n.snapshotSays("second", v1alpha1.ReasonStoreUnavailable)
	bucket.start()
	n.saved("second")

	n.create(restoring("copy", "", "second"))
	n.run(app("reader", "v1", mounting("copy")))
	n.wantTree(node, "copy", want, "it was restored from a bucket")

	n.remove(snapshotOf("first", "", ""))
	n.remove(snapshotOf("second", "", ""))
	if left, err := filesIn(filepath.Join(bucket.dir, "archives/dogker")); err != nil && !errors.Is(err, os.ErrNotExist) || len(left) > 0 {
		t.Errorf("in the bucket there are %q, %v", left, err)
	}
}

// TestSnapshotsBySchedule waits for two ticks: each makes one snapshot, of which one is kept.
func TestSnapshotsBySchedule(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	dir := n.archives(t, "scheduled")
	data := volumeNamed("data", "")
	data.Spec.Snapshots = &v1alpha1.VolumeSnapshots{ClassName: "scheduled", Schedule: "* * * * *", TimeZone: "Asia/Jakarta", Keep: new(int32(1))}
	n.create(data)
	n.run(app("db", "v1", mounting("data")))
	n.write("db", "/data/orders", "42 of them")

	first := n.scheduled(data.Name, "")
	second := n.scheduled(data.Name, first)
	await(t, atLast, "one is kept", func() error {
		err := n.api.Get(t.Context(), client.ObjectKey{Namespace: n.name, Name: first}, &v1alpha1.VolumeSnapshot{})
		if err == nil {
			err = fmt.Errorf("%s is there, and so is %s", first, second)
		}

		return errors.Join(client.IgnoreNotFound(err), n.untidy(dir, map[string]int{"node1": 1}))
	})
	n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.Snapshots = nil })
}

// scheduled waits for the first snapshot by schedule after another, and returns its name.
func (n *tenant) scheduled(volume, after string) (name string) {
	n.t.Helper()

	await(n.t, goneBy, "a snapshot is made by schedule", func() error {
		var list v1alpha1.VolumeSnapshotList
		if err := n.api.List(n.t.Context(), &list, client.InNamespace(n.name), client.MatchingLabels{v1alpha1.LabelSnapshotVolume: string(n.volume(volume).UID)}); err != nil {
			return err
		}
		for i := range list.Items {
			s := &list.Items[i]
			if s.Name <= after || n.isSaved(s.Name, s) != nil {
				continue
			}
			at, err := time.Parse(time.RFC3339, s.Annotations[v1alpha1.AnnotationScheduledAt])
			if err != nil || s.Name != volume+"-"+at.UTC().Format("200601021504") {
				n.t.Errorf("snapshot %q is of the tick %v, %v", s.Name, s.Annotations, err)
			}
			name = s.Name

			return nil
		}

		return fmt.Errorf("there are %d of them", len(list.Items))
	})

	return name
}

const bucketAccess, bucketSecret = "dogker", "not-a-secret-of-anybody"

// bucketServer is a real S3 server on a directory, with a bucket called archives.
type bucketServer struct {
	t                     *testing.T
	program, address, dir string
	process               *exec.Cmd
	ended                 chan error
}

func newBucket(t *testing.T) *bucketServer {
	t.Helper()

	b := &bucketServer{t: t, program: filepath.Join(os.Getenv("DOGKER_TOOLS"), "versitygw")}
	if os.Getenv("DOGKER_TOOLS") == "" {
		b.program = filepath.Join(t.TempDir(), "versitygw")
		if _, err := said(exec.Command("go", "build", "-C", "../../hack/tools/s3", "-ldflags", "-s -w", "-o", b.program, "tool")); err != nil {
			t.Fatal(err)
		}
	} else if !exists(b.program) && os.Getenv("DOGKER_LONG") == "" {
		t.Skip("hack/test.sh builds the S3 server with DOGKER_LONG=1 only: its libraries take minutes to compile")
	}
	dir, err1 := os.MkdirTemp(scratch, "bucket-")
	address, err2 := freeAddress()
	if err := errors.Join(err1, err2, os.Mkdir(filepath.Join(dir, "archives"), 0o700)); err != nil {
		t.Fatal(err)
	}
	b.dir, b.address = dir, address
	b.start()
	t.Cleanup(b.stop)

	return b
}

func (b *bucketServer) start() {
	b.t.Helper()

	var log bytes.Buffer
	b.process = exec.Command(b.program, "--port", b.address, "--access", bucketAccess, "--secret", bucketSecret, "posix", b.dir)
	b.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	b.process.Stdout, b.process.Stderr = &log, &log
	if err := b.process.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.ended = make(chan error, 1)
	go func(p *exec.Cmd, ended chan error) { ended <- p.Wait() }(b.process, b.ended)
	await(b.t, soon, "the S3 server answers", func() error {
		conn, err := net.Dial("tcp", b.address)
		if err == nil {
			err = conn.Close()
		}

		return err
	})
}

// stop ends it, if it runs.
func (b *bucketServer) stop() {
	if b.process == nil {
		return
	}
	_ = b.process.Process.Kill()
	<-b.ended
	b.process = nil
}

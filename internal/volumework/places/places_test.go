package places_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/volumework/places"
	"github.com/dogker/dogker/reconciler/volumejob"
)

const system = "dogker-system"

// world is an API with objects, and what asks it.
type world struct {
	client.Client
	*places.Places

	// creating is called before something is made.
	creating func(client.Object) error
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	w := &world{}
	w.Client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if w.creating != nil {
				if err := w.creating(o); err != nil {
					return err
				}
			}

			return c.Create(ctx, o, opts...)
		},
	}).Build()
	w.Places = places.New(places.Options{Reader: w.Client, Writer: w.Client, Namespace: system})

	return w
}

func inDirectory(path string) *v1alpha1.VolumeSnapshotClass {
	return &v1alpha1.VolumeSnapshotClass{
		ObjectMeta: metav1.ObjectMeta{Name: "nightly", UID: "1", Generation: 1},
		Spec:       v1alpha1.VolumeSnapshotClassSpec{Directory: &v1alpha1.SnapshotDirectory{Path: v1alpha1.AbsolutePath(path)}},
	}
}

func inBucket(change ...func(*v1alpha1.SnapshotS3)) *v1alpha1.VolumeSnapshotClass {
	s := &v1alpha1.SnapshotS3{
		Endpoint: "https://127.0.0.1:1", Bucket: "snapshots", Folder: "dogker/volumes",
		CredentialsSecretRef: v1alpha1.LocalObjectReference{Name: "bucket"}, AllowPrivate: true,
	}
	for _, f := range change {
		f(s)
	}
	c := inDirectory("")
	c.Spec.Directory, c.Spec.S3 = nil, s

	return c
}

func secret(name string, data ...string) *corev1.Secret {
	// The API gives each object that is made a UID of its own.
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name, UID: uuid.NewUUID()}, Data: map[string][]byte{}}
	for i := 0; i+1 < len(data); i += 2 {
		s.Data[data[i]] = []byte(data[i+1])
	}

	return s
}

func identity(t *testing.T) string {
	t.Helper()
	text, err := archive.NewKey()
	if err != nil {
		t.Fatal(err)
	}

	return text
}

// TestKeyIsMadeOnce wants a key where there never was one, and never another.
func TestKeyIsMadeOnce(t *testing.T) {
	c := inDirectory(t.TempDir())
	w := newWorld(t, c)
	if _, _, err := w.Place(t.Context(), "nightly"); faultOf(err) != volumejob.FaultKey {
		t.Errorf("without a key: %v, want fault Key", err)
	}
	first, err := w.EnsureKey(t.Context(), "nightly")
	if err != nil || !strings.HasPrefix(first, "age1") {
		t.Fatalf("the key is for %q, %v", first, err)
	}
	s := &corev1.Secret{}
	at := client.ObjectKey{Namespace: system, Name: "snapshot-key-nightly"}
	if err := w.Get(t.Context(), at, s); err != nil {
		t.Fatal(err)
	}
	made, err := age.ParseX25519Identity(strings.TrimSpace(string(s.Data["identity"])))
	if err != nil || made.Recipient().String() != first {
		t.Errorf("the Secret does not hold the key of %s: %v", first, err)
	}
	if again, err := w.EnsureKey(t.Context(), "nightly"); err != nil || again != first {
		t.Errorf("the second time it is for %q, %v, want %q", again, err, first)
	}
	if _, k, err := w.Place(t.Context(), "nightly"); err != nil || k.Recipient() != first {
		t.Errorf("the place has another key: %v", err)
	}

	// Somebody deletes it. Another one would open nothing of what there is.
	c.Status.Recipient = first
	if err := errors.Join(w.Delete(t.Context(), s), w.Update(t.Context(), c)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.EnsureKey(t.Context(), "nightly"); faultOf(err) != volumejob.FaultKey || !strings.Contains(err.Error(), "is gone") || !strings.Contains(err.Error(), first) {
		t.Errorf("when it was lost: %v", err)
	}
	if err := w.Get(t.Context(), at, s); err == nil {
		t.Error("another key was made")
	}
	// Somebody puts another one there.
	if err := w.Create(t.Context(), secret("snapshot-key-nightly", "identity", identity(t))); err != nil {
		t.Fatal(err)
	}
	if other, err := w.EnsureKey(t.Context(), "nightly"); err != nil || other == first {
		t.Errorf("with another key it is for %q, %v", other, err)
	}
}

// TestKeyOfAnotherServer wants the key that is there, not the one that was to be made.
func TestKeyOfAnotherServer(t *testing.T) {
	w := newWorld(t, inDirectory(t.TempDir()))
	text := identity(t)
	w.creating = func(o client.Object) error {
		w.creating = nil

		return w.Create(t.Context(), secret(o.GetName(), "identity", text))
	}
	got, err := w.EnsureKey(t.Context(), "nightly")
	want, _ := archive.ParseKey(text)
	if err != nil || got != want.Recipient() {
		t.Errorf("it is for %q, %v, want %q", got, err, want.Recipient())
	}
}

// TestBadClasses wants the field to be named, and no value of a Secret.
func TestBadClasses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const hidden = "AGE-SECRET-KEY-1-hidden"
	good := identity(t)
	bucket := secret("bucket", "accessKey", "user\n", "secretKey", hidden)
	named := inDirectory(dir)
	named.Spec.KeySecretRef = &v1alpha1.LocalObjectReference{Name: "offline"}
	recipients := inDirectory(dir)
	recipients.Spec.Recipients = []string{"age1bad"}

	for name, c := range map[string]struct {
		class   *v1alpha1.VolumeSnapshotClass
		secrets []*corev1.Secret
		fault   volumejob.Fault
		says    string
	}{
		"Root":        {class: inDirectory("/"), fault: volumejob.FaultKey, says: `spec.directory.path: "/" must be an absolute path below /`},
		"Relative":    {class: inDirectory("a/b"), fault: volumejob.FaultKey, says: "must be an absolute path"},
		"Dots":        {class: inDirectory("/srv/../etc"), fault: volumejob.FaultKey, says: "must be an absolute path"},
		"NotThere":    {class: inDirectory(dir + "/none"), fault: volumejob.FaultStore, says: "is not there on the server"},
		"NoDirectory": {class: inDirectory(file), fault: volumejob.FaultStore, says: "is no directory on the server"},
		"Neither":     {class: inBucketNone(), fault: volumejob.FaultKey, says: "neither directory nor s3"},
		"NoCredentials": {
			class: inBucket(), fault: volumejob.FaultKey, says: `spec.s3.credentialsSecretRef: there is no Secret "bucket" in namespace dogker-system`,
		},
		"HalfCredentials": {
			class: inBucket(), secrets: []*corev1.Secret{secret("bucket", "secretKey", hidden)}, fault: volumejob.FaultKey, says: "both the access key and the secret key",
		},
		"PlainHTTP": {
			class: inBucket(func(s *v1alpha1.SnapshotS3) { s.Endpoint, s.AllowPrivate = "http://s3.example.com", false }), secrets: []*corev1.Secret{bucket},
			fault: volumejob.FaultKey, says: `scheme "http" must be https`,
		},
		"BadAuthority": {
			class: inBucket(), secrets: []*corev1.Secret{secret("bucket", "accessKey", "user", "secretKey", hidden, "ca", hidden)},
			fault: volumejob.FaultKey, says: "no certificate in PEM",
		},
		"NoKey":      {class: named, fault: volumejob.FaultKey, says: `no Secret "offline" in namespace dogker-system`},
		"EmptyKey":   {class: named, secrets: []*corev1.Secret{secret("offline")}, fault: volumejob.FaultKey, says: "has no identity"},
		"BadKey":     {class: named, secrets: []*corev1.Secret{secret("offline", "identity", hidden)}, fault: volumejob.FaultKey, says: "identity cannot be used"},
		"Recipients": {class: recipients, fault: volumejob.FaultKey, says: "spec.recipients"},
	} {
		t.Run(name, func(t *testing.T) {
			objects := []client.Object{c.class}
			if c.class.Spec.KeySecretRef == nil {
				objects = append(objects, secret("snapshot-key-nightly", "identity", good))
			}
			for _, s := range c.secrets {
				objects = append(objects, s)
			}
			w := newWorld(t, objects...)
			_, _, err := w.Place(t.Context(), "nightly")
			if faultOf(err) != c.fault || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), hidden) {
				t.Errorf("it says %v, want fault %s and %q", err, c.fault, c.says)
			}
		})
	}
}

func inBucketNone() *v1alpha1.VolumeSnapshotClass {
	c := inBucket()
	c.Spec.S3 = nil

	return c
}

// TestRemembers wants a store and a key to be made anew only when something of them has changed.
func TestRemembers(t *testing.T) {
	class, credentials := inBucket(), secret("bucket", "accessKey", "user", "secretKey", "pass")
	key := secret("snapshot-key-nightly", "identity", identity(t))
	w := newWorld(t, class, credentials, key)
	s, k, err := w.Place(t.Context(), "nightly")
	if err != nil {
		t.Fatal(err)
	}
	class.Status.Snapshots++
	if err := w.Update(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	if s2, k2, err := w.Place(t.Context(), "nightly"); err != nil || s2 != s || k2 != k {
		t.Errorf("it was made anew for nothing: %v", err)
	}

	credentials.Data["secretKey"] = []byte("other")
	key.Data["identity"] = []byte(identity(t) + string(key.Data["identity"]))
	if err := errors.Join(w.Update(t.Context(), credentials), w.Update(t.Context(), key)); err != nil {
		t.Fatal(err)
	}
	s2, k2, err := w.Place(t.Context(), "nightly")
	if err != nil || s2 == s || k2 == k {
		t.Errorf("it is the old one: %v", err)
	}
	if got, err := w.Store(t.Context(), "nightly"); err != nil || got != s2 {
		t.Errorf("the store is another one: %v", err)
	}

	if err := w.Delete(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	if names, err := w.Classes(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("classes are %v, %v", names, err)
	}
	if _, _, err := w.Place(t.Context(), "nightly"); faultOf(err) != volumejob.FaultKey {
		t.Errorf("without a class: %v", err)
	}
}

// TestStoreNeedsNoKey is for archives that are removed when nobody can open them any more.
func TestStoreNeedsNoKey(t *testing.T) {
	w := newWorld(t, inDirectory(t.TempDir()))
	if _, err := w.Store(t.Context(), "nightly"); err != nil {
		t.Error(err)
	}
}

// TestProbe asks a store whether it answers.
func TestProbe(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, inDirectory(dir))
	if err := w.Probe(t.Context(), "nightly"); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it has left %v", left)
	}
	w = newWorld(t, inBucket(), secret("bucket", "accessKey", "user", "secretKey", "pass"))
	if err := w.Probe(t.Context(), "nightly"); faultOf(err) != volumejob.FaultStore || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("of a port where nobody listens: %v", err)
	}
}

func faultOf(err error) volumejob.Fault {
	var f interface{ Fault() volumejob.Fault }
	if errors.As(err, &f) {
		return f.Fault()
	}

	return "none"
}

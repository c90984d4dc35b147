package places

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/agekey"
	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/internal/voldata/store/directory"
	"github.com/dogker/dogker/internal/voldata/store/s3"
)

// Keys of Secrets.
const (
	// KeyIdentity holds age identities, one a line.
	KeyIdentity = "identity"
	// KeyAccess, KeySecret and KeyCA are of the credentials of a bucket.
	KeyAccess, KeySecret, KeyCA = "accessKey", "secretKey", "ca"
)

// Options of Places.
type Options struct {
	// Reader reads classes and Secrets as they are, not as a cache has them.
	Reader client.Reader
	// Writer makes Secrets.
	Writer client.Writer
	// Namespace of the platform, where the Secrets are.
	Namespace string
}

// Places are all classes. It is safe for concurrent use.
type Places struct {
	o Options

	mu     sync.Mutex
	stores map[string]made[store.Store]
	keys   map[string]made[*archive.Key]
}

// made is what was made of objects as they were.
type made[T any] struct {
	of string
	it T
}

// New returns the places. It asks nobody.
func New(o Options) *Places {
	return &Places{o: o, stores: map[string]made[store.Store]{}, keys: map[string]made[*archive.Key]{}}
}

// Place is where the archives of a class are, and their key.
func (p *Places) Place(ctx context.Context, class string) (store.Store, *archive.Key, error) {
	c, err := p.class(ctx, class)
	if err != nil {
		return nil, nil, err
	}
	key, err := p.keyOf(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	s, err := p.storeOf(ctx, c)

	return s, key, err
}

// Store is where the archives of a class are.
func (p *Places) Store(ctx context.Context, class string) (store.Store, error) {
	c, err := p.class(ctx, class)
	if err != nil {
		return nil, err
	}

	return p.storeOf(ctx, c)
}

// Classes are the names of all classes. What is kept of others is forgotten.
func (p *Places) Classes(ctx context.Context) ([]string, error) {
	var all v1alpha1.VolumeSnapshotClassList
	if err := p.o.Reader.List(ctx, &all); err != nil {
		return nil, fmt.Errorf("list VolumeSnapshotClasses: %w", err)
	}
	names := make([]string, 0, len(all.Items))
	for i := range all.Items {
		names = append(names, all.Items[i].Name)
	}

	p.mu.Lock()
	defer p.mu.Unlock()

	for name := range p.stores {
		if !slices.Contains(names, name) {
			delete(p.stores, name)
		}
	}
	for name := range p.keys {
		if !slices.Contains(names, name) {
			delete(p.keys, name)
		}
	}

	return names, nil
}

// Probe asks whether the store of a class can be used. It reads, and writes nothing.
func (p *Places) Probe(ctx context.Context, class string) error {
	s, err := p.Store(ctx, class)
	if err != nil {
		return err
	}
	// No archive is in there: what a store has of it costs nothing, and whether it answers is what counts.
	_, err = s.List(ctx, "dogker-probe/")
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, errors.Is(err, store.ErrUnavailable):
		return storeFault("it does not answer")
	case errors.Is(err, store.ErrDenied):
		return storeFault("it denies access: the credentials or rights do not suffice")
	case errors.Is(err, store.ErrNotFound):
		return storeFault("there is no such bucket or directory")
	default:
		return storeFault("it cannot be listed")
	}
}

func (p *Places) class(ctx context.Context, name string) (*v1alpha1.VolumeSnapshotClass, error) {
	c := &v1alpha1.VolumeSnapshotClass{}
	err := p.o.Reader.Get(ctx, client.ObjectKey{Name: name}, c)
	switch {
	case apierrors.IsNotFound(err):
		return nil, keyFault("there is no VolumeSnapshotClass %q", name)
	case err != nil:
		return nil, fmt.Errorf("read VolumeSnapshotClass %q: %w", name, err)
	}

	return c, nil
}

// secret reads one of the platform; nil when there is none.
func (p *Places) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	s := &corev1.Secret{}
	err := p.o.Reader.Get(ctx, client.ObjectKey{Namespace: p.o.Namespace, Name: name}, s)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // None is an answer.
	case err != nil:
		return nil, fmt.Errorf("read Secret %q: %w", name, err)
	}

	return s, nil
}

// version tells one state of an object from every other, also of one that is made again.
func version(o client.Object) string { return string(o.GetUID()) + "@" + o.GetResourceVersion() }

// specOf tells one spec of a class from every other. Its status changes more often than that.
func specOf(c *v1alpha1.VolumeSnapshotClass) string { return fmt.Sprintf("%s@%d", c.UID, c.Generation) }

func (p *Places) storeOf(ctx context.Context, c *v1alpha1.VolumeSnapshotClass) (store.Store, error) {
	if c.Spec.Directory != nil {
		return directoryOf(string(c.Spec.Directory.Path))
	}
	if c.Spec.S3 == nil {
		return nil, keyFault("VolumeSnapshotClass %q says neither directory nor s3", c.Name)
	}

	name := string(c.Spec.S3.CredentialsSecretRef.Name)
	credentials, err := p.secret(ctx, name)
	if err != nil {
		return nil, err
	}
	if credentials == nil {
		return nil, keyFault("spec.s3.credentialsSecretRef: there is no Secret %q in namespace %s", name, p.o.Namespace)
	}
	of := specOf(c) + " " + version(credentials)

	return remembered(p, p.stores, c.Name, of, func() (store.Store, error) { return bucketOf(c.Spec.S3, credentials) })
}

// remembered makes what was not made of the same before.
func remembered[T any](p *Places, in map[string]made[T], class, of string, produce func() (T, error)) (T, error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	if m, is := in[class]; is && m.of == of {
		return m.it, nil
	}
	it, err := produce()
	if err != nil {
		return it, err
	}
	in[class] = made[T]{of, it}

	return it, nil
}

// directoryOf is a store that is looked at each time: a disk may be missing that was there.
func directoryOf(path string) (store.Store, error) {
	d, err := directory.New(path)
	if err != nil {
		return nil, keyFault("spec.directory.path: %q must be an absolute path below /, with neither . nor .. in it", path)
	}
	switch info, err := os.Stat(path); {
	case errors.Is(err, os.ErrNotExist):
		return nil, storeFault("spec.directory.path: %q is not there on the server", path)
	case err != nil:
		return nil, storeFault("spec.directory.path: %q cannot be looked at on the server", path)
	case !info.IsDir():
		return nil, storeFault("spec.directory.path: %q is no directory on the server", path)
	}

	return d, nil
}

func bucketOf(at *v1alpha1.SnapshotS3, credentials *corev1.Secret) (store.Store, error) {
	folder := at.Folder
	if folder != "" {
		folder += "/"
	}
	b, err := s3.New(s3.Options{
		Endpoint: at.Endpoint, Region: at.Region, Bucket: at.Bucket, Folder: folder, AllowPrivate: at.AllowPrivate,
		AccessKey: trimmed(credentials, KeyAccess), SecretKey: trimmed(credentials, KeySecret), CA: credentials.Data[KeyCA],
	})
	if err != nil {
		// It names the field, and never repeats a secret.
		return nil, keyFault("spec.s3: %v (credentials are %s and %s of Secret %q)", err, KeyAccess, KeySecret, credentials.Name)
	}

	return b, nil
}

// trimmed is a value without the line break that editors and echo put behind it.
func trimmed(s *corev1.Secret, key string) string { return strings.TrimSpace(string(s.Data[key])) }

// keyOf is the key of a class. Each of its Secrets' versions is read once.
func (p *Places) keyOf(ctx context.Context, c *v1alpha1.VolumeSnapshotClass) (*archive.Key, error) {
	name := KeySecretName(c)
	s, err := p.secret(ctx, name)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, missingKey(c, name, p.o.Namespace)
	}

	return remembered(p, p.keys, c.Name, specOf(c)+" "+version(s), func() (*archive.Key, error) { return parse(c, s) })
}

func parse(c *v1alpha1.VolumeSnapshotClass, s *corev1.Secret) (*archive.Key, error) {
	text := string(s.Data[KeyIdentity])
	if strings.TrimSpace(text) == "" {
		return nil, keyFault("Secret %q in namespace %s has no %s: it must hold age identities, one a line", s.Name, s.Namespace, KeyIdentity)
	}
	recipients, err := agekey.Recipients(strings.Join(c.Spec.Recipients, "\n"))
	if len(c.Spec.Recipients) > 0 && err != nil {
		return nil, keyFault("spec.recipients: one of them is no age recipient: age1…")
	}
	if len(c.Spec.Recipients) == 0 {
		recipients = nil
	}
	k, err := archive.ParseKey(text, recipients...)
	if err != nil {
		return nil, keyFault("Secret %q in namespace %s: %s cannot be used: it must hold age identities, one a line", s.Name, s.Namespace, KeyIdentity)
	}

	return k, nil
}

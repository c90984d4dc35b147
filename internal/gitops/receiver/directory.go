package receiver

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/source"
)

// indexPath finds GitSyncs by status.webhookPath.
const indexPath = "status.webhookPath"

// maxCandidates is how many GitSyncs are looked at that claim the same path. Their controller never makes two that do.
const maxCandidates = 4

// Index has GitSyncs found by their path. It must be called before the cache is started, and makes it hold GitSyncs.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &gitopsv1.GitSync{}, indexPath, func(o client.Object) []string {
		if path := o.(*gitopsv1.GitSync).Status.WebhookPath; path != "" {
			return []string{path}
		}

		return nil
	})
	if err != nil {
		return fmt.Errorf("index paths of webhooks: %w", err)
	}

	return nil
}

// Cached is a Directory of what a cache has.
type Cached struct {
	reader client.Reader
	nobody Sync
	// decoy is looked at in place of a GitSync that is not there. It has a Secret that is not there either.
	decoy gitopsv1.GitSync
}

var _ Directory = (*Cached)(nil)

// NewDirectory makes a Directory that reads from a cache with an Index. Secrets are read with the server's own rights:
// status.webhookPath could only be made by whoever had read the token as the GitSync's ServiceAccount, and is made again here.
func NewDirectory(reader client.Reader) *Cached {
	d := &Cached{reader: reader, nobody: Sync{Type: gitopsv1.WebhookGitHub, Token: source.Secret(rand.Text())}}
	d.decoy.Spec.Webhook = &gitopsv1.GitWebhook{Type: gitopsv1.WebhookGitHub}
	d.decoy.Spec.Webhook.SecretRef.Name = "none"
	d.decoy.Namespace = "none"

	return d
}

// Find implements Directory.
func (d *Cached) Find(ctx context.Context, path string) (Sync, error) {
	var found gitopsv1.GitSyncList
	if err := d.reader.List(ctx, &found, client.MatchingFields{indexPath: path}, client.Limit(maxCandidates), client.UnsafeDisableDeepCopy); err != nil {
		return Sync{}, fmt.Errorf("find GitSync by its path: %w", err)
	}

	if len(found.Items) == 0 {
		if _, _, err := d.believe(ctx, &d.decoy, path); err != nil {
			return Sync{}, err
		}
	}

	for i := range found.Items {
		s, ok, err := d.believe(ctx, &found.Items[i], path)
		if err != nil {
			return Sync{}, err
		}

		if ok {
			return s, nil
		}
	}

	return d.nobody, nil
}

// believe is whether the path is what the token leads to now.
func (d *Cached) believe(ctx context.Context, g *gitopsv1.GitSync, path string) (Sync, bool, error) {
	hook := g.Spec.Webhook
	if hook == nil {
		return Sync{}, false, nil
	}

	token, err := d.token(ctx, types.NamespacedName{Namespace: g.Namespace, Name: string(hook.SecretRef.Name)})
	if err != nil {
		return Sync{}, false, err
	}

	own := gitsync.WebhookPath(token, g.Namespace, g.Name, string(g.UID))
	if subtle.ConstantTimeCompare([]byte(own), []byte(path)) != 1 || g.DeletionTimestamp != nil {
		return Sync{}, false, nil
	}

	return Sync{
		NamespacedName: types.NamespacedName{Namespace: g.Namespace, Name: g.Name},
		Type:           hook.Type, Token: token, Suspended: g.Spec.Suspend,
	}, true, nil
}

// token is the one in a Secret, or one that nobody knows.
func (d *Cached) token(ctx context.Context, key types.NamespacedName) (source.Secret, error) {
	var secret corev1.Secret

	err := d.reader.Get(ctx, key, &secret, client.UnsafeDisableDeepCopy)
	if err != nil && !apierrors.IsNotFound(err) {
		return "", fmt.Errorf("read Secret of a webhook: %w", err)
	}

	token, err := gitsync.WebhookToken(secret.Data)
	if err != nil {
		return d.nobody.Token, nil //nolint:nilerr // The controller says so in a condition; here it is a path that leads nowhere.
	}

	return token, nil
}

// FieldOwner is who writes hints, in managed fields.
const FieldOwner = "dogker-webhook"

// Annotate writes a hint as the annotation that asks a GitSync for a visit. It reads nothing before, so it cannot conflict.
func Annotate(c client.Writer) Write {
	return func(ctx context.Context, sync types.NamespacedName) error {
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{
			gitopsv1.AnnotationRequestedAt: time.Now().UTC().Format(time.RFC3339Nano),
		}}})
		if err != nil {
			return errors.Join(errors.New("encode hint"), err)
		}

		// Only metadata comes back: inventories are long.
		var g metav1.PartialObjectMetadata

		g.SetGroupVersionKind(gitopsv1.GroupVersion.WithKind("GitSync"))
		g.Namespace, g.Name = sync.Namespace, sync.Name

		if err := c.Patch(ctx, &g, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(FieldOwner)); err != nil {
			return fmt.Errorf("annotate GitSync: %w", err)
		}

		return nil
	}
}

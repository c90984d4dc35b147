package workload

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/refs"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// supply is what a template needs from outside itself.
type supply struct {
	env servicespec.Variables
	// contents of the files, sorted by path.
	contents []content
	// pullSecrets are credentials for the registry, in the order of the spec.
	pullSecrets [][]byte
	// mounts are the Volumes.
	mounts mounts.Set
}

// content is the content of one file and the name of the Swarm object that holds it. An earlier revision has no data:
// only Swarm has it.
type content struct {
	servicespec.FileContent
	swarmName string
}

// find returns the Swarm object that holds the content, and false when there is none.
func (c content) find(w swarmobj.World) (swarmobj.Content, bool) {
	held := w.Configs
	if c.Kind == servicespec.KindSecret {
		held = w.Secrets
	}

	found, ok := held[c.swarmName]

	return found, ok
}

// supplyFrom gathers what the declared template needs. It fails with a Wait when something it refers to is missing or
// of no use.
func (c *Controller) supplyFrom(namespace string, template *v1alpha1.TenantContainerSpec, objs refs.Objects) (supply, error) {
	env, err := servicespec.Env(template, objs.Lookup)
	if err != nil {
		return supply{}, unusable(err)
	}

	files, err := servicespec.Files(template, objs.Lookup)
	if err != nil {
		return supply{}, unusable(err)
	}

	s := supply{env: env, pullSecrets: objs.PullSecrets(template)}
	for _, f := range files {
		s.contents = append(s.contents, content{f, c.digests.ContentName(contentOwner(namespace, f), f.Data)})
	}

	return s, nil
}

// contentOwner is whom the content of a file belongs to: the tenant's Secret or ConfigMap and not one container, because
// several may refer to the same.
func contentOwner(namespace string, f servicespec.FileContent) swarmobj.Owner {
	return swarmobj.Owner{Tenant: namespace, Kind: string(f.Kind), Name: f.Name}
}

// unusable says whether a reference is missing or of no use. Either way the object is watched, and its change starts
// the next pass.
func unusable(err error) error {
	var missing *servicespec.MissingError
	if errors.As(err, &missing) {
		return &outcome.Wait{Reason: v1alpha1.ReasonReferenceNotFound, Err: err}
	}

	return &outcome.Wait{Reason: v1alpha1.ReasonInvalidReference, Err: err}
}

// digests are what, outside the template, makes a revision: variables, contents, and with imagePullPolicy Always the
// restart, because a restart may then find another image.
func (s supply) digests(tc *v1alpha1.TenantContainer, key swarmobj.DigestKey) map[string]string {
	files := make([]servicespec.FileContent, len(s.contents))
	for i, c := range s.contents {
		files[i] = c.FileContent
	}

	out := servicespec.ContentDigests(key.For("template-hash", string(tc.UID)), s.env, files)
	if at := tc.Annotations[v1alpha1.AnnotationRestartedAt]; at != "" && tc.Spec.ImagePullPolicy == v1alpha1.PullAlways {
		out["restartedAt"] = at
	}

	return out
}

// resolve names the Swarm objects that hold the files; all of them are there.
func (s supply) resolve(w swarmobj.World) []servicespec.ResolvedFile {
	var out []servicespec.ResolvedFile

	for _, c := range s.contents {
		held, _ := c.find(w)
		out = append(out, c.Resolved(held.ID, held.Name))
	}

	return out
}

// supplyOf gathers what a revision on record needs. Its files are in Swarm under the names on record, because they are
// kept for as long as a revision refers to them; its variables are in the Secret that was written with it.
func (c *Controller) supplyOf(ctx context.Context, tc *v1alpha1.TenantContainer, rev *v1alpha1.ContainerRevision) (supply, error) {
	objs, err := refs.Read(ctx, c.client, tc.Namespace, &tc.Spec)
	if err != nil {
		return supply{}, err
	}

	referenced, err := c.readEnv(ctx, rev)
	if err != nil {
		return supply{}, err
	}

	s := supply{env: servicespec.RecordedEnv(&rev.Spec.Template, referenced), pullSecrets: objs.PullSecrets(&tc.Spec)}

	for i := range rev.Spec.Template.Files {
		file := servicespec.RecordedFile(&rev.Spec.Template.Files[i])

		for _, held := range rev.Spec.Contents {
			if held.Path == file.Path {
				s.contents = append(s.contents, content{file, held.SwarmName})
			}
		}
	}

	return s, nil
}

// envSecretType marks the Secrets that hold the variables of a revision.
const envSecretType corev1.SecretType = "dogker.io/revision-env"

// readEnv returns the variables of a revision that came from Secrets and ConfigMaps at the time.
func (c *Controller) readEnv(ctx context.Context, rev *v1alpha1.ContainerRevision) (map[string][]byte, error) {
	if rev.Spec.EnvSecret == "" {
		return nil, nil
	}

	var secret corev1.Secret

	err := c.client.Get(ctx, client.ObjectKey{Namespace: rev.Namespace, Name: rev.Spec.EnvSecret}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, &outcome.Wait{
			Reason:  v1alpha1.ReasonReferenceNotFound,
			Message: fmt.Sprintf("Secret %q, which holds the variables of revision %d, is gone", rev.Spec.EnvSecret, rev.Spec.Revision),
		}
	} else if err != nil {
		return nil, fmt.Errorf("read secret %q: %w", rev.Spec.EnvSecret, err)
	}

	return secret.Data, nil
}

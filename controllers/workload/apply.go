package workload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/slogctx"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// apply carries the steps out, in order, and stops at the first that fails. It makes no choices: a step whose work is
// done already succeeds, and the rest is for the next pass, which looks again.
func (c *Controller) apply(ctx context.Context, s *situation, steps []step) error {
	log := slogctx.From(ctx)

	for _, step := range steps {
		log.LogAttrs(ctx, slog.LevelInfo, "Changing what TenantContainer needs", slog.String(logkey.Step, step.String()))

		if err := c.do(ctx, s, step); err != nil {
			return fmt.Errorf("%s: %w", step, blind(err))
		}

		c.announce(s.tc, step)
	}

	return nil
}

func (c *Controller) do(ctx context.Context, s *situation, st step) error {
	switch st := st.(type) {
	case createNetwork:
		_, err := c.swarm.CreateNetwork(ctx, st.tenant)

		return unless(err, swarmobj.ErrExists)
	case createContent:
		return c.createContent(ctx, st)
	case createService:
		if err := guard.Check(st.want, s.guardFacts()); err != nil {
			return err
		}

		if err := c.stillThere(ctx, s); err != nil {
			return err
		}

		_, err := c.swarm.CreateService(ctx, st.want, st.auth)

		return err
	case updateService:
		if err := guard.Check(st.want, s.guardFacts()); err != nil {
			return err
		}
		if err := c.stillThere(ctx, s); err != nil {
			return err
		}

		return c.swarm.UpdateService(ctx, st.seen, st.want, st.auth)
	case adoptService:
		if err := guard.Check(st.want, s.guardFacts()); err != nil {
			return err
		}

		return c.swarm.UpdateService(ctx, st.seen, st.want, st.auth)
	case stopTasks:
		return c.swarm.UpdateService(ctx, st.seen, servicespec.Stop(st.seen.Spec), "")
	case removeService:
		return c.swarm.RemoveService(ctx, st.id, st.owner)
	case recordRevision:
		return c.record(ctx, st)
	case markRevision:
		return c.mark(ctx, s.tc.Namespace, st)
	case removeRevision:
		return c.forget(ctx, s.tc.Namespace, st)
	case createJob:
		return c.makeJob(ctx, st)
	case removeJob:
		return c.dropJob(ctx, st)
	default:
		panic(fmt.Sprintf("workload: step %T has nobody who does it", st))
	}
}

func (c *Controller) createContent(ctx context.Context, st createContent) error {
	owner := contentOwner(st.tenant, st.content.FileContent)
	annotations := swarm.Annotations{Name: st.content.swarmName, Labels: owner.Labels()}
	var err error
	if st.content.Kind == servicespec.KindSecret {
		_, err = c.swarm.CreateSecret(ctx, swarm.SecretSpec{Annotations: annotations, Data: st.content.Data})
	} else {
		_, err = c.swarm.CreateConfig(ctx, swarm.ConfigSpec{Annotations: annotations, Data: st.content.Data})
	}

	return unless(err, swarmobj.ErrExists)
}

// record writes the variables first: a record that exists is whole.
func (c *Controller) record(ctx context.Context, st recordRevision) error {
	if len(st.referenced) > 0 {
		if err := c.writeEnv(ctx, st); err != nil {
			return err
		}
	}

	made := st.revision.DeepCopy()

	// A record that is there already means that the history this pass has seen is out of date, or that a container of
	// the same name had it and it is about to be collected. Either way the pass must not go on; it is tried again.
	if err := c.client.Create(ctx, made, client.FieldOwner(fieldOwner)); err != nil {
		return err
	}

	// The rest of the plan is about the record as it is now.
	st.revision.ResourceVersion = made.ResourceVersion

	return nil
}

func (c *Controller) writeEnv(ctx context.Context, st recordRevision) error {
	secret := envSecret(st.revision, st.referenced)

	err := c.client.Create(ctx, secret, client.FieldOwner(fieldOwner))
	if !apierrors.IsAlreadyExists(err) {
		return err
	}

	// Left over from a pass that was cut off before it wrote the record.
	patch, err := json.Marshal(map[string]any{"data": secret.Data, "metadata": map[string]any{"ownerReferences": secret.OwnerReferences}})
	if err != nil {
		return fmt.Errorf("encode variables: %w", err)
	}

	return c.client.Patch(ctx, secret, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(fieldOwner))
}

func (c *Controller) mark(ctx context.Context, namespace string, st markRevision) error {
	// The version keeps a mark whose answer was lost, and which arrives late, from undoing a later one.
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": st.record.ResourceVersion},
		"status": map[string]any{
			"outcome": st.verdict.outcome,
			"reason":  orNull(st.verdict.cause.reason),
			"message": orNull(st.verdict.cause.message),
		},
	})
	if err != nil {
		return fmt.Errorf("encode outcome: %w", err)
	}

	rev := &v1alpha1.ContainerRevision{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: st.record.Name}}

	return c.client.Patch(ctx, rev, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(fieldOwner))
}

func (c *Controller) forget(ctx context.Context, namespace string, st removeRevision) error {
	rev := &v1alpha1.ContainerRevision{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: st.name}}
	if err := c.client.Delete(ctx, rev); client.IgnoreNotFound(err) != nil {
		return err
	}
	if st.envSecret == "" {
		return nil
	}

	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: st.envSecret}}

	return client.IgnoreNotFound(c.client.Delete(ctx, secret))
}

// orNull makes an empty string remove the field in a merge patch.
func orNull(s string) any {
	if s == "" {
		return nil
	}

	return s
}

// unless lets an error pass that only says that the work is done.
func unless(err, done error) error {
	if errors.Is(err, done) {
		return nil
	}

	return err
}

// guardFacts are what a spec is held against before it reaches the engine, gathered from the world and not from the
// spec.
func (s *situation) guardFacts() guard.Facts {
	f := guard.Facts{Owner: s.owner, Secrets: ids(s.world.Secrets), Configs: ids(s.world.Configs), OffManagers: s.offManagers, NoNewPrivileges: s.noNewPrivileges}
	if from := s.standing(); from != nil {
		f.Standing = &from.Spec
	}
	if s.world.Network != nil {
		f.NetworkID = s.world.Network.ID
	}
	if isID(s.image) {
		f.ImageID = s.image
	}
	if s.template != nil {
		f.Volumes = s.supply.mounts.Guarded(s.template.Volumes)
	}

	return f
}

func ids(contents map[string]swarmobj.Content) map[string]string {
	out := make(map[string]string, len(contents))
	for name, c := range contents {
		out[name] = c.ID
	}

	return out
}

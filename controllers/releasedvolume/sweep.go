package releasedvolume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/wake"
)

// sweepEvery is how often it is looked for data that nobody owns.
const sweepEvery = time.Minute

// Sweeper keeps the records equal to what nodes have and nobody owns. It runs where the controllers do.
type Sweeper struct {
	*Controller
	log *slog.Logger
}

// NewSweeper returns the sweeper of a controller.
func NewSweeper(c *Controller, log *slog.Logger) *Sweeper { return &Sweeper{c, log} }

// Start implements manager.Runnable.
func (s *Sweeper) Start(ctx context.Context) error {
	wake.Every(ctx, sweepEvery, s.Sweep, func(err error) {
		s.log.WarnContext(ctx, "Could not look for data that nobody owns", logkey.Err, err)
	})

	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Sweeper) NeedLeaderElection() bool { return true }

// Sweep records what nobody owns, and takes back records of what is adopted or gone. It writes only where something differs.
func (s *Sweeper) Sweep(ctx context.Context) error {
	if s.swarm.State() != nil {
		return nil
	}

	var records v1alpha1.ReleasedVolumeList
	if err := s.client.List(ctx, &records, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list released volumes: %w", err)
	}
	// What cannot be done about some data is told, and keeps nothing from being done about other.
	return errors.Join(s.record(ctx, records.Items), s.takeBack(ctx, records.Items))
}

// record makes what is missing. What nodes have was read before the Volumes are: a Volume is there before its data.
func (s *Sweeper) record(ctx context.Context, records []v1alpha1.ReleasedVolume) error {
	held := s.storage.All()

	var cached v1alpha1.VolumeList
	if err := s.client.List(ctx, &cached, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list volumes: %w", err)
	}
	recorded := make(map[string]bool, len(records))
	for i := range records {
		recorded[records[i].Spec.VolumeName] = true
	}
	missing := false
	for _, h := range volume.Ownerless(held, cached.Items) {
		missing = missing || !recorded[h.Name]
	}
	if !missing {
		return nil
	}

	// The cache may not have seen a Volume yet.
	var now v1alpha1.VolumeList
	if err := s.live.List(ctx, &now); err != nil {
		return fmt.Errorf("list volumes: %w", err)
	}
	hostnames := map[string]string{}
	for _, n := range s.swarm.Nodes() {
		hostnames[n.ID] = n.Description.Hostname
	}
	var errs []error
	ownerless := volume.Ownerless(held, now.Items)
	for _, r := range volume.Found(ownerless, func(id string) string { return hostnames[id] }) {
		if recorded[r.Spec.VolumeName] || !s.stays(ctx, ownerless, r.Spec.VolumeName) {
			continue
		}
		s.log.InfoContext(ctx, "Found data that belongs to no Volume", logkey.Object, r.Name, logkey.Tenant, r.Spec.From.Namespace)
		if err := s.client.Create(ctx, r); err != nil && !apierrors.IsAlreadyExists(err) {
			errs = append(errs, fmt.Errorf("put released data %q on record: %w", r.Spec.VolumeName, err))
		}
	}

	return errors.Join(errs...)
}

// stays tells whether data is there for more than the moment. What an operation has made is removed by it when it fails, and lists are
// older than that: so the nodes are asked for it by themselves.
func (s *Sweeper) stays(ctx context.Context, ownerless []volume.Held, name string) bool {
	for _, h := range ownerless {
		if h.Name != name {
			continue
		}
		if h.Operation == "" {
			return true
		}
		if there, err := s.storage.Exists(ctx, h.Node, name); err == nil && there {
			return true
		}
	}

	return false
}

// takeBack deletes the records of data that a Volume has, and of data that none of its nodes has any more.
func (s *Sweeper) takeBack(ctx context.Context, records []v1alpha1.ReleasedVolume) error {
	if len(records) == 0 {
		return nil
	}
	owned, err := s.owned(ctx)
	if err != nil {
		return err
	}

	var errs []error
	for i := range records {
		r := &records[i]
		fresh := time.Since(r.CreationTimestamp.Time) < sweepEvery // A Volume that lets go of data makes the record before it forgets the data.
		if !r.DeletionTimestamp.IsZero() || owned[r.Spec.VolumeName] && fresh || !owned[r.Spec.VolumeName] && !s.gone(ctx, r) {
			continue
		}
		s.log.InfoContext(ctx, "Released data is adopted, or gone", logkey.Object, r.Name)
		if err := s.withdraw(ctx, r.DeepCopy()); client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("take back record of released data %q: %w", r.Name, err))
		}
	}

	return errors.Join(errs...)
}

// withdraw deletes a record and leaves the data alone, whoever owns that by then. What nobody owns is put on record again.
func (s *Sweeper) withdraw(ctx context.Context, r *v1alpha1.ReleasedVolume) error {
	marked := r.DeepCopy()
	metav1.SetMetaDataAnnotation(&marked.ObjectMeta, v1alpha1.AnnotationTakenBack, "true")
	if err := s.client.Patch(ctx, marked, client.MergeFromWithOptions(r, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}

	return s.client.Delete(ctx, marked, client.Preconditions{UID: &marked.UID, ResourceVersion: &marked.ResourceVersion})
}

// gone is true when every node of the record that is in the swarm has told lately that it does not have the data, and says so again
// when it is asked. Of nodes that have all left the swarm, it is gone with them.
func (s *Sweeper) gone(ctx context.Context, r *v1alpha1.ReleasedVolume) bool {
	nodes := s.swarm.Nodes()
	if len(nodes) == 0 || len(s.storage.Held(r.Spec.VolumeName)) > 0 || time.Since(r.CreationTimestamp.Time) < settled {
		return false
	}

	for _, n := range nodes {
		on := slices.ContainsFunc(r.Spec.Nodes, func(at v1alpha1.VolumeNode) bool { return at.ID == n.ID })
		if !on {
			continue
		}
		if !s.storage.Told(n.ID) {
			return false
		}
		if there, err := s.storage.Exists(ctx, n.ID, r.Spec.VolumeName); err != nil || there {
			return false
		}
	}

	return true
}

// settled is how long a record stays at least: the list that its node has told may be from before the data was made.
const settled = 5 * time.Minute

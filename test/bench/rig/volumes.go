package rig

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/volume"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Volumes are n Volumes, spread over the namespaces.
func Volumes(namespaces []string, n int) []*v1alpha1.Volume {
	out := make([]*v1alpha1.Volume, n)
	for i := range out {
		out[i] = &v1alpha1.Volume{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespaces[i%len(namespaces)], Name: fmt.Sprintf("v%05d", i)},
			Spec:       v1alpha1.VolumeSpec{Size: resource.MustParse("1Gi")},
		}
	}

	return out
}

// CreateVolumes creates Volumes, so many callers at a time.
func (s *Server) CreateVolumes(ctx context.Context, callers int, volumes []*v1alpha1.Volume) error {
	return each(ctx, callers, volumes, func(ctx context.Context, v *v1alpha1.Volume) error { return s.Client.Create(ctx, v) })
}

// AwaitVolumes waits until all of n Volumes are as they should be.
func (s *Server) AwaitVolumes(ctx context.Context, n int, what string, are func(*v1alpha1.Volume) bool) error {
	return poll(ctx, time.Second, fmt.Sprintf("wait until %d Volumes %s", n, what), func() (bool, error) {
		var list v1alpha1.VolumeList
		// What the API server has in memory is enough, and costs it less.
		if err := s.Client.List(ctx, &list, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: "0"}}); err != nil {
			return false, err
		}
		done := 0
		for i := range list.Items {
			if are(&list.Items[i]) {
				done++
			}
		}

		return done == n, nil
	})
}

// HoldVolumes makes the data of Volumes on the engine by bare calls, as their first tasks would.
func (e *Engine) HoldVolumes(ctx context.Context, volumes []*v1alpha1.Volume) error {
	return each(ctx, Callers, volumes, func(ctx context.Context, v *v1alpha1.Volume) error {
		o := swarmobj.Owner{Tenant: v.Namespace, Kind: v1alpha1.KindVolume, Name: v.Name, UID: string(v.UID)}
		if _, err := e.Docker.VolumeCreate(ctx, volume.CreateOptions{Name: swarmobj.VolumeName(o), Labels: o.Labels()}); err != nil {
			return fmt.Errorf("create volume of %q: %w", v.Name, err)
		}

		return nil
	})
}

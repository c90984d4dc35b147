package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion identifies this group and version.
var GroupVersion = schema.GroupVersion{Group: "dogker.io", Version: "v1alpha1"}

// AddToScheme registers the kinds of this group.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&TenantContainer{}, &TenantContainerList{},
		&ContainerRevision{}, &ContainerRevisionList{},
		&Tenant{}, &TenantList{},
		&Plan{}, &PlanList{},
		&VolumeClass{}, &VolumeClassList{},
		&Volume{}, &VolumeList{},
		&ReleasedVolume{}, &ReleasedVolumeList{},
		&VolumeSnapshot{}, &VolumeSnapshotList{},
		&VolumeSnapshotClass{}, &VolumeSnapshotClassList{},
		&TenantJob{}, &TenantJobList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)

	return nil
}

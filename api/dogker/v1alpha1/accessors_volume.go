package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetConditions returns the conditions of the status.
func (v *Volume) GetConditions() []metav1.Condition { return v.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (v *Volume) SetConditions(conditions []metav1.Condition) { v.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (v *Volume) GetObservedGeneration() int64 { return v.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (v *Volume) SetObservedGeneration(generation int64) { v.Status.ObservedGeneration = generation }

// GetConditions returns the conditions of the status.
func (c *VolumeClass) GetConditions() []metav1.Condition { return c.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (c *VolumeClass) SetConditions(conditions []metav1.Condition) { c.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (c *VolumeClass) GetObservedGeneration() int64 { return c.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (c *VolumeClass) SetObservedGeneration(generation int64) {
	c.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (r *ReleasedVolume) GetConditions() []metav1.Condition { return r.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (r *ReleasedVolume) SetConditions(conditions []metav1.Condition) {
	r.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status describes.
func (r *ReleasedVolume) GetObservedGeneration() int64 { return r.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (r *ReleasedVolume) SetObservedGeneration(generation int64) {
	r.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (s *VolumeSnapshot) GetConditions() []metav1.Condition { return s.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (s *VolumeSnapshot) SetConditions(conditions []metav1.Condition) {
	s.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status describes.
func (s *VolumeSnapshot) GetObservedGeneration() int64 { return s.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (s *VolumeSnapshot) SetObservedGeneration(generation int64) {
	s.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (c *VolumeSnapshotClass) GetConditions() []metav1.Condition { return c.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (c *VolumeSnapshotClass) SetConditions(conditions []metav1.Condition) {
	c.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status describes.
func (c *VolumeSnapshotClass) GetObservedGeneration() int64 { return c.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (c *VolumeSnapshotClass) SetObservedGeneration(generation int64) {
	c.Status.ObservedGeneration = generation
}

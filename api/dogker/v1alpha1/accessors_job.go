package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetConditions returns the conditions of the status.
func (j *TenantJob) GetConditions() []metav1.Condition {
	return j.Status.Conditions
}

// SetConditions replaces the conditions of the status.
func (j *TenantJob) SetConditions(conditions []metav1.Condition) {
	j.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status describes.
func (j *TenantJob) GetObservedGeneration() int64 {
	return j.Status.ObservedGeneration
}

// SetObservedGeneration says which generation the status describes.
func (j *TenantJob) SetObservedGeneration(generation int64) {
	j.Status.ObservedGeneration = generation
}

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetConditions returns the conditions of the status.
func (a *Alert) GetConditions() []metav1.Condition { return a.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (a *Alert) SetConditions(conditions []metav1.Condition) { a.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (a *Alert) GetObservedGeneration() int64 { return a.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (a *Alert) SetObservedGeneration(generation int64) { a.Status.ObservedGeneration = generation }

// GetConditions returns the conditions of the status.
func (r *Receiver) GetConditions() []metav1.Condition { return r.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (r *Receiver) SetConditions(conditions []metav1.Condition) { r.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (r *Receiver) GetObservedGeneration() int64 { return r.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (r *Receiver) SetObservedGeneration(generation int64) { r.Status.ObservedGeneration = generation }

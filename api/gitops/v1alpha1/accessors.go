package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetConditions returns the conditions of the status.
func (g *GitSync) GetConditions() []metav1.Condition { return g.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (g *GitSync) SetConditions(conditions []metav1.Condition) { g.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (g *GitSync) GetObservedGeneration() int64 { return g.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (g *GitSync) SetObservedGeneration(generation int64) { g.Status.ObservedGeneration = generation }

// GetConditions returns the conditions of the status.
func (p *ImagePolicy) GetConditions() []metav1.Condition { return p.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (p *ImagePolicy) SetConditions(conditions []metav1.Condition) { p.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (p *ImagePolicy) GetObservedGeneration() int64 { return p.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (p *ImagePolicy) SetObservedGeneration(generation int64) {
	p.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (g *GitPreview) GetConditions() []metav1.Condition { return g.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (g *GitPreview) SetConditions(conditions []metav1.Condition) { g.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (g *GitPreview) GetObservedGeneration() int64 { return g.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (g *GitPreview) SetObservedGeneration(generation int64) {
	g.Status.ObservedGeneration = generation
}

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetConditions returns the conditions of the status. The machinery that all kinds share reads and writes status through
// these four methods.
func (c *TenantContainer) GetConditions() []metav1.Condition {
	return c.Status.Conditions
}

// SetConditions replaces the conditions of the status.
func (c *TenantContainer) SetConditions(conditions []metav1.Condition) {
	c.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status describes.
func (c *TenantContainer) GetObservedGeneration() int64 {
	return c.Status.ObservedGeneration
}

// SetObservedGeneration says which generation the status describes.
func (c *TenantContainer) SetObservedGeneration(generation int64) {
	c.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (t *Tenant) GetConditions() []metav1.Condition {
	return t.Status.Conditions
}

// SetConditions replaces the conditions of the status.
func (t *Tenant) SetConditions(conditions []metav1.Condition) {
	t.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status describes.
func (t *Tenant) GetObservedGeneration() int64 {
	return t.Status.ObservedGeneration
}

// SetObservedGeneration says which generation the status describes.
func (t *Tenant) SetObservedGeneration(generation int64) {
	t.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (p *Plan) GetConditions() []metav1.Condition {
	return p.Status.Conditions
}

// SetConditions replaces the conditions of the status.
func (p *Plan) SetConditions(conditions []metav1.Condition) {
	p.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status describes.
func (p *Plan) GetObservedGeneration() int64 {
	return p.Status.ObservedGeneration
}

// SetObservedGeneration says which generation the status describes.
func (p *Plan) SetObservedGeneration(generation int64) {
	p.Status.ObservedGeneration = generation
}

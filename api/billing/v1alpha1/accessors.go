package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GetConditions returns the conditions of the status.
func (p *PriceList) GetConditions() []metav1.Condition { return p.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (p *PriceList) SetConditions(conditions []metav1.Condition) { p.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (p *PriceList) GetObservedGeneration() int64 { return p.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (p *PriceList) SetObservedGeneration(generation int64) { p.Status.ObservedGeneration = generation }

// GetConditions returns the conditions of the status.
func (b *BillingAccount) GetConditions() []metav1.Condition { return b.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (b *BillingAccount) SetConditions(conditions []metav1.Condition) {
	b.Status.Conditions = conditions
}

// GetObservedGeneration returns the generation that the status describes.
func (b *BillingAccount) GetObservedGeneration() int64 { return b.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (b *BillingAccount) SetObservedGeneration(generation int64) {
	b.Status.ObservedGeneration = generation
}

// GetConditions returns the conditions of the status.
func (t *TopUp) GetConditions() []metav1.Condition { return t.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (t *TopUp) SetConditions(conditions []metav1.Condition) { t.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (t *TopUp) GetObservedGeneration() int64 { return t.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (t *TopUp) SetObservedGeneration(generation int64) { t.Status.ObservedGeneration = generation }

// GetConditions returns the conditions of the status.
func (r *Refund) GetConditions() []metav1.Condition { return r.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (r *Refund) SetConditions(conditions []metav1.Condition) { r.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (r *Refund) GetObservedGeneration() int64 { return r.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (r *Refund) SetObservedGeneration(generation int64) { r.Status.ObservedGeneration = generation }

// GetConditions returns the conditions of the status.
func (c *Coupon) GetConditions() []metav1.Condition { return c.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (c *Coupon) SetConditions(conditions []metav1.Condition) { c.Status.Conditions = conditions }

// GetObservedGeneration returns the generation that the status describes.
func (c *Coupon) GetObservedGeneration() int64 { return c.Status.ObservedGeneration }

// SetObservedGeneration says which generation the status describes.
func (c *Coupon) SetObservedGeneration(generation int64) { c.Status.ObservedGeneration = generation }

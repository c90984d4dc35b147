// Package gate runs ordered lists of small pure checks: quota, suspension, image policy. The order is the
// specification, so a list of gates reads as one. A check neither reads nor writes anything outside its argument; what
// it needs to know is gathered before.
//
// It imports nothing but the standard library.
package gate

// Check looks at the subject and returns nil to let it pass, or why it may not. The error is one of package outcome's
// where it should become a condition.
type Check[T any] func(subject T) error

// Chain is a list of checks in the order in which they run.
type Chain[T any] []Check[T]

// Admit runs the checks in order and returns the first refusal; later checks may rely on earlier ones having passed.
func (c Chain[T]) Admit(subject T) error {
	for _, check := range c {
		if err := check(subject); err != nil {
			return err
		}
	}

	return nil
}

// Step changes a value, or returns it as it is.
type Step[S, V any] func(subject S, value V) V

// Fold is a list of steps by which a value is decided, such as the effective number of replicas: spec first, then
// whoever may overrule it. The last one has the last word.
type Fold[S, V any] []Step[S, V]

// Apply runs the steps in order over the value.
func (f Fold[S, V]) Apply(subject S, value V) V {
	for _, step := range f {
		value = step(subject, value)
	}

	return value
}

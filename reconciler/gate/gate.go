// Package gate decides a value by an ordered list of small pure steps, such as how many replicas there are to be: what is declared, then
// whoever may overrule it. The order is the specification, so a list of steps reads as one. A step neither reads nor writes anything
// outside its arguments; what it needs to know is gathered before.
//
// It imports nothing but the standard library.
package gate

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

// Package wake holds what several control loops are woken by: requests for objects that a change concerns, and what lets a
// change pass, or wait for more to come. What one loop alone is woken by is in its own package.
//
// A loop must not rely on being woken: what cannot be listed, or is told to nobody, is found by its next look around.
//
// Callers: the Setup of controllers. It imports controller-runtime; never a controller or an adapter.
package wake

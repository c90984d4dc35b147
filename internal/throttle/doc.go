// Package throttle limits how often strangers may do something, in a fixed amount of memory. It is used wherever people who
// have not shown who they are can reach Dogker: to log in, and to deliver notifications.
//
// It imports nothing but the standard library.
package throttle

// Package logkey fixes the keys of structured log records, so that one query finds everything about one thing. A record
// that needs another key adds it here first.
//
// It imports nothing.
package logkey

// Keys of attributes.
const (
	// Controller is the name of the control loop.
	Controller = "controller"
	// Object is namespace/name of the object that the pass is about.
	Object = "object"
	// Generation of that object.
	Generation = "generation"
	// ReconcileID is the same for everything one pass logs.
	ReconcileID = "reconcileID"
	// Tenant is the namespace, where there is no object.
	Tenant = "tenant"
	// Service is the ID or the name of a Swarm service.
	Service = "service"
	// Node is the ID or the name of a Swarm node.
	Node = "node"
	// Step is what a plan does next, in words.
	Step = "step"
	// Reason says in one word why.
	Reason = "reason"
	// Diff is what is different from what is wanted.
	Diff = "diff"
	// Err is the error.
	Err = "err"
	// Component is the part of the process that speaks, where it is no control loop.
	Component = "component"
	// URL of something that answers.
	URL = "url"
	// After is how long it is until the next try.
	After = "after"
	// Session is the ID of somebody's session, which is no secret.
	Session = "session"
	// Order is the ID of an order at the payment gateway.
	Order = "order"
	// Operation is what somebody outside was asked to do.
	Operation = "operation"
	// Code is what they answered with.
	Code = "code"
	// Revision of a repository, such as main@sha1:<hash>.
	Revision = "revision"
	// Count is how many there are of what the message speaks of.
	Count = "count"
)
